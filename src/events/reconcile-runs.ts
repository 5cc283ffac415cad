/**
 * Looks at the tickets of runs at work, for what no webhook told of: the label was taken off, somebody wrote a command, or the ticket is
 * gone. What is found goes through the inbox like everything else. A webhook that tells of it after all changes nothing any more:
 * a comment is acted on once, a label counts only while the ticket says the same, and the other run is not at work any more.
 */

import { messageOf, Permanent } from "../domain/errors.ts";
import type { Event } from "../domain/event.ts";
import type { TicketReader, TicketSearch } from "../domain/ports.ts";
import type { Ticket } from "../domain/ticket.ts";
import type { Log } from "../platform/log.ts";
import type { Policy } from "../platform/policy.ts";
import { takeLook } from "../store/looks.ts";
import type { Database } from "../store/queryable.ts";
import { listToldComments, listWatched, type WatchedRun } from "../store/told.ts";
import type { Inbox } from "./accept.ts";
import { findUnlabelling, listCommands, startOf } from "./missed.ts";

/** As for labels: what is younger may still be on its way. */
const usualGraceMs = 60_000;

export interface RunReconciler {
  readonly database: Database;
  readonly inbox: Inbox;
  readonly tickets: Pick<TicketSearch, "readLabelChanges"> & Pick<TicketReader, "readTicket">;
  readonly policy: Pick<Policy, "triggers">;
  /** Which Jira it is, as in the keys of its other deliveries. */
  readonly site: string;
  readonly log: Log;
  /** Pause between two looks. */
  readonly everyMs: number;
  /** How long a webhook is given to arrive, default one minute. */
  readonly graceMs?: number;
}

interface Missed {
  /** Names it for ever. */
  readonly key: string;
  readonly event: Event;
}

/** The ticket, `gone` when there is none, or null when it cannot be judged. */
async function readTicket({ tickets, log }: RunReconciler, run: WatchedRun): Promise<Ticket | "gone" | null> {
  try {
    const ticket = await tickets.readTicket(run.ticket);
    // It was moved: under its new key nobody told us to work on it, and nobody told us to stop.
    return ticket.key === run.ticket ? ticket : null;
  } catch (error) {
    if (!(error instanceof Permanent)) throw error;
    // Our token is alive, which the adapter makes sure of: Jira shows a dead one nothing at all.
    if (error.status === 404) return "gone";
    log.info("the ticket of a run at work cannot be read", { run: run.id, reason: messageOf(error) });
    return null;
  }
}

async function listMissed(reconciler: RunReconciler, run: WatchedRun): Promise<Missed[]> {
  const { database, tickets, policy } = reconciler;
  const ticket = await readTicket(reconciler, run);
  if (ticket === null) return [];
  const about = { ticket: run.ticket, project: run.project };
  if (ticket === "gone") {
    return [{ key: `gone:${run.id}`, event: { type: "ticket.deleted", ...about, actor: null } }];
  }
  const until = new Date(Date.now() - (reconciler.graceMs ?? usualGraceMs));
  const triggers = Object.keys(policy.triggers.labels);
  const isUnlabelled = !ticket.labels.some((label) => triggers.includes(label));
  const commands = listCommands(ticket);
  const told = await listToldComments(
    database,
    commands.map(({ commentId }) => commentId),
  );
  const untold = commands.filter(({ commentId }) => !told.has(commentId));
  if (!isUnlabelled && untold.length === 0) return [];
  const changes = await tickets.readLabelChanges(ticket);
  const from = startOf(run, changes);
  const unlabelling = isUnlabelled ? findUnlabelling(ticket, changes, triggers, from) : null;
  return [
    ...untold
      .filter(({ at }) => at > from && at <= until)
      .map(({ commentId, event }) => ({ key: `comment:${commentId}`, event })),
    ...(unlabelling !== null && unlabelling.at <= until
      ? [{ key: `${ticket.id}:${unlabelling.changeId}:removed`, event: unlabelling.event }]
      : []),
  ];
}

/**
 * Takes a look, unless it is too early for one, and puts what was missed into the inbox.
 * @returns how much was missed; null when it was too early
 * @throws Retryable: nothing is forgotten, the next look sees as much
 */
export async function reconcileRuns(reconciler: RunReconciler): Promise<number | null> {
  const { database, inbox, site, log } = reconciler;
  if ((await takeLook(database, `runs:${site}`, reconciler.everyMs)) === null) return null;
  let count = 0;
  for (const run of await listWatched(database)) {
    for (const { key, event } of await listMissed(reconciler, run)) {
      const { duplicate } = await inbox.accept({
        sender: "jira",
        key: `jira:reconciled:${site}:${key}`,
        kind: "reconciled",
        body: JSON.stringify({ run: run.id, event }),
        parsed: { event },
      });
      if (duplicate) continue;
      count += 1;
      log.warn("a webhook of Jira was missed, what it tells was found on the ticket", {
        run: run.id,
        ticket: run.ticket,
        event: event.type,
      });
    }
  }
  return count;
}

/**
 * Finds labels that no webhook told of: Jira gives up after some five tries, and we may have been away for longer than that.
 * What is found goes through the inbox like everything else, so that who may start, what is ignored and why, and the
 * record of it are the same. A change that a webhook tells of after all starts nothing twice: see `causeOf`.
 */
import { messageOf, Permanent } from "../domain/errors.ts";
import type { TicketSearch } from "../domain/ports.ts";
import type { LabelledTicket } from "../domain/ticket.ts";
import type { Log } from "../platform/log.ts";
import type { Policy } from "../platform/policy.ts";
import { finishLook, takeLook } from "../store/looks.ts";
import type { Database } from "../store/queryable.ts";
import { hasRunSince, listTold } from "../store/told.ts";
import type { Inbox } from "./accept.ts";
import { type Labelling, listLabellings } from "./missed.ts";

const minuteMs = 60_000;

/** Jira's search lags behind, and its clock is not ours: what lies this far back is looked at again. */
const overlapMs = 15 * minuteMs;

/** After a long absence: what was labelled earlier than this is no longer waited for by anybody. */
const furthestMs = 7 * 24 * 60 * minuteMs;

/** Jira sends primary webhooks within 30 s (its own promise): what is younger may still be on its way. */
const usualGraceMs = minuteMs;

export interface Reconciler {
  readonly database: Database;
  readonly inbox: Inbox;
  readonly tickets: TicketSearch;
  readonly policy: Policy;
  /** Which Jira it is, as in the keys of its other deliveries. */
  readonly site: string;
  readonly log: Log;
  /** Pause between two looks. */
  readonly everyMs: number;
  /** How long a webhook is given to arrive, default one minute. */
  readonly graceMs?: number;
}

/** One search for all projects; when Jira refuses it, one for each, so that a project that is gone does not hide the others. */
async function search(reconciler: Reconciler, sinceMs: number): Promise<LabelledTicket[]> {
  const { tickets, policy, log } = reconciler;
  const projects = Object.keys(policy.projects);
  const rest = { labels: Object.keys(policy.triggers.labels), minutes: Math.ceil(sinceMs / minuteMs) };
  try {
    return await tickets.findLabelled({ projects, ...rest });
  } catch (error) {
    if (!(error instanceof Permanent) || projects.length < 2) throw error;
  }
  const found: LabelledTicket[] = [];
  for (const project of projects) {
    try {
      found.push(...(await tickets.findLabelled({ projects: [project], ...rest })));
    } catch (error) {
      if (!(error instanceof Permanent)) throw error;
      log.warn("a project cannot be searched for missed labels", { project, reason: messageOf(error) });
    }
  }
  return found;
}

/** The labellings of a ticket that fall into the time looked at and that nobody told us of. */
async function listMissed(reconciler: Reconciler, ticket: LabelledTicket, from: Date, to: Date): Promise<Labelling[]> {
  const { database, tickets, policy, log } = reconciler;
  const changes = await tickets.readLabelChanges(ticket).catch((error: unknown) => {
    if (!(error instanceof Permanent)) throw error;
    // Deleted since the search saw it, or moved where we may not look.
    log.info("changes of a ticket cannot be read", { ticket: ticket.key, reason: messageOf(error) });
    return null;
  });
  if (changes === null) return [];
  const recent = listLabellings(ticket, changes, Object.keys(policy.triggers.labels)).filter(
    ({ at }) => at >= from && at <= to,
  );
  const told = await listTold(
    database,
    recent.map(({ changeId }) => changeId),
  );
  const missed: Labelling[] = [];
  for (const labelling of recent) {
    if (told.has(labelling.changeId)) continue;
    // Somebody started the ticket by other means since.
    if (await hasRunSince(database, ticket.key, labelling.at)) continue;
    missed.push(labelling);
  }
  return missed;
}

/**
 * Takes a look, unless it is too early for one. Asks Jira for tickets that carry a trigger label and changed since the last
 * look, and puts what was missed into the inbox.
 * @returns how many labels were missed; null when it was too early
 * @throws Retryable, Permanent: nothing is forgotten, the next look begins where this one began
 */
export async function reconcileTickets(reconciler: Reconciler): Promise<number | null> {
  const { database, inbox, site, log } = reconciler;
  const name = `jira:${site}`;
  const look = await takeLook(database, name, reconciler.everyMs);
  if (look === null) return null;
  const now = look.takenAt.getTime();
  const from = Math.max((look.seenUntil?.getTime() ?? now) - overlapMs, now - furthestMs);
  const to = now - (reconciler.graceMs ?? usualGraceMs);
  let count = 0;
  for (const ticket of await search(reconciler, now - from)) {
    for (const { changeId, event } of await listMissed(reconciler, ticket, new Date(from), new Date(to))) {
      const { duplicate } = await inbox.accept({
        sender: "jira",
        key: `jira:reconciled:${site}:${ticket.id}:${changeId}`,
        kind: "reconciled",
        body: JSON.stringify({ ticket, event }),
        parsed: { event },
      });
      if (duplicate) continue;
      count += 1;
      log.warn("a webhook of Jira was missed, its label was found by a search", { ticket: ticket.key, changeId });
    }
  }
  await finishLook(database, name, new Date(to));
  return count;
}

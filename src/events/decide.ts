/** From committed delivery to verdict: gather the facts, route, and do what was decided in one transaction with the verdict. */

import { messageOf, Permanent, UserError } from "../domain/errors.ts";
import type { Event } from "../domain/event.ts";
import type { CodeReader, ReviewReader, TicketReader } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import type { Policy } from "../platform/policy.ts";
import type { Bell } from "../runs/queue.ts";
import { raiseBudget } from "../runs/raise.ts";
import { startRun } from "../runs/start.ts";
import type { Workflows } from "../runs/workflow.ts";
import { decideDelivery, listPending, lockPending } from "../store/deliveries.ts";
import type { Database, Queryable } from "../store/queryable.ts";
import { findActiveRun, findCausedRun, requestCancel } from "../store/runs.ts";
import { isCommentHandled } from "../store/told.ts";
import { carryOutStart, decideOnMergeRequest, type Outcome } from "./decide-merge-request.ts";
import { isOnMergeRequest, type MergeRequestDecision } from "./merge-request-facts.ts";
import { causeOf, type Decision, type Facts, type OnTicket, route } from "./route.ts";

export interface Clerk {
  readonly database: Database;
  readonly bell: Bell;
  readonly policy: Policy;
  readonly workflows: Workflows;
  readonly tickets: Pick<TicketReader, "readMembership" | "readTicket">;
  readonly code: Pick<CodeReader, "findMergeRequest"> & Pick<ReviewReader, "readPerson" | "isInGroup">;
  readonly self: Facts["self"];
  readonly log: Log;
}

async function decideOnTicket(clerk: Clerk, event: OnTicket): Promise<Decision> {
  if (event.type === "ticket.commented" && (await isCommentHandled(clerk.database, event.commentId))) {
    return { kind: "ignore", reason: "what this comment says was done already" };
  }
  const ticket = "ticket" in event ? event.ticket : null;
  const activeRun = ticket === null ? null : await findActiveRun(clerk.database, ticket);
  const cause = causeOf(event);
  const startedRun = cause === null ? null : await findCausedRun(clerk.database, cause);
  const facts: Facts = { self: clerk.self, activeRun, startedRun, membership: undefined };
  const decision = route(event, facts, clerk.policy);
  if (decision.kind !== "ask") return asTicketIsNow(clerk, event, decision);
  const membership = await clerk.tickets.readMembership(decision.account, decision.project);
  return asTicketIsNow(clerk, event, route(event, { ...facts, membership }, clerk.policy));
}

/** Messages overtake each other: what one says of a label counts only while the ticket says the same. */
async function asTicketIsNow(clerk: Clerk, event: OnTicket, decision: Decision): Promise<Decision> {
  if (decision.kind === "start") {
    const { ticket } = decision.target;
    if (await carriesTrigger(clerk, ticket)) return decision;
    return { kind: "ignore", reason: `${ticket} does not carry the label any more` };
  }
  if (decision.kind === "cancel" && event.type === "ticket.unlabelled") {
    const carries = await carriesTrigger(clerk, event.ticket).catch((error: unknown) => {
      // It cannot be read any more: so nobody can want its run.
      if (error instanceof Permanent) return false;
      throw error;
    });
    if (carries) return { kind: "ignore", reason: `${event.ticket} carries the label again` };
  }
  return decision;
}

async function carriesTrigger({ tickets, policy }: Clerk, ticket: string): Promise<boolean> {
  const { labels } = await tickets.readTicket(ticket);
  return Object.keys(policy.triggers.labels).some((label) => labels.includes(label));
}

/** Does what was decided. @returns the verdict's words and the run that must be rung */
async function carryOut(clerk: Clerk, tx: Queryable, decision: Decision): Promise<Outcome> {
  switch (decision.kind) {
    case "start": {
      const run = await startRun(tx, clerk.workflows, decision);
      if (run === null)
        return { verdict: "ignored", reason: `a run was started for ${decision.target.ticket} already` };
      return { verdict: "handled", reason: `started ${run.workflow}`, runId: run.id };
    }
    case "cancel":
      await requestCancel(tx, decision.runId, decision.reason);
      return { verdict: "handled", reason: `cancelled: ${decision.reason}`, runId: decision.runId };
    case "raise": {
      const raised = await raiseBudget(tx, decision);
      if ("refused" in raised) return { verdict: "ignored", reason: raised.refused };
      const reason = `raised by $${decision.usd}: ${raised.pots.join(", ")}`;
      return { verdict: "handled", reason, runId: decision.runId };
    }
    case "ignore":
      return { verdict: "ignored", reason: decision.reason };
    case "ask":
      throw new Error("a decision was asked for twice");
  }
}

/** Gathers the facts and decides. @returns what is to be done in the transaction of the verdict; null: not yet */
async function decide(clerk: Clerk, event: Event): Promise<((tx: Queryable) => Promise<Outcome>) | null> {
  try {
    if (!isOnMergeRequest(event)) {
      const decision = await decideOnTicket(clerk, event);
      return (tx) => carryOut(clerk, tx, decision);
    }
    const decision: MergeRequestDecision = await decideOnMergeRequest({ ...clerk, self: clerk.self.gitlab }, event);
    if (decision.kind === "later") return null;
    return (tx) => (decision.kind === "start" ? carryOutStart(clerk, tx, decision) : carryOut(clerk, tx, decision));
  } catch (error) {
    if (!(error instanceof Permanent || error instanceof UserError)) throw error;
    const reason = `could not be checked: ${messageOf(error)}`;
    return async () => ({ verdict: "ignored", reason });
  }
}

async function handle(clerk: Clerk, id: string, event: Event): Promise<void> {
  const act = await decide(clerk, event);
  if (act === null) return;
  const done = await clerk.database.transaction(async (tx) => {
    // Another process may have decided it meanwhile.
    if (!(await lockPending(tx, id))) return null;
    const result = await act(tx);
    await decideDelivery(tx, id, result);
    return result;
  });
  if (done === null) return;
  clerk.log.info("delivery decided", { delivery: id, verdict: done.verdict, reason: done.reason, run: done.runId });
  if (done.runId !== undefined) await clerk.bell.ring(done.runId, done.delayMs);
  for (const runId of done.ring ?? []) await clerk.bell.ring(runId);
}

/**
 * Gives every pending delivery its verdict, oldest first. A delivery whose facts cannot be read now (Jira is down) stays
 * pending for the next call. Calls while one is under way are joined into one more round.
 */
export function createDecider(clerk: Clerk): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;

  async function round(): Promise<void> {
    let after = "0";
    for (;;) {
      const batch = await listPending(clerk.database, after, 100);
      if (batch.length === 0) return;
      for (const { id, event } of batch) {
        after = id;
        await handle(clerk, id, event).catch((error: unknown) => {
          clerk.log.warn("delivery stays pending", { delivery: id, error });
        });
      }
    }
  }

  async function rounds(): Promise<void> {
    do {
      again = false;
      await round().catch((error: unknown) => clerk.log.warn("the inbox could not be read", { error }));
    } while (again);
  }

  return () => {
    again = true;
    running ??= rounds().finally(() => {
      running = undefined;
    });
    return running;
  };
}

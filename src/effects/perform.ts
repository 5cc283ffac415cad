/**
 * The only door out. Every write has a ledger row first; a row that is found `sent` may have happened, so every verb looks
 * its object up by marker before it writes (`ensure…`). One effect after the other, in the order of the plan.
 */
import type { Effect, Ensured, LedgerRow, Ref } from "../domain/effect.ts";
import { messageOf, Permanent, Retryable, UserError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { behindFence, passFence } from "../platform/fence.ts";
import { listUnsettled, markSent, noteFailure, settle, supersedeOlderStatuses } from "../store/ledger.ts";
import { LeaseLost } from "../store/runs.ts";
import { addProgress } from "../store/steps.ts";
import { ensureInConfluence } from "./confluence.ts";
import type { Door } from "./door.ts";
import { ensureInGitLab } from "./gitlab.ts";
import { ensureInJira } from "./jira.ts";
import { ensureOnMergeRequest } from "./merge-request.ts";
import { mendOvertaken } from "./overtaken.ts";

/** Sees to it that an effect is there. Throws as the writer's `ensure…` does. */
export function ensure(door: Door, effect: Effect): Promise<Ensured> {
  switch (effect.kind) {
    case "jira.status":
    case "jira.note":
    case "jira.transition":
    case "jira.labels":
    case "jira.remoteLink":
      return ensureInJira(door, effect);
    case "gitlab.branch":
    case "gitlab.mergeRequest":
      return ensureInGitLab(door, effect);
    case "gitlab.award":
    case "gitlab.note":
    case "gitlab.review":
    case "gitlab.resolve":
    case "gitlab.description":
    case "gitlab.ready":
    case "gitlab.merge":
    case "gitlab.retryJob":
      return ensureOnMergeRequest(door, effect);
    case "confluence.page":
      return ensureInConfluence(door, effect);
  }
}

const nowhere: Ref = { id: "dry-run", url: "" };

/** Undoes what a write of ours did too late. Nobody waits for it: what goes wrong is told in the log only. */
async function mend(door: Door, row: LedgerRow): Promise<void> {
  door.log.info("overtaken in the middle of a write, looking at what it left", { effect: row.key });
  const openFence = async (): Promise<void> => undefined;
  try {
    await behindFence(openFence, () => mendOvertaken(door.database, row, (effect) => ensure(door, effect)));
  } catch (error) {
    door.log.warn("what an overtaken write left could not be mended", { effect: row.key, error });
  }
}

/** One attempt. @throws LeaseLost when another worker took over before it came to its end, after what it left was mended */
async function write(door: Door, row: LedgerRow): Promise<Ensured> {
  const [result] = await Promise.allSettled([ensure(door, row.effect)]);
  try {
    await passFence();
  } catch (error) {
    if (error instanceof LeaseLost) await mend(door, row);
    throw error;
  }
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

async function performOne(door: Door, run: Run, row: LedgerRow): Promise<void> {
  const { database, log } = door;
  if (door.dryRun) {
    log.info("effect not performed: dry run", { run: run.id, effect: row.key, kind: row.effect.kind });
    await settle(database, row.key, { outcome: "dry_run", ref: nowhere });
    return;
  }
  await markSent(database, run, row.key);
  const ensured = await write(door, row);
  // Together, so that whoever watches is told of it once, whatever dies in between.
  await database.transaction(async (tx) => {
    if (!(await settle(tx, row.key, ensured))) return;
    const { step, name, effect } = row;
    const { outcome, ref } = ensured;
    await addProgress(tx, run.id, "effect", { step, name, kind: effect.kind, outcome, url: ref.url });
  });
  log.info("effect settled", { run: run.id, effect: row.key, outcome: ensured.outcome });
}

/** Whether the next row is a newer text for the comment that this row would write: then there is no need to write twice. */
function isOutdated({ effect }: LedgerRow, next: LedgerRow | undefined): boolean {
  return effect.kind === "jira.status" && next?.effect.kind === "jira.status" && next.effect.ticket === effect.ticket;
}

/**
 * Performs what a step planned and is not settled yet.
 * @throws Retryable when it must be tried again later, Permanent or UserError when it was refused for good
 *   (both noted on the row), LeaseLost when another worker took over: then nothing is noted
 */
export async function performEffects(door: Door, run: Run, step: string, signal: AbortSignal): Promise<void> {
  const rows = await listUnsettled(door.database, run.id, step);
  for (const [at, row] of rows.entries()) {
    if (isOutdated(row, rows[at + 1])) continue;
    signal.throwIfAborted();
    if (row.effect.kind === "jira.status") await supersedeOlderStatuses(door.database, row);
    try {
      await performOne(door, run, row);
    } catch (error) {
      const forGood = error instanceof Permanent || error instanceof UserError;
      if (forGood || error instanceof Retryable) {
        await noteFailure(door.database, run, row.key, messageOf(error), forGood);
      }
      throw error;
    }
  }
}

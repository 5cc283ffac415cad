/**
 * The only door out. Every write has a ledger row first; a row that is found `sent` may have happened, so every verb looks
 * its object up by marker before it writes (`ensure…`). One effect after the other, in the order of the plan.
 */
import type { Effect, Ensured, LedgerRow, Ref } from "../domain/effect.ts";
import { messageOf, Permanent, Retryable, UserError } from "../domain/errors.ts";
import type { BranchWriter, CodeWriter, PageWriter, TicketWriter } from "../domain/ports.ts";
import type { Run } from "../domain/run.ts";
import type { Log } from "../platform/log.ts";
import type { Database } from "../store/database.ts";
import { listUnsettled, markSent, noteFailure, settle } from "../store/ledger.ts";
import { addProgress } from "../store/steps.ts";
import { ensureInConfluence } from "./confluence.ts";
import { ensureInGitLab } from "./gitlab.ts";
import { ensureInJira } from "./jira.ts";

export interface Writers {
  readonly tickets: TicketWriter;
  readonly code: CodeWriter;
  readonly branches: BranchWriter;
  readonly pages: PageWriter | null;
}

export interface Door {
  readonly database: Database;
  readonly writers: Writers;
  /** Hosts that outgoing bodies may link to or show images from. */
  readonly allowedHosts: readonly string[];
  /** Settle everything without calling anybody. */
  readonly dryRun: boolean;
  readonly log: Log;
}

function ensure(door: Door, effect: Effect): Promise<Ensured> {
  switch (effect.kind) {
    case "jira.status":
    case "jira.transition":
    case "jira.labels":
    case "jira.remoteLink":
      return ensureInJira(door, effect);
    case "gitlab.branch":
    case "gitlab.mergeRequest":
      return ensureInGitLab(door, effect);
    case "confluence.page":
      return ensureInConfluence(door, effect);
  }
}

const nowhere: Ref = { id: "dry-run", url: "" };

async function performOne(door: Door, run: Run, row: LedgerRow): Promise<void> {
  const { database, log } = door;
  if (door.dryRun) {
    log.info("effect not performed: dry run", { run: run.id, effect: row.key, kind: row.effect.kind });
    return settle(database, row.key, { outcome: "dry_run", ref: nowhere });
  }
  await markSent(database, run, row.key);
  const ensured = await ensure(door, row.effect);
  await settle(database, row.key, ensured);
  log.info("effect settled", { run: run.id, effect: row.key, outcome: ensured.outcome });
  await addProgress(database, run.id, "effect", {
    step: row.step,
    name: row.name,
    kind: row.effect.kind,
    outcome: ensured.outcome,
    url: ensured.ref.url,
  });
}

/**
 * Performs what a step planned and is not settled yet.
 * @throws Retryable when it must be tried again later, Permanent or UserError when it was refused for good
 *   (both noted on the row), LeaseLost when another worker took over
 */
export async function performEffects(door: Door, run: Run, step: string, signal: AbortSignal): Promise<void> {
  for (const row of await listUnsettled(door.database, run.id, step)) {
    signal.throwIfAborted();
    try {
      await performOne(door, run, row);
    } catch (error) {
      const forGood = error instanceof Permanent || error instanceof UserError;
      if (forGood || error instanceof Retryable) {
        await noteFailure(door.database, row.key, messageOf(error), forGood);
      }
      throw error;
    }
  }
}

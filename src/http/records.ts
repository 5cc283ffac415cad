/** What API and dashboard read: rows of the store with every known secret taken out, wherever an agent may have put it. */
import type { LedgerRow } from "../domain/effect.ts";
import type { Run } from "../domain/run.ts";
import { redactDeep } from "../platform/redact.ts";
import { type DeliveryRow, listDeliveries } from "../store/deliveries.ts";
import { listEffects } from "../store/ledger.ts";
import type { Database } from "../store/queryable.ts";
import { findRun, listRuns } from "../store/runs.ts";
import { listProgress, listSteps, listTurns, type ProgressRow, type StepRow, type TurnRow } from "../store/steps.ts";

export interface RunRecord {
  readonly run: Run;
  readonly steps: readonly StepRow[];
  readonly effects: readonly LedgerRow[];
}

/** The newest runs, newest first. */
export async function readRuns(database: Database, limit: number): Promise<Run[]> {
  return redactDeep(await listRuns(database, limit));
}

/** One run with its steps and its ledger, or null. */
export async function readRun(database: Database, id: string): Promise<RunRecord | null> {
  const run = await findRun(database, id);
  if (run === null) return null;
  const [steps, effects] = await Promise.all([listSteps(database, id), listEffects(database, id)]);
  return redactDeep({ run, steps, effects });
}

/** The model calls of a run, oldest first; null when there is no such run. */
export async function readTurns(database: Database, id: string): Promise<TurnRow[] | null> {
  if ((await findRun(database, id)) === null) return null;
  return redactDeep(await listTurns(database, id));
}

/** All progress of a run after an id, oldest first. */
export async function readProgress(database: Database, id: string, afterId: string): Promise<ProgressRow[]> {
  const rows: ProgressRow[] = [];
  for (;;) {
    const page = await listProgress(database, id, rows.at(-1)?.id ?? afterId);
    rows.push(...page);
    if (page.length === 0) return redactDeep(rows);
  }
}

/** The newest deliveries, newest first. */
export async function readDeliveries(database: Database, limit: number): Promise<DeliveryRow[]> {
  return redactDeep(await listDeliveries(database, limit));
}

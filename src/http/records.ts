/** What API and dashboard read: rows of the store with every known secret taken out, wherever an agent may have put it. */
import { limitOf, type Pot } from "../domain/budget.ts";
import type { LedgerRow } from "../domain/effect.ts";
import type { Run } from "../domain/run.ts";
import type { Policy } from "../platform/policy.ts";
import { redactDeep } from "../platform/redact.ts";
import { limitsOf } from "../runs/budget.ts";
import { type DeliveryRow, listDeliveries } from "../store/deliveries.ts";
import { listEffects } from "../store/ledger.ts";
import { listOpenPots } from "../store/pots.ts";
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

/** A pot of the budget with its limits, raises included; null where there is none. */
export interface BudgetRecord extends Omit<Pot, "opensInMs"> {
  /** The run, ticket or project; empty for the whole. */
  readonly subject: string;
  /** Its day or month in UTC, e.g. `2026-03-31`; null for a run and a ticket. */
  readonly period: string | null;
  readonly limits: { readonly usd: number; readonly tokens: number | null; readonly turns: number | null };
}

/** The pots of this month, of today's projects, and of runs that have not ended, largest kind first. */
export async function readBudgets(
  database: Database,
  { budgets, projects }: Pick<Policy, "budgets" | "projects">,
): Promise<BudgetRecord[]> {
  const tree = limitsOf(budgets);
  const pots = await listOpenPots(database, Object.keys(projects));
  return redactDeep(
    pots.map(({ opensInMs: _opens, ...pot }) => {
      const [, first = "", second = null] = pot.name.split(" ");
      const limits = tree[pot.kind];
      const limit = (measure: "tokens" | "turns") =>
        limits[measure] === undefined ? null : limitOf(limits, pot.raisedUsd, measure);
      return {
        ...pot,
        subject: pot.kind === "total" ? "" : first,
        period: pot.kind === "total" ? first : second,
        limits: { usd: limitOf(limits, pot.raisedUsd, "usd"), tokens: limit("tokens"), turns: limit("turns") },
      };
    }),
  );
}

/** Somebody allows a run to spend more. */
import { isEnd } from "../domain/run.ts";
import { raisePots, readPotsOf } from "../store/pots.ts";
import type { Queryable } from "../store/queryable.ts";
import { lockRun, resumeRun } from "../store/runs.ts";
import { addProgress } from "../store/steps.ts";

export interface Raise {
  readonly runId: string;
  readonly usd: number;
  /** Stable id of who allows it. */
  readonly by: string;
  /** Names for ever what asked for it: the same cause raises once. */
  readonly cause: string;
}

/**
 * Raises the limits that the run waits at and lets it go on; while it does not wait, its own and its ticket's. In the caller's
 * transaction; ring the bell after the commit.
 * @returns the names of the raised pots, or why none was raised
 */
export async function raiseBudget(
  tx: Queryable,
  { runId, usd, by, cause }: Raise,
): Promise<{ readonly pots: readonly string[] } | { readonly refused: string }> {
  const run = await lockRun(tx, runId);
  if (run === null || isEnd(run.state)) return { refused: `run ${runId} has ended` };
  const waitsFor = run.state === "waiting" ? run.waitingFor?.pots : undefined;
  const own = async () => (await readPotsOf(tx, run)).filter(({ kind }) => kind === "run" || kind === "ticket");
  const pots = waitsFor ?? (await own()).map(({ name }) => name);
  if (!(await raisePots(tx, pots, { cause, usd, by })))
    return { refused: "this comment has raised the budget already" };
  if (waitsFor !== undefined) await resumeRun(tx, runId);
  await addProgress(tx, runId, "budget.raised", { usd, pots, by });
  return { pots };
}

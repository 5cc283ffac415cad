/**
 * A run waits for an outside system: its ticket is told once, and once more when it goes on. What was told is a step of its own
 * (`away-N`), `produced` while the ticket says so and `done` when it says otherwise, so that whoever comes after a crash knows.
 */
import { z } from "zod";
import { LockedOut, Permanent, Retryable, type SystemAway, UserError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { performEffects } from "../effects/perform.ts";
import { awayEffects } from "../steps/away.ts";
import { resumingEffects } from "../steps/park.ts";
import { listEffects, listUnsettled, planEffects } from "../store/ledger.ts";
import { holdLease, LeaseLost } from "../store/runs.ts";
import { finishStep, listSteps, produceStep, type StepRow, startStep } from "../store/steps.ts";
import { announce } from "./announce.ts";
import { createContext } from "./context.ts";
import type { Engine } from "./engine.ts";
import { longestUsualPause } from "./pauses.ts";

/** Where tickets are, by the name of its breaker: while that is away, they cannot be told. */
const tracker = "Jira";

/** Who the ticket says is waited for, and why. */
const Told = z.object({ system: z.string(), lockedOut: z.boolean() });

/** The step that told the ticket of an outage which, as far as the ticket says, lasts. Undefined when there is none. */
export function findAway(rows: readonly StepRow[]): StepRow | undefined {
  return rows.findLast(({ step, state }) => step.startsWith("away-") && state === "produced");
}

/** The ticket says it already, or need not: a token has to be renewed by somebody, so it is told at once, an outage often passes. */
function isNews(engine: Engine, away: SystemAway, awayMs: number, told: z.infer<typeof Told> | null): boolean {
  const lockedOut = away instanceof LockedOut;
  if (told?.system === away.system && told.lockedOut === lockedOut) return false;
  return lockedOut || awayMs >= longestUsualPause(engine.retryBaseMs);
}

async function planTelling(engine: Engine, run: Run, away: SystemAway, told: StepRow | undefined): Promise<string> {
  const { database, services, stopping: signal, log } = engine;
  const context = await createContext({ database, run, services, signal, log });
  const step = `away-${run.epoch}`;
  const output: z.infer<typeof Told> = { system: away.system, lockedOut: away instanceof LockedOut };
  await database.transaction(async (tx) => {
    await holdLease(tx, run);
    if (told !== undefined) await finishStep(tx, run.id, told.step);
    await startStep(tx, run.id, step);
    await produceStep(tx, run.id, step, { output, next: null });
    await planEffects(tx, run, step, awayEffects(context, away));
  });
  return step;
}

/**
 * Tells the ticket that its run waits for a system, once, when that is worth telling. A ticket that cannot be told now is told at the
 * next try: the run waits all the same.
 * @param awayMs how long the run has been waiting
 * @throws LeaseLost
 */
export async function tellAway(engine: Engine, run: Run, away: SystemAway, awayMs: number): Promise<void> {
  if (away.system === tracker) return;
  const { database, door, stopping, log } = engine;
  const told = findAway(await listSteps(database, run.id));
  let step = told?.step;
  if (isNews(engine, away, awayMs, told === undefined ? null : Told.parse(told.output))) {
    // A newer status of the ticket settles the older ones: what the step itself has to say must not be lost.
    const waiting = await listUnsettled(database, run.id, run.step);
    if (waiting.some(({ effect }) => effect.kind === "jira.status")) return;
    step = await planTelling(engine, run, away, told);
  }
  if (step === undefined) return;
  try {
    await performEffects(door, run, step, stopping);
  } catch (error) {
    const known = error instanceof Retryable || error instanceof Permanent || error instanceof UserError;
    if (error instanceof LeaseLost || !(known || stopping.aborted)) throw error;
    log.info("the ticket could not be told what its run waits for", { run: run.id, error });
  }
}

/**
 * Tells the ticket that its run goes on, unless it has said something newer since.
 * @param away the step that told of the wait, see `findAway`
 * @throws as `performEffects`
 */
export async function tellBack(engine: Engine, run: Run, away: string, signal: AbortSignal): Promise<void> {
  const { database, services, log } = engine;
  const over = `${away}-over`;
  const statuses = (await listEffects(database, run.id)).filter(({ effect }) => effect.kind === "jira.status");
  const last = statuses.at(-1)?.step;
  if (last === away || last === over) {
    const draft = async () => resumingEffects(await createContext({ database, run, services, signal, log }));
    await announce(engine, run, over, draft, signal);
  }
  await finishStep(database, run.id, away);
}

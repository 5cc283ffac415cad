/**
 * How a run leaves its worker before its step is done: it ends, or it parks at a limit of the budget. What the ticket is to hear is
 * committed first, as a step of its own (`close-N`, `park-N`), so that whoever comes after a crash finishes it.
 */
import { z } from "zod";
import { type CallEstimate, type Shortage, shortagesOf } from "../domain/budget.ts";
import type { EffectDraft } from "../domain/effect.ts";
import { type PotEmpty, Retryable, SystemAway } from "../domain/errors.ts";
import type { EndState, Gate, Run } from "../domain/run.ts";
import { performEffects } from "../effects/perform.ts";
import { redact } from "../platform/redact.ts";
import { shortageWords } from "../steps/budget-words.ts";
import { closingEffects } from "../steps/close.ts";
import { parkingEffects } from "../steps/park.ts";
import { Next, type StepContext } from "../steps/step.ts";
import { planEffects } from "../store/ledger.ts";
import { readPotsOf } from "../store/pots.ts";
import type { Queryable } from "../store/queryable.ts";
import { handOver, holdLease, LeaseLost, lockRun, readPauses } from "../store/runs.ts";
import { addProgress, finishStep, produceStep, type StepRow, startStep } from "../store/steps.ts";
import { limitsOf } from "./budget.ts";
import { createContext } from "./context.ts";
import type { Engine } from "./engine.ts";
import { pauseFor } from "./pauses.ts";

const dayMs = 24 * 3_600_000;

/** When a pot is looked at again that is full of calls under way only. */
const lookAgainMs = 60_000;

const Parked = z.object({ call: z.object({ usd: z.number(), tokens: z.number(), minutes: z.number() }) });

type Leaving = Pick<StepRow, "step" | "output" | "next">;

/** A leaving that was decided and not finished, or undefined. */
export function findLeaving(rows: readonly StepRow[]): Leaving | undefined {
  return rows.find((row) => /^(?:close|park)-/.test(row.step) && row.state === "produced");
}

/** The last time that the run parked, or undefined: people who look at the ticket believe that it waits. */
export function lastParking(rows: readonly StepRow[]): string | undefined {
  return rows.findLast((row) => row.step.startsWith("park-"))?.step;
}

function contextOf({ database, services, stopping: signal, log }: Engine, run: Run): Promise<StepContext> {
  return createContext({ database, run, services, signal, log });
}

/** Commits how a run leaves, with what people are to hear of it, and does so. */
async function leave(engine: Engine, run: Run, leaving: Leaving, effects: readonly EffectDraft[]): Promise<void> {
  await engine.database.transaction(async (tx) => {
    await holdLease(tx, run);
    await startStep(tx, run.id, leaving.step);
    await produceStep(tx, run.id, leaving.step, leaving);
    await planEffects(tx, run, leaving.step, effects);
  });
  await finishLeaving(engine, run, leaving, engine.stopping);
}

/** Decides the end, commits it with the ticket's last comment, and performs that. */
export async function close(engine: Engine, run: Run, state: EndState, reason: string): Promise<void> {
  const leaving: Leaving = {
    step: `close-${run.epoch}`,
    output: { at: run.step },
    next: { kind: "end", state, reason } satisfies Next,
  };
  await leave(engine, run, leaving, closingEffects(await contextOf(engine, run), state, reason));
}

/** Puts the run to rest at a limit, at the step that was under way, and asks on the ticket for more. */
export async function park(engine: Engine, run: Run, { shortages, call }: PotEmpty): Promise<void> {
  const { gate } = gateAt(engine, shortages);
  const leaving: Leaving = {
    step: `park-${run.epoch}`,
    output: { at: run.step, call },
    next: { kind: "wait", gate } satisfies Next,
  };
  await leave(engine, run, leaving, parkingEffects(await contextOf(engine, run), shortages, gate));
}

/** Milliseconds until there is room by itself; Infinity where somebody has to make it. */
function roomInMs({ passing, opensInMs, needed, limit }: Shortage): number {
  if (passing) return lookAgainMs;
  return needed > limit ? Number.POSITIVE_INFINITY : (opensInMs ?? Number.POSITIVE_INFINITY);
}

/** The gate at a limit, and how long it stays shut when nobody does anything. */
function gateAt(engine: Engine, shortages: readonly Shortage[]): { gate: Gate; delayMs: number } {
  const patienceMs = engine.services.policy.budgets.patienceDays * dayMs;
  const opensInMs = Math.max(...shortages.map(roomInMs));
  const gate: Gate = {
    kind: "person",
    reason: shortages.map(shortageWords).join(" "),
    pots: [...new Set(shortages.map(({ pot }) => pot))],
    afterwards: opensInMs <= patienceMs ? "resume" : "end",
  };
  return { gate, delayMs: Math.min(opensInMs, patienceMs) };
}

/**
 * Tells the ticket and hands the run over.
 * @throws LeaseLost, and the signal's reason when it goes off while the ticket is told
 */
export async function finishLeaving(engine: Engine, run: Run, leaving: Leaving, signal: AbortSignal): Promise<void> {
  const next = Next.parse(leaving.next);
  if (next.kind === "continue") throw new Error(`step ${leaving.step} does not leave the worker`);
  const reason = next.kind === "end" ? next.reason : next.gate.reason;
  if (!(await tell(engine, run, leaving.step, reason, signal))) return;
  const goesOn = await engine.database.transaction(async (tx) => {
    await finishStep(tx, run.id, leaving.step);
    if (next.kind === "wait") return rest(engine, tx, run, Parked.parse(leaving.output).call);
    await handOver(tx, run, { state: next.state, reason, progressed: true });
    await addProgress(tx, run.id, "run.ended", { state: next.state, reason, step: run.step });
    return false;
  });
  if (goesOn) await engine.bell.ring(run.id);
}

/** Performs the last effects. False when that has to be tried again later; the run is put back then. */
async function tell(engine: Engine, run: Run, step: string, reason: string, signal: AbortSignal): Promise<boolean> {
  const { database } = engine;
  try {
    await performEffects(engine.door, run, step, signal);
  } catch (error) {
    if (error instanceof LeaseLost || signal.aborted) throw error;
    const delayMs = error instanceof Retryable ? pauseFor(engine, error, await readPauses(database, run.id)) : null;
    if (delayMs !== null) {
      const cause = error instanceof SystemAway ? "away" : "fault";
      await handOver(database, run, { state: "queued", reason, delayMs, cause });
      await engine.bell.ring(run.id, delayMs);
      return false;
    }
    // The ticket cannot be told (gone, or forbidden): the run leaves all the same, and the log and the dashboard say why.
    engine.log.warn("the ticket could not be told that its run stopped", { run: run.id, error });
  }
  return true;
}

/** Lets the run wait, unless somebody raised the limit or asked to stop while the ticket was being told. @returns whether it goes on */
async function rest(engine: Engine, tx: Queryable, run: Run, call: CallEstimate): Promise<boolean> {
  const now = await lockRun(tx, run.id);
  const limits = limitsOf(engine.services.policy.budgets);
  const shortages = shortagesOf(limits, await readPotsOf(tx, run), call);
  if (shortages.length === 0 || now?.cancelRequested === true) {
    await handOver(tx, run, { state: "queued", progressed: true });
    return true;
  }
  const { gate, delayMs } = gateAt(engine, shortages);
  await handOver(tx, run, { state: "waiting", waitingFor: gate, reason: gate.reason, delayMs, progressed: true });
  await addProgress(tx, run.id, "run.waiting", { step: run.step, reason: redact(gate.reason) });
  return false;
}

/**
 * One ring of the bell: take the lease, do one step, commit what it returned, perform its effects, hand the run on.
 * The only catch of the flow: here every failure becomes a state of the run, and a comment on the ticket where it stops.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LockedOut, messageOf, OverBudget, Permanent, Retryable, UserError } from "../domain/errors.ts";
import type { EndState, Run } from "../domain/run.ts";
import type { Door } from "../effects/door.ts";
import { performEffects } from "../effects/perform.ts";
import { behindFence } from "../platform/fence.ts";
import type { Log } from "../platform/log.ts";
import { redact } from "../platform/redact.ts";
import { closingEffects } from "../steps/close.ts";
import { Next, type Services, type Step, type StepContext } from "../steps/step.ts";
import { listEffects, planEffects } from "../store/ledger.ts";
import type { Database } from "../store/queryable.ts";
import { handOver, holdLease, LeaseLost, type Pauses, readPauses } from "../store/runs.ts";
import { addProgress, finishStep, listSteps, produceStep, startStep } from "../store/steps.ts";
import { createContext } from "./context.ts";
import { keepLease, momentNow } from "./lease.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Bell } from "./queue.ts";
import { stepAfter, type Workflows } from "./workflow.ts";

export interface Engine {
  readonly database: Database;
  readonly bell: Bell;
  readonly workflows: Workflows;
  readonly services: Services;
  readonly door: Door;
  readonly log: Log;
  /** Aborted when the process is to stop: runs are handed back at once. */
  readonly stopping: AbortSignal;
  /** How long a lease lasts without being renewed. */
  readonly leaseMs: number;
  /** First pause after a passing fault, milliseconds; the longest is 150 times that. Default 2 s. */
  readonly retryBaseMs?: number;
  /** Where runs go that may be what brings workers down. */
  readonly quarantine: Quarantine;
}

/** A run that was started this often without finishing a step brings its worker down: it is parked. */
const maxStarts = 5;

/** Passing faults in a row before the run gives up; with the pauses below that is about an hour. */
const maxTries = 15;

/** How long a run waits for somebody to renew a token. */
const lockedOutPatienceMs = 24 * 3_600_000;

/** How long a worker waits for the database in order to say how its work went. */
const outagePatienceMs = 60_000;

/** No system means it when it asks for a longer pause. */
const longestPauseMs = 24 * 3_600_000;

class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** Pause before the next try: what the other side asked for, else doubling from `baseMs` (2 s) to 150 times that (5 min), spread by a third. */
export function retryDelay(tries: number, afterMs: number | undefined, baseMs = 2000): number {
  const doubling = Math.min(baseMs * 2 ** tries, baseMs * 150);
  return Math.round(Math.max(Math.min(afterMs ?? 0, longestPauseMs), doubling) * (1 + Math.random() / 3));
}

/** Milliseconds until the run tries again, or null when it has tried or waited long enough. */
function pauseFor(engine: Engine, error: Retryable, { tries, lockedOutMs }: Pauses): number | null {
  const isPatient = error instanceof LockedOut ? lockedOutMs < lockedOutPatienceMs : tries < maxTries;
  return isPatient ? retryDelay(tries, error.afterMs, engine.retryBaseMs) : null;
}

/** Advances a run by one step. Safe to call at any time and as often as one likes. Never throws for what a run does. */
export async function advance(engine: Engine, runId: string): Promise<void> {
  const { database, leaseMs, log } = engine;
  const since = momentNow();
  const run = await engine.quarantine.claim(database, runId, leaseMs);
  if (run === null) return;
  const lease = keepLease({ database, run, leaseMs, since, cancelled: (reason) => new Cancelled(reason), log });
  const signal = AbortSignal.any([lease.signal, engine.stopping]);
  try {
    await behindFence(lease.confirm, async () => {
      await work(engine, run, signal).catch((error: unknown) =>
        landOnceThere(engine, () => landFailure(engine, run, signal.aborted ? signal.reason : error)),
      );
    });
  } catch (error) {
    if (error instanceof LeaseLost) log.info("lease went to another worker", { run: run.id, step: run.step });
    // The lease runs out by itself and the sweeper rings again: nothing is lost.
    else log.warn("a failure could not be recorded", { run: run.id, error });
  } finally {
    lease.end();
    engine.quarantine.leave(run);
    await engine.services.workspaces.remove(run.id).catch((error: unknown) => {
      log.warn("workspace could not be removed", { run: run.id, error });
    });
  }
}

async function work(engine: Engine, run: Run, signal: AbortSignal): Promise<void> {
  const { database, door } = engine;
  const rows = await listSteps(database, run.id);
  const closing = rows.find((row) => row.step.startsWith("close-") && row.state === "produced");
  if (closing !== undefined) return finishClosing(engine, run, closing.step, Next.parse(closing.next), signal);
  if (run.cancelRequested) throw new Cancelled(run.reason ?? "a person asked to stop");
  if (run.starts > maxStarts) {
    throw new UserError(
      `Step "${run.step}" brought the worker down ${maxStarts} times in a row, so I stopped. The log of that time says more.`,
    );
  }
  const step = currentStep(engine, run);
  const row = rows.find((candidate) => candidate.step === step.name);
  let next: Next;
  if (row === undefined || row.state === "started") {
    const log: Log = withFields(engine.log, { run: run.id, ticket: run.target.ticket, step: step.name });
    const context = await createContext({ database, run, services: engine.services, signal, log });
    next = await produce(engine, run, step, context);
  } else {
    next = Next.parse(row.next);
  }
  await performEffects(door, run, step.name, signal);
  await moveOn(engine, run, step, next);
}

function currentStep(engine: Engine, run: Run): Step {
  const step = engine.workflows.get(run.workflow)?.steps.find((candidate) => candidate.name === run.step);
  if (step === undefined) throw new Permanent(`workflow "${run.workflow}" has no step "${run.step}" any more`);
  return step;
}

/** Executes the step and commits what it returned, together with its planned effects. */
async function produce(engine: Engine, run: Run, step: Step, context: StepContext): Promise<Next> {
  const { database, door } = engine;
  await startStep(database, run.id, step.name);
  await addProgress(database, run.id, "step.started", { step: step.name });
  if (step.announce !== undefined) {
    const planned = await listEffects(database, run.id);
    // Planned by an earlier start of this step: what was announced then still holds.
    if (!planned.some((row) => row.step === step.name)) {
      const drafts = await step.announce(context);
      await database.transaction(async (tx) => {
        await holdLease(tx, run);
        await planEffects(tx, run, step.name, drafts);
      });
    }
    await performEffects(door, run, step.name, context.signal);
  }
  const result = await step.execute(context);
  context.signal.throwIfAborted();
  await database.transaction(async (tx) => {
    await holdLease(tx, run);
    await produceStep(tx, run.id, step.name, result);
    await planEffects(tx, run, step.name, result.effects);
  });
  return result.next;
}

/** The step is done: hand the run to its next step, to a gate, or to its end. */
async function moveOn(engine: Engine, run: Run, step: Step, next: Next): Promise<void> {
  const { database } = engine;
  const workflow = engine.workflows.get(run.workflow);
  const following = workflow === undefined ? null : stepAfter(workflow, step.name);
  await database.transaction(async (tx) => {
    await finishStep(tx, run.id, step.name);
    if (next.kind === "end" || following === null) {
      const end: EndState = next.kind === "end" ? next.state : "done";
      await handOver(tx, run, { state: end, reason: next.kind === "end" ? next.reason : null, progressed: true });
    } else if (next.kind === "wait") {
      await handOver(tx, run, {
        state: "waiting",
        step: following.name,
        waitingFor: next.gate,
        reason: next.gate.reason,
        progressed: true,
      });
    } else {
      await handOver(tx, run, { state: "queued", step: following.name, progressed: true });
    }
    await addProgress(tx, run.id, "step.done", { step: step.name });
    if (next.kind === "end" || following === null) {
      await addProgress(tx, run.id, "run.ended", {
        state: next.kind === "end" ? next.state : "done",
        reason: next.kind === "end" ? next.reason : "",
      });
    }
  });
  if (next.kind === "continue" && following !== null) await engine.bell.ring(run.id);
}

/**
 * Records a failure, waiting for a database that is away. While it is, nobody can take the run over, and our heartbeat is the first
 * to renew the lease when it is back: so an outage is not counted as a death of this worker.
 */
async function landOnceThere(engine: Engine, land: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + outagePatienceMs; ; ) {
    try {
      return await land();
    } catch (error) {
      const isAway = error instanceof Retryable && !engine.stopping.aborted && performance.now() < deadline;
      if (!isAway) throw error;
      await sleep(250, undefined, { signal: engine.stopping }).catch(() => {});
    }
  }
}

/** Turns whatever was thrown into the run's next state. */
async function landFailure(engine: Engine, run: Run, error: unknown): Promise<void> {
  const { database, log } = engine;
  if (error instanceof LeaseLost) throw error;
  const about = { run: run.id, ticket: run.target.ticket, step: run.step };
  if (engine.stopping.aborted && error === engine.stopping.reason) {
    await handOver(database, run, { state: "queued" });
    return log.info("run handed back: the process stops", about);
  }
  const delayMs = error instanceof Retryable ? pauseFor(engine, error, await readPauses(database, run.id)) : null;
  if (error instanceof Retryable && delayMs !== null) {
    const lockedOut = error instanceof LockedOut;
    await handOver(database, run, { state: "queued", reason: error.message, delayMs, lockedOut });
    await addProgress(database, run.id, "run.retry", { step: run.step, reason: error.message, delayMs });
    log.info("step will be tried again", { ...about, reason: error.message, delayMs });
    return engine.bell.ring(run.id, delayMs);
  }
  const [state, reason] = endOf(error);
  if (state === "failed" && !(error instanceof Permanent) && !(error instanceof Retryable)) {
    log.error("step failed because of a bug", { ...about, error });
  } else log.info("run stops", { ...about, state, reason });
  await close(engine, run, state, redact(reason));
}

function endOf(error: unknown): [EndState, string] {
  if (error instanceof Cancelled) return ["cancelled", error.message];
  if (error instanceof OverBudget) return ["over_budget", error.message];
  if (error instanceof UserError) return ["needs_human", error.message];
  if (error instanceof Permanent) return ["failed", error.message];
  if (error instanceof LockedOut) return ["failed", `${error.message} (nobody did so for a day)`];
  if (error instanceof Retryable) return ["failed", `${error.message} (given up after ${maxTries} tries)`];
  return ["failed", `an error inside Ticketsmith: ${messageOf(error)}`];
}

/** Decides the end, commits it with the ticket's last comment, and performs that. Survives a crash at any point. */
async function close(engine: Engine, run: Run, state: EndState, reason: string): Promise<void> {
  const { database } = engine;
  const step = `close-${run.epoch}`;
  const next: Next = { kind: "end", state, reason };
  const { services, stopping: signal, log } = engine;
  const context = await createContext({ database, run, services, signal, log });
  await database.transaction(async (tx) => {
    await holdLease(tx, run);
    await startStep(tx, run.id, step);
    await produceStep(tx, run.id, step, { output: { at: run.step }, next });
    await planEffects(tx, run, step, closingEffects(context, state, reason));
  });
  await finishClosing(engine, run, step, next, engine.stopping);
}

async function finishClosing(engine: Engine, run: Run, step: string, next: Next, signal: AbortSignal): Promise<void> {
  if (next.kind !== "end") throw new Error(`step ${step} does not end the run`);
  const { database } = engine;
  try {
    await performEffects(engine.door, run, step, signal);
  } catch (error) {
    if (error instanceof LeaseLost || signal.aborted) throw error;
    const delayMs = error instanceof Retryable ? pauseFor(engine, error, await readPauses(database, run.id)) : null;
    if (delayMs !== null) {
      const lockedOut = error instanceof LockedOut;
      await handOver(database, run, { state: "queued", reason: next.reason, delayMs, lockedOut });
      return engine.bell.ring(run.id, delayMs);
    }
    // The ticket cannot be told (gone, or forbidden): the run ends all the same, and the log and the dashboard say why.
    engine.log.warn("the ticket could not be told that its run ended", { run: run.id, error });
  }
  await database.transaction(async (tx) => {
    await finishStep(tx, run.id, step);
    await handOver(tx, run, { state: next.state, reason: next.reason, progressed: true });
    await addProgress(tx, run.id, "run.ended", { state: next.state, reason: next.reason, step: run.step });
  });
}

function withFields(log: Log, fields: Readonly<Record<string, unknown>>): Log {
  return {
    error: (message, more) => log.error(message, { ...fields, ...more }),
    warn: (message, more) => log.warn(message, { ...fields, ...more }),
    info: (message, more) => log.info(message, { ...fields, ...more }),
    debug: (message, more) => log.debug(message, { ...fields, ...more }),
  };
}

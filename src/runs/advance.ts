/**
 * One ring of the bell: take the lease, do one step, commit what it returned, perform its effects, hand the run on.
 * The only catch of the flow: here every failure becomes a state of the run, and a comment on the ticket where it stops.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  LockedOut,
  messageOf,
  OverBudget,
  Permanent,
  PotEmpty,
  Retryable,
  SystemAway,
  UserError,
} from "../domain/errors.ts";
import type { EndState, Run } from "../domain/run.ts";
import { performEffects } from "../effects/perform.ts";
import { behindFence } from "../platform/fence.ts";
import type { Log } from "../platform/log.ts";
import { redact } from "../platform/redact.ts";
import { resumingEffects } from "../steps/park.ts";
import { Next, type Step, type StepContext } from "../steps/step.ts";
import { planEffects } from "../store/ledger.ts";
import { releaseReservations } from "../store/pots.ts";
import { handOver, holdLease, LeaseLost, readPauses } from "../store/runs.ts";
import { addProgress, finishStep, listSteps, produceStep, startStep } from "../store/steps.ts";
import { announce } from "./announce.ts";
import { findAway, tellAway, tellBack } from "./away.ts";
import { createContext } from "./context.ts";
import type { Engine } from "./engine.ts";
import { keepLease, momentNow } from "./lease.ts";
import { close, findLeaving, finishLeaving, lastParking, park } from "./leave.ts";
import { maxTries, pauseFor } from "./pauses.ts";
import { stepAfter } from "./workflow.ts";

/** A run that was started this often without finishing a step brings its worker down: it is parked. */
const maxStarts = 5;

/** How long a worker waits for the database in order to say how its work went. */
const outagePatienceMs = 60_000;

class Cancelled extends Error {
  override readonly name = "Cancelled";
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
  // A worker that died may have left some.
  await releaseReservations(database, run.id);
  const rows = await listSteps(database, run.id);
  const leaving = findLeaving(rows);
  if (leaving !== undefined) return finishLeaving(engine, run, leaving, signal);
  if (run.cancelRequested) throw new Cancelled(run.reason ?? "a person asked to stop");
  if (run.waitingFor !== null) throw new OverBudget(`${run.waitingFor.reason} Nobody raised it in time.`);
  if (run.starts > maxStarts) {
    throw new UserError(
      `Step "${run.step}" brought the worker down ${maxStarts} times in a row, so I stopped. The log of that time says more.`,
    );
  }
  const step = currentStep(engine, run);
  const row = rows.find((candidate) => candidate.step === step.name);
  let away = findAway(rows)?.step;
  /** Agents may work side by side: one of them tells. */
  let telling: Promise<void> | undefined;
  const sayThatItGoesOn = async (): Promise<void> => {
    if (away === undefined) return;
    telling ??= tellBack(engine, run, away, signal);
    try {
      await telling;
      away = undefined;
    } finally {
      telling = undefined;
    }
  };
  let next: Next;
  if (row === undefined || row.state === "started") {
    const log: Log = withFields(engine.log, { run: run.id, ticket: run.target.ticket, step: step.name });
    const onReply = (): Promise<void> => sayThatItGoesOn().catch(laterIfPassing(log));
    const context = await createContext({ database, run, services: engine.services, signal, log, onReply });
    const parking = lastParking(rows);
    if (parking !== undefined)
      await announce(engine, run, `${parking}-over`, async () => resumingEffects(context), signal);
    next = await produce(engine, run, step, context);
  } else {
    next = Next.parse(row.next);
  }
  await performEffects(door, run, step.name, signal);
  await sayThatItGoesOn();
  await moveOn(engine, run, step, next);
}

/** An agent at work is not stopped because a comment has to wait: it is written when the step is done. */
function laterIfPassing(log: Log): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Retryable)) throw error;
    log.info("the ticket will hear later that its run goes on", { error });
  };
}

function currentStep(engine: Engine, run: Run): Step {
  const step = engine.workflows.get(run.workflow)?.steps.find((candidate) => candidate.name === run.step);
  if (step === undefined) throw new Permanent(`workflow "${run.workflow}" has no step "${run.step}" any more`);
  return step;
}

/** Executes the step and commits what it returned, together with its planned effects. */
async function produce(engine: Engine, run: Run, step: Step, context: StepContext): Promise<Next> {
  const { database } = engine;
  await startStep(database, run.id, step.name);
  await addProgress(database, run.id, "step.started", { step: step.name });
  if (step.announce !== undefined) {
    await announce(engine, run, step.name, async () => (await step.announce?.(context)) ?? [], context.signal);
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
    await handOver(database, run, { state: "queued", cause: "handed_back" });
    return log.info("run handed back: the process stops", about);
  }
  const pauses = await readPauses(database, run.id);
  const delayMs = error instanceof Retryable ? pauseFor(engine, error, pauses) : null;
  if (error instanceof Retryable && delayMs !== null) {
    if (error instanceof SystemAway) await tellAway(engine, run, error, pauses.awayMs);
    const cause = error instanceof SystemAway ? "away" : "fault";
    await handOver(database, run, { state: "queued", reason: error.message, delayMs, cause });
    await addProgress(database, run.id, "run.retry", { step: run.step, reason: error.message, delayMs });
    log.info("step will be tried again", { ...about, reason: error.message, delayMs });
    return engine.bell.ring(run.id, delayMs);
  }
  if (error instanceof PotEmpty) {
    log.info("run parks: a limit of the budget is reached", { ...about, reason: error.message });
    return park(engine, run, error);
  }
  const [state, reason] = endOf(error, run);
  if (state === "failed" && !(error instanceof Permanent) && !(error instanceof Retryable)) {
    log.error("step failed because of a bug", { ...about, error });
  } else log.info("run stops", { ...about, state, reason });
  await close(engine, run, state, redact(reason));
}

/** GitLab says 409 where the merge request has moved on: there is nothing to do about the commit that the run was about. */
function isOvertaken(error: unknown, { target }: Run): error is Permanent {
  return error instanceof Permanent && error.status === 409 && target.mergeRequest !== undefined;
}

function endOf(error: unknown, run: Run): [EndState, string] {
  if (isOvertaken(error, run)) return ["cancelled", error.message];
  if (error instanceof Cancelled) return ["cancelled", error.message];
  if (error instanceof OverBudget) return ["over_budget", error.message];
  if (error instanceof UserError) return ["needs_human", error.message];
  if (error instanceof Permanent) return ["failed", error.message];
  if (error instanceof LockedOut) return ["failed", `${error.message} (nobody did so for a day)`];
  if (error instanceof SystemAway) return ["failed", `${error.message} (I waited for a day)`];
  if (error instanceof Retryable) return ["failed", `${error.message} (given up after ${maxTries} tries)`];
  return ["failed", `an error inside Ticketsmith: ${messageOf(error)}`];
}

function withFields(log: Log, fields: Readonly<Record<string, unknown>>): Log {
  return {
    error: (message, more) => log.error(message, { ...fields, ...more }),
    warn: (message, more) => log.warn(message, { ...fields, ...more }),
    info: (message, more) => log.info(message, { ...fields, ...more }),
    debug: (message, more) => log.debug(message, { ...fields, ...more }),
  };
}

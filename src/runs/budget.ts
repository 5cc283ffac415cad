/** The budget as one step of one run has it: every call of a model is held in all pots before it is made, and settled after. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BudgetLimits,
  type CallEstimate,
  type Nearing,
  nearingOf,
  type Pot,
  shortagesOf,
} from "../domain/budget.ts";
import { PotEmpty } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import type { Policy } from "../platform/policy.ts";
import { shortageWords } from "../steps/budget-words.ts";
import type { StepContext } from "../steps/step.ts";
import { type Reservation, readPotsOf, reserve, settleReservation } from "../store/pots.ts";
import type { Database } from "../store/queryable.ts";
import { LeaseLost } from "../store/runs.ts";

/** Calls of other runs that fill a pot for a moment are waited for: a call takes seconds, to begin a step anew costs money. */
const usualPatienceMs = 60_000;
const lookMs = 250;

/** The limits of all levels, as the policy has them. */
export function limitsOf({ run, ticket, project, total }: Policy["budgets"]): BudgetLimits {
  return { run, ticket, project: { usd: project.usdPerDay }, total: { usd: total.usdPerMonth } };
}

/** Room for a call, or the error that says why there is none. */
type Answer = { readonly reservation: Reservation; readonly pots: readonly Pot[] } | PotEmpty;

/** Says no by rolling the transaction back. */
class NoRoom extends Error {
  readonly answer: PotEmpty;
  constructor(answer: PotEmpty) {
    super(answer.message);
    this.answer = answer;
  }
}

/** So many calls more have to fit into every pot, by what is known of them, before a call is held without a transaction. */
const farAway = 25;

function isFarFromLimits(limits: BudgetLimits, pots: readonly Pot[], call: CallEstimate): boolean {
  return shortagesOf(limits, pots, { ...call, usd: call.usd * farAway, tokens: call.tokens * farAway }).length === 0;
}

/** The usual case in one statement: when there turns out to be no room, what was held for this moment is given back. */
async function reserveAtOnce(database: Database, run: Run, limits: BudgetLimits, call: CallEstimate) {
  const held = await reserve(database, run, call);
  if (held === null) throw new LeaseLost(`run ${run.id} is no longer ours`);
  if (shortagesOf(limits, held.pots, call).length === 0) return held;
  await settleReservation(database, run.id, held.reservation, { usd: 0, tokens: 0, turns: 0 });
  return null;
}

/** The careful way, in which nobody else ever sees more held than there is room for. */
async function tryToReserve(database: Database, run: Run, limits: BudgetLimits, call: CallEstimate): Promise<Answer> {
  try {
    return await database.transaction(async (tx) => {
      const held = await reserve(tx, run, call);
      if (held === null) throw new LeaseLost(`run ${run.id} is no longer ours`);
      const shortages = shortagesOf(limits, held.pots, call);
      if (shortages.length === 0) return held;
      throw new NoRoom(new PotEmpty(shortages.map(shortageWords).join(" "), shortages, call));
    });
  } catch (error) {
    if (error instanceof NoRoom) return error.answer;
    throw error;
  }
}

export interface RunBudget {
  readonly budget: StepContext["budget"];
  /** Cost and tokens of the run up to now. */
  spent(): { readonly costUsd: number; readonly tokens: number };
  /** Limits of the run and its ticket that are nearly reached, as of the last call. */
  nearing(): readonly Nearing[];
}

/**
 * Opens the budget for a step. `reserve` throws PotEmpty when a limit is reached, LeaseLost when the run went to another worker, and
 * the signal's reason when that goes off while it waits.
 * @param options.minutes how long the run has been at work
 * @param options.patienceMs how long calls of other runs are waited for that fill a pot
 */
export async function openBudget(options: {
  readonly database: Database;
  readonly run: Run;
  readonly limits: BudgetLimits;
  readonly minutes: () => number;
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}): Promise<RunBudget> {
  const { database, run, limits, minutes, signal, patienceMs = usualPatienceMs } = options;
  let { costUsd, tokens } = run;
  let pots: readonly Pot[] = await readPotsOf(database, run);
  /** An agent makes one call after the other. */
  let open: Reservation | undefined;
  return {
    spent: () => ({ costUsd, tokens }),
    nearing: () => nearingOf(limits, pots, minutes()),
    budget: {
      async reserve(usd, callTokens) {
        const call = { usd, tokens: callTokens, minutes: minutes() };
        const isFar = isFarFromLimits(limits, pots, call);
        const atOnce = isFar ? await reserveAtOnce(database, run, limits, call) : null;
        if (atOnce !== null) {
          open = atOnce.reservation;
          return;
        }
        for (const deadline = performance.now() + patienceMs; ; ) {
          const answer = await tryToReserve(database, run, limits, call);
          if (!(answer instanceof PotEmpty)) {
            open = answer.reservation;
            return;
          }
          if (performance.now() >= deadline || !answer.shortages.every(({ passing }) => passing)) throw answer;
          await sleep(lookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
        }
      },
      async settle(usage, usd) {
        const used = usage.inputTokens + usage.outputTokens;
        costUsd += usd;
        tokens += used;
        if (open === undefined) throw new Error("a call was settled that nothing was reserved for");
        const reservation = open;
        open = undefined;
        pots = await settleReservation(database, run.id, reservation, { usd, tokens: used, turns: used > 0 ? 1 : 0 });
      },
    },
  };
}

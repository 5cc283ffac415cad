/**
 * The four kinds of failure. Everything that is not one of the first three is a bug of ours:
 * the run stops and the stack goes to the log. Only `runs/advance.ts` decides what happens next.
 */
import type { CallEstimate, Shortage } from "./budget.ts";

/** Something a person can mend. The message is shown on the ticket as it stands; never retried. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Worth trying again later: rate limits, outages, resets. */
export class Retryable extends Error {
  override readonly name: string = "Retryable";
  /** Milliseconds that the other side asked us to wait, or undefined when it did not say. */
  readonly afterMs: number | undefined;
  constructor(message: string, options: { afterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }
}

/**
 * A system does not answer anybody: no fault of this run, and nothing that it could do but wait. The message names the system.
 * Such waits do not use up the run's tries; they end after a day.
 */
export class SystemAway extends Retryable {
  override readonly name: string = "SystemAway";
  /** Which one, for people, e.g. `GitLab`. */
  readonly system: string;
  constructor(message: string, options: { system: string; afterMs?: number; cause?: unknown }) {
    super(message, options);
    this.system = options.system;
  }
}

/** The same because the system refuses our token as a whole, until somebody renews it. The message names the setting. */
export class LockedOut extends SystemAway {
  override readonly name = "LockedOut";
}

/** The other side refused for good (400, 403, 404, 422): trying again cannot help. */
export class Permanent extends Error {
  override readonly name = "Permanent";
  /** HTTP status of the refusal, where there was one. */
  readonly status: number | undefined;
  constructor(message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

/** A limit of turns or time of one agent was reached. The message says which; the run ends. */
export class OverBudget extends Error {
  override readonly name: string = "OverBudget";
}

/** A pot of the budget has no room for the next call: the run parks and asks, or waits until the pot opens again. */
export class PotEmpty extends OverBudget {
  override readonly name = "PotEmpty";
  /** At least one. */
  readonly shortages: readonly Shortage[];
  /** The call that could not be made. */
  readonly call: CallEstimate;
  constructor(message: string, shortages: readonly Shortage[], call: CallEstimate) {
    super(message);
    this.shortages = shortages;
    this.call = call;
  }
}

/** The text of anything thrown, one line, for people. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

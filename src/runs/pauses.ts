/** How long a run pauses after a passing fault, and when it has paused often enough. */
import { LockedOut, type Retryable } from "../domain/errors.ts";
import type { Pauses } from "../store/runs.ts";
import type { Engine } from "./engine.ts";

/** Passing faults in a row before the run gives up; with the pauses below that is about an hour. */
export const maxTries = 15;

/** How long a run waits for somebody to renew a token. */
const lockedOutPatienceMs = 24 * 3_600_000;

/** No system means it when it asks for a longer pause. */
const longestPauseMs = 24 * 3_600_000;

/** Pause before the next try: what the other side asked for, else doubling from `baseMs` (2 s) to 150 times that (5 min), spread by a third. */
export function retryDelay(tries: number, afterMs: number | undefined, baseMs = 2000): number {
  const doubling = Math.min(baseMs * 2 ** tries, baseMs * 150);
  return Math.round(Math.max(Math.min(afterMs ?? 0, longestPauseMs), doubling) * (1 + Math.random() / 3));
}

/** Milliseconds until the run tries again, or null when it has tried or waited long enough. */
export function pauseFor(engine: Engine, error: Retryable, { tries, lockedOutMs }: Pauses): number | null {
  const isPatient = error instanceof LockedOut ? lockedOutMs < lockedOutPatienceMs : tries < maxTries;
  return isPatient ? retryDelay(tries, error.afterMs, engine.retryBaseMs) : null;
}

/** How long a run pauses after a passing fault or while an outside system is away, and when it has paused long enough. */
import { type Retryable, SystemAway } from "../domain/errors.ts";
import type { Pauses } from "../store/runs.ts";
import type { Engine } from "./engine.ts";

/** Passing faults in a row before the run gives up; with the pauses below that is about an hour. */
export const maxTries = 15;

/** How long a run waits for a system that is away, or for somebody to renew a token. */
const awayPatienceMs = 24 * 3_600_000;

/** No system means it when it asks for a longer pause. */
const longestPauseMs = 24 * 3_600_000;

const usualBaseMs = 2000;

/** The longest pause that a run makes by itself: 5 min, with the usual base of 2 s. */
export function longestUsualPause(baseMs = usualBaseMs): number {
  return baseMs * 150;
}

/** Spread by a third, so that runs which stopped together do not come back together. */
function spread(ms: number): number {
  return Math.round(ms * (1 + Math.random() / 3));
}

/** Pause before the next try: what the other side asked for, else doubling from `baseMs` (2 s) to 150 times that (5 min), spread by a third. */
export function retryDelay(tries: number, afterMs: number | undefined, baseMs = usualBaseMs): number {
  const doubling = Math.min(baseMs * 2 ** tries, longestUsualPause(baseMs));
  return spread(Math.max(Math.min(afterMs ?? 0, longestPauseMs), doubling));
}

/**
 * Pause while a system is away: a quarter of the time that it has been (from 2 s to 5 min), so that a short outage costs little and a
 * long one is not knocked at for nothing; what it or its breaker asked for, when that is longer. Spread by a third.
 */
export function awayDelay(awayMs: number, afterMs: number | undefined, baseMs = usualBaseMs): number {
  const quarter = Math.min(Math.max(baseMs, awayMs / 4), longestUsualPause(baseMs));
  return spread(Math.max(Math.min(afterMs ?? 0, longestPauseMs), quarter));
}

/** Milliseconds until the run tries again, or null when it has tried or waited long enough. */
export function pauseFor(engine: Engine, error: Retryable, { tries, awayMs }: Pauses): number | null {
  const { retryBaseMs } = engine;
  if (error instanceof SystemAway) {
    return awayMs < awayPatienceMs ? awayDelay(awayMs, error.afterMs, retryBaseMs) : null;
  }
  return tries < maxTries ? retryDelay(tries, error.afterMs, retryBaseMs) : null;
}

/** Keeps our writes to one ticket under Jira's limits, whichever runs they come from. */
import { setTimeout as sleep } from "node:timers/promises";
import { Retryable } from "../../domain/errors.ts";

/**
 * Jira Cloud takes 20 writes in 2 s and 100 in 30 s per issue (`jira-per-issue-on-write`), from everybody together: we leave a part of
 * that to people and to other programs. https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
 */
const limits = [
  { count: 12, windowMs: 2000 },
  { count: 60, windowMs: 30_000 },
] as const;

const longestWindowMs = Math.max(...limits.map(({ windowMs }) => windowMs));

/** A longer pause is not slept away while holding a worker. */
const longestSleepMs = 5000;

/** Takes the next free moment for a write to the ticket and waits for it. Throws Retryable when that is more than 5 s away. */
export type Pace = (ticket: string) => Promise<void>;

export function createPace(
  clock: { now(): number; sleep(ms: number): Promise<unknown> } = {
    // Not the time of day: when that is set back, a ticket must not wait for it to come round again.
    now: () => performance.now(),
    sleep,
  },
): Pace {
  /** Moments of the recent writes to each ticket and of those that wait for theirs, oldest first. */
  const taken = new Map<string, readonly number[]>();

  return async (ticket) => {
    const now = clock.now();
    for (const [other, moments] of taken) if ((moments.at(-1) ?? 0) <= now - longestWindowMs) taken.delete(other);
    const moments = (taken.get(ticket) ?? []).filter((at) => at > now - longestWindowMs);
    const free = limits.map(({ count, windowMs }) => {
      const blocking = moments.at(-count);
      return blocking === undefined ? 0 : blocking + windowMs;
    });
    const at = Math.max(now, moments.at(-1) ?? 0, ...free);
    if (at - now > longestSleepMs) {
      throw new Retryable(`${ticket} was written to very often just now: Jira allows only so many writes`, {
        afterMs: at - now,
      });
    }
    taken.set(ticket, [...moments, at]);
    if (at > now) await clock.sleep(at - now);
  };
}

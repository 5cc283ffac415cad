/** Whether a Redis is set up so that a queue can live in it. */
import type { Redis } from "ioredis";
import { messageOf } from "../domain/errors.ts";
import type { Log } from "../platform/log.ts";

interface Wanted {
  readonly setting: string;
  readonly value: string;
  /** What happens with another value. Nothing is ever lost for good: runs live in Postgres, and the sweeper rings again. */
  readonly otherwise: string;
}

const wanted: readonly Wanted[] = [
  {
    setting: "appendonly",
    value: "yes",
    otherwise:
      "a crash of Redis loses the jobs since its last snapshot, and their runs pause until the sweeper rings again",
  },
  {
    // BullMQ, "Going to production": Redis must not throw the queue's keys away.
    setting: "maxmemory-policy",
    value: "noeviction",
    otherwise: "a full Redis throws jobs away, and their runs pause until the sweeper rings again",
  },
];

/** The answer is a list of name and value, or with RESP3 a map. */
async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await redis.config("GET", name);
  if (Array.isArray(answer)) return answer[1] === undefined ? undefined : String(answer[1]);
  const value = (answer as Readonly<Record<string, unknown>> | null)?.[name];
  return value === undefined ? undefined : String(value);
}

/**
 * Warns of every setting that is not as it should be, with what to set and why. Managed services often forbid to ask: then it says
 * that nobody knows. Never throws.
 */
export async function checkRedisSettings(redis: Redis, log: Log): Promise<void> {
  for (const { setting, value, otherwise } of wanted) {
    try {
      const found = await readSetting(redis, setting);
      if (found !== value) log.warn("Redis is not set up for a queue", { setting, found, wanted: value, otherwise });
    } catch (error) {
      log.info("Redis does not tell its settings, see that they are right", {
        setting,
        wanted: value,
        reason: messageOf(error),
      });
    }
  }
}

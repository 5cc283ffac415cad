/** However many writes one ticket gets, and from however many runs at once, Jira never has to refuse one for their number. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Retryable } from "../../../src/domain/errors.ts";
import { createPace } from "../../../src/integrations/jira/pace.ts";
import { usualWriteLimits } from "../../../src/stand-ins/jira/door.ts";

/** A clock that stands still until somebody sleeps; sleepers wake in order. */
function clock() {
  let now = 1_000_000;
  return {
    now: () => now,
    /** Moments at which writes are let through. */
    sleep: async () => {},
    advance: (ms: number) => {
      now += ms;
    },
  };
}

/** Whether so many writes at these moments are within what Jira allows. */
function isAllowed(moments: readonly number[]): boolean {
  return usualWriteLimits.every(({ count, windowMs }) =>
    moments.every((at) => moments.filter((other) => other > at - windowMs && other <= at).length <= count),
  );
}

describe("the pace of writes to one ticket", () => {
  test("is free for what a run usually does", async () => {
    const slept: number[] = [];
    const pace = createPace({ now: () => 0, sleep: async (ms) => slept.push(ms) });
    for (let write = 0; write < 12; write += 1) await pace("SHOP-1");
    await pace("SHOP-2");
    expect(slept).toEqual([]);
    await pace("SHOP-1");
    expect(slept).toEqual([2000]);
  });

  test("stays within Jira's limits whatever comes (property)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 300 }), async (gaps) => {
        const time = clock();
        const moments: number[] = [];
        let slept = 0;
        const pace = createPace({
          now: time.now,
          sleep: async (ms) => {
            slept = ms;
          },
        });
        for (const gap of gaps) {
          // Many at once, then some time.
          time.advance(gap > 2000 ? gap : 0);
          slept = 0;
          try {
            await pace("SHOP-1");
            moments.push(time.now() + slept);
          } catch (error) {
            expect(error).toBeInstanceOf(Retryable);
            expect((error as Retryable).afterMs).toBeGreaterThan(5000);
          }
        }
        expect(isAllowed(moments)).toBe(true);
      }),
    );
  });

  test("does not hold a worker for long: it says when to come back", async () => {
    const time = clock();
    const pace = createPace(time);
    let refused: unknown;
    for (let write = 0; write < 100 && refused === undefined; write += 1) {
      await pace("SHOP-1").catch((error: unknown) => {
        refused = error;
      });
    }
    expect(refused).toBeInstanceOf(Retryable);
    time.advance((refused as Retryable).afterMs ?? 0);
    await pace("SHOP-1");
  });
});

/** A worker that was paused finds out before it writes again. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { keepLease, type Lease, momentNow } from "../../src/runs/lease.ts";
import type { Database } from "../../src/store/queryable.ts";
import { claimRun, insertRun, LeaseLost, requestCancel } from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

const leaseMs = 60_000;

let database: Database;
const leases: Lease[] = [];
beforeAll(async () => {
  database = await openTestDatabase();
});
afterEach(() => {
  vi.useRealTimers();
  for (const lease of leases.splice(0)) lease.end();
});
afterAll(() => database.close());

let count = 0;
async function heldRun(options: { leaseMs?: number } = {}): Promise<{ id: string; lease: Lease }> {
  count += 1;
  const target = { ticket: `SHOP-${count}`, project: "SHOP", repository: "acme/shop" };
  await insertRun(database, { id: `r${count}`, workflow: "deliver", step: "plan", requestedBy: "mia", target });
  const since = momentNow();
  const run = (await claimRun(database, `r${count}`, leaseMs))!;
  const cancelled = (reason: string): Error => new Error(`cancelled: ${reason}`);
  const lease = keepLease({ database, run, leaseMs, since, cancelled, log: silentLog, ...options });
  leases.push(lease);
  return { id: run.id, lease };
}

/** Another worker has the run now. */
const takeOver = (id: string) => database.query("update ticketsmith.runs set epoch = epoch + 1 where id = $1", [id]);

/** The machine sleeps: the clock of the wall goes on, ours does not. */
function sleepAnHour(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
}

describe("before a request leaves", () => {
  test("a fresh lease is good without asking anybody", async () => {
    const { lease } = await heldRun();
    const asked = vi.spyOn(database, "query");
    await lease.confirm();
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  test("a lease that may have run out is renewed when nobody took the run", async () => {
    const { id, lease } = await heldRun();
    await database.query("update ticketsmith.runs set lease_until = now() - interval '1 s' where id = $1", [id]);
    sleepAnHour();
    await lease.confirm();
    const { rows } = await database.query<{ held: boolean }>(
      "select lease_until > now() + interval '30 s' as held from ticketsmith.runs where id = $1",
      [id],
    );
    expect(rows[0]?.held).toBe(true);
  });

  test("a lease that was lost is told", async () => {
    const { id, lease } = await heldRun();
    await takeOver(id);
    sleepAnHour();
    await expect(lease.confirm()).rejects.toThrow(LeaseLost);
  });
});

describe("while the worker is busy", () => {
  const aborted = (lease: Lease): Promise<unknown> =>
    new Promise((resolve) => lease.signal.addEventListener("abort", () => resolve(lease.signal.reason)));

  test("it hears of a takeover", async () => {
    const { id, lease } = await heldRun({ leaseMs: 100 });
    await takeOver(id);
    expect(await aborted(lease)).toBeInstanceOf(LeaseLost);
  });

  test("it hears of a cancellation", async () => {
    const { id, lease } = await heldRun({ leaseMs: 100 });
    await requestCancel(database, id, "label ticketsmith was removed");
    expect(await aborted(lease)).toEqual(new Error("cancelled: label ticketsmith was removed"));
  });
});

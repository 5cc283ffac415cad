/** Runs that were at work when workers died are taken one at a time. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createQuarantine } from "../../src/runs/quarantine.ts";
import type { Database } from "../../src/store/queryable.ts";
import { insertRun } from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

let count = 0;
/** A queued run whose current step has brought `deaths` workers down. */
async function runWith(deaths: number): Promise<string> {
  count += 1;
  const target = { ticket: `SHOP-${count}`, project: "SHOP", repository: "acme/shop" };
  const run = await insertRun(database, {
    id: `r${count}`,
    workflow: "deliver",
    step: "plan",
    requestedBy: "mia",
    target,
  });
  await database.query("update ticketsmith.runs set starts = $2 where id = $1", [run?.id, deaths]);
  return run?.id ?? "";
}

test("a suspect waits for the one at work, everybody else does not", async () => {
  const quarantine = createQuarantine();
  const claim = async (id: string) => quarantine.claim(database, id, 60_000);
  const [first, second, onceUnlucky, fresh] = [await runWith(2), await runWith(4), await runWith(1), await runWith(0)];

  const suspect = await claim(first);
  expect(suspect).toMatchObject({ id: first, starts: 3 });
  expect(await claim(second)).toBeNull();
  expect(await claim(onceUnlucky)).toMatchObject({ starts: 2 });
  const other = await claim(fresh);
  expect(other).toMatchObject({ starts: 1 });

  if (other !== null) quarantine.leave(other);
  expect(await claim(second)).toBeNull();
  if (suspect !== null) quarantine.leave(suspect);
  expect(await claim(second)).toMatchObject({ id: second, starts: 5 });
});

test("a run that is not due leaves the place free", async () => {
  const quarantine = createQuarantine();
  expect(await quarantine.claim(database, "nobody", 60_000)).toBeNull();
  expect(await quarantine.claim(database, await runWith(3), 60_000)).not.toBeNull();
});

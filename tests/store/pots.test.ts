/** The pots in a real database: nothing is overspent by runs that reserve at the same moment, and nothing stays held for the dead. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type BudgetLimits, type PotKind, shortagesOf } from "../../src/domain/budget.ts";
import { PotEmpty } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import { silentLog } from "../../src/platform/log.ts";
import { openBudget } from "../../src/runs/budget.ts";
import { openDatabase } from "../../src/store/database.ts";
import {
  listOpenPots,
  raisePots,
  readPotsOf,
  releaseReservations,
  reserve,
  settleReservation,
} from "../../src/store/pots.ts";
import type { Database, Queryable } from "../../src/store/queryable.ts";
import { claimRun, findRun, handOver, insertRun, LeaseLost } from "../../src/store/runs.ts";
import { createTestDatabase } from "../support/postgres.ts";

const usage = (tokens: number) => ({ inputTokens: tokens, cachedTokens: 0, outputTokens: 0, estimated: false });
const limits: BudgetLimits = {
  run: { usd: 5, tokens: 10_000, turns: 100 },
  ticket: { usd: 15 },
  project: { usd: 50 },
  total: { usd: 500 },
};

let count = 0;
async function startRun(database: Database, target: { ticket?: string; project?: string } = {}): Promise<Run> {
  count += 1;
  const ticket = target.ticket ?? `POT-${count}`;
  const project = target.project ?? "POT";
  const repository = "acme/shop";
  const id = `rpot${count}`;
  await insertRun(database, {
    id,
    workflow: "w",
    target: { ticket, project, repository },
    step: "s",
    requestedBy: "m",
  });
  return (await claimRun(database, id, 60_000))!;
}

const kinds: readonly PotKind[] = ["run", "ticket", "project", "total"];

describe.each(["postgres", "pglite"] as const)("on %s", (kind) => {
  let database: Database;
  beforeAll(async () => {
    const place = kind === "postgres" ? { url: await createTestDatabase(inject("postgresUrl")) } : {};
    database = await openDatabase({ ...place, directory: ":memory:", log: silentLog });
  });
  afterAll(() => database.close());

  const budgetOf = (run: Run, more: Partial<Parameters<typeof openBudget>[0]> = {}) =>
    openBudget({
      database,
      run,
      limits,
      minutes: () => 0,
      signal: new AbortController().signal,
      patienceMs: 0,
      ...more,
    });
  const hold = (run: Run, usd: number, tokens: number) =>
    database.transaction(async (tx) => (await reserve(tx, run, { usd, tokens }))!);

  /** Other tests leave some in the pot of the month. */
  const heldBelowTotal = async (run: Run) =>
    (await readPotsOf(database, run)).slice(0, 3).map(({ reserved }) => reserved.usd);

  test("a call is held in all four pots and then replaced by what it cost", async () => {
    const run = await startRun(database, { project: "ONE" });
    const { reservation, pots } = await hold(run, 0.3, 500);
    expect(pots.map((pot) => [pot.kind, pot.reserved.usd])).toEqual(kinds.map((each) => [each, 0]));
    expect((await readPotsOf(database, run)).map((pot) => [pot.kind, pot.spent.usd, pot.reserved])).toEqual(
      kinds.map((each) => [each, 0, { usd: 0.3, tokens: 500 }]),
    );
    const after = await settleReservation(database, run.id, reservation, { usd: 0.1, tokens: 120, turns: 1 });
    expect(after.map(({ spent, reserved }) => ({ spent, reserved }))).toEqual(
      kinds.map(() => ({ spent: { usd: 0.1, tokens: 120, turns: 1 }, reserved: { usd: 0, tokens: 0 } })),
    );
    expect(await findRun(database, run.id)).toMatchObject({ costUsd: 0.1, tokens: 120 });
    const day = new Date().toISOString();
    expect(after.map(({ name }) => name)).toEqual([
      `run ${run.id}`,
      `ticket ${run.target.ticket}`,
      `project ONE ${day.slice(0, 10)}`,
      `total ${day.slice(0, 7)}`,
    ]);
    expect(after.map(({ opensInMs }) => opensInMs !== null && opensInMs <= 86_400_000)).toEqual([
      false,
      false,
      true,
      new Date(Date.now() + 86_400_000).getUTCMonth() !== new Date().getUTCMonth(),
    ]);
  });

  test("what does not fit holds nothing", async () => {
    const run = await startRun(database, { project: "TWO" });
    const { budget } = await budgetOf(run);
    await budget.reserve(4.9, 100);
    await budget.settle(usage(80), 4.5);
    const refused = budget.reserve(0.51, 100);
    await expect(refused).rejects.toThrow(PotEmpty);
    await expect(refused).rejects.toThrow(
      "The budget of $5.00 for this run is used up: $4.50 spent, and the next call may take $0.51.",
    );
    expect(await heldBelowTotal(run)).toEqual([0, 0, 0]);
    await budget.reserve(0.5, 100);
  });

  test("runs that reserve at once do not overspend the pot that they share", async () => {
    const runs = await Promise.all(Array.from({ length: 12 }, () => startRun(database, { project: "BUSY" })));
    const tight = { ...limits, project: { usd: 2 } };
    let most = 0;
    const turnOf = async (run: Run): Promise<number> => {
      const { budget } = await budgetOf(run, { limits: tight });
      for (let turn = 0; ; turn += 1) {
        try {
          await budget.reserve(0.11, 10);
        } catch (error) {
          if (error instanceof PotEmpty) return turn;
          throw error;
        }
        const [, , project] = await readPotsOf(database, run);
        most = Math.max(most, project!.spent.usd + project!.reserved.usd);
        await budget.settle(usage(10), 0.1);
      }
    };
    const turns = await Promise.all(runs.map(turnOf));
    const [, , project] = await readPotsOf(database, runs[0]!);
    expect(most).toBeLessThanOrEqual(2 + 1e-9);
    expect(project!.reserved).toEqual({ usd: 0, tokens: 0 });
    expect(project!.spent.usd).toBeCloseTo(turns.reduce((sum, each) => sum + each, 0) * 0.1, 9);
    // Nobody gave up while there was plenty.
    expect(project!.spent.usd).toBeGreaterThan(2 - 12 * 0.11);
  });

  test("a pot that is full for a moment only is waited for", async () => {
    const [one, two] = await Promise.all([0, 1].map(() => startRun(database, { project: "WAIT" })));
    const tight = { ...limits, project: { usd: 1 } };
    const first = await budgetOf(one!, { limits: tight });
    const second = await budgetOf(two!, { limits: tight, patienceMs: 10_000 });
    await first.budget.reserve(0.9, 10);
    const waiting = second.budget.reserve(0.5, 10);
    await first.budget.settle(usage(10), 0.1);
    await waiting;
    await second.budget.settle(usage(10), 0.5);
    await expect(second.budget.reserve(0.5, 10)).rejects.toThrow(/project WAIT on .* is used up/);
  });

  test("and stops waiting when the run is to stop", async () => {
    const [one, two] = await Promise.all([0, 1].map(() => startRun(database, { project: "HALT" })));
    const tight = { ...limits, project: { usd: 1 } };
    await (await budgetOf(one!, { limits: tight })).budget.reserve(0.9, 10);
    const stop = new AbortController();
    const second = await budgetOf(two!, { limits: tight, patienceMs: 10_000, signal: stop.signal });
    const waiting = second.budget.reserve(0.5, 10);
    stop.abort(new Error("cancelled"));
    await expect(waiting).rejects.toThrow("cancelled");
  });

  test("runs of one ticket share its pot, one after the other too", async () => {
    const first = await startRun(database, { ticket: "POT-900", project: "SEQ" });
    await (await budgetOf(first)).budget.reserve(5, 10);
    const before = await budgetOf(first);
    await expect(before.budget.reserve(0.1, 10)).rejects.toThrow("for this run");
    await settleReservation(
      database,
      first.id,
      { id: "0", pots: [`ticket POT-900`] },
      { usd: 14.9, tokens: 1, turns: 1 },
    );
    await handOver(database, first, { state: "done" });
    const second = await startRun(database, { ticket: "POT-900", project: "SEQ" });
    const { budget, nearing } = await budgetOf(second);
    expect(nearing()).toMatchObject([{ kind: "ticket", measure: "usd", limit: 15, spent: 14.9 }]);
    await releaseReservations(database);
    await expect(budget.reserve(0.2, 10)).rejects.toThrow("The budget of $15.00 for ticket POT-900 is used up");
    await budget.reserve(0.1, 10);
  });

  test("what a dead worker held is given back when its run is taken over", async () => {
    const run = await startRun(database, { project: "DEAD" });
    await hold(run, 1, 10);
    await releaseReservations(database, run.id);
    expect((await readPotsOf(database, run))[0]!.reserved.usd).toBe(1);
    await database.query("update ticketsmith.runs set lease_until = now() - interval '1 s' where id = $1", [run.id]);
    const again = (await claimRun(database, run.id, 60_000))!;
    await releaseReservations(database, run.id);
    expect(await heldBelowTotal(run)).toEqual([0, 0, 0]);
    const late = await database.transaction((tx) => reserve(tx, run, { usd: 1, tokens: 10 }));
    expect(late).toBeNull();
    const { budget } = await budgetOf(run);
    await expect(budget.reserve(1, 1)).rejects.toThrow(LeaseLost);
    await (await budgetOf(again)).budget.reserve(1, 1);
  });

  test("and when its run ends without another worker", async () => {
    const run = await startRun(database, { project: "ENDS" });
    await hold(run, 1, 10);
    await handOver(database, run, { state: "cancelled" });
    await releaseReservations(database);
    expect(await heldBelowTotal(run)).toEqual([0, 0, 0]);
  });

  test("what was spent counts even when the reservation is gone", async () => {
    const run = await startRun(database, { project: "LATE" });
    const { reservation } = await hold(run, 1, 10);
    await database.query("update ticketsmith.runs set leased_at = now() + interval '1 s' where id = $1", [run.id]);
    await releaseReservations(database, run.id);
    const [own] = await settleReservation(database, run.id, reservation, { usd: 0.7, tokens: 9, turns: 1 });
    expect(own).toMatchObject({ spent: { usd: 0.7, tokens: 9, turns: 1 }, reserved: { usd: 0, tokens: 0 } });
  });

  test("a call that goes on past midnight is settled in the pot of its day", async () => {
    const run = await startRun(database, { project: "NIGHT" });
    const { reservation } = await hold(run, 1, 10);
    const yesterday = reservation.pots.map((name) => name.replace(/^project .*/, "project NIGHT 2001-01-01"));
    const after = await settleReservation(
      database,
      run.id,
      { ...reservation, pots: yesterday },
      { usd: 0.4, tokens: 5, turns: 1 },
    );
    expect(after.find(({ kind: each }) => each === "project")).toMatchObject({
      name: "project NIGHT 2001-01-01",
      spent: { usd: 0.4 },
    });
  });

  test("a limit is raised once per cause", async () => {
    const run = await startRun(database, { project: "MORE" });
    const names = [`run ${run.id}`, `ticket ${run.target.ticket}`];
    const raise = { cause: `jira:comment:${run.id}`, usd: 2, by: "mia" };
    expect(await database.transaction((tx) => raisePots(tx, names, raise))).toBe(true);
    expect(await database.transaction((tx) => raisePots(tx, names, raise))).toBe(false);
    expect(await database.transaction((tx) => raisePots(tx, [`run ${run.id}`], { ...raise, cause: "other" }))).toBe(
      true,
    );
    const pots = await readPotsOf(database, run);
    expect(pots.map(({ raisedUsd }) => raisedUsd)).toEqual([4, 2, 0, 0]);
    expect(shortagesOf(limits, pots, { usd: 8.9, tokens: 1, minutes: 0 })).toEqual([]);
  });

  test("open pots are listed, and those of projects before anything is spent", async () => {
    const run = await startRun(database, { project: "LIST" });
    const names = (await listOpenPots(database, ["LIST", "IDLE"])).map(({ name }) => name.replace(/ \d{4}.*/, ""));
    expect(names.slice(0, 3)).toEqual(["total", "project IDLE", "project LIST"]);
    expect(names).toEqual(expect.arrayContaining([`ticket ${run.target.ticket}`, `run ${run.id}`]));
  });

  test.each([
    ["far from every limit", limits, ["prepared", "prepared"]],
    ["near one", { ...limits, run: { ...limits.run, usd: 0.1 } }, ["in a transaction", "prepared"]],
  ])("takes two statements per call: %s", async (_name, own, statements) => {
    const run = await startRun(database, { project: "FAST" });
    const asked: string[] = [];
    const noting = (to: Queryable, mark: string): Queryable => ({
      query: (sql, params) => {
        asked.push(mark);
        return to.query(sql, params);
      },
    });
    const { budget } = await budgetOf(run, {
      limits: own,
      database: {
        ...database,
        ...noting(database, "alone"),
        prepared: (name, sql, params) => {
          asked.push("prepared");
          return database.prepared(name, sql, params);
        },
        transaction: (work) => database.transaction((tx) => work(noting(tx, "in a transaction"))),
      },
    });
    asked.length = 0;
    await budget.reserve(0.01, 10);
    await budget.settle(usage(10), 0.01);
    expect(asked).toEqual(statements);
  });
});

test("what was spent before there were pots is in them", async () => {
  const url = await createTestDatabase(inject("postgresUrl"));
  const before = await openDatabase({ url, directory: "", log: silentLog });
  const run = await startRun(before, { project: "OLD" });
  await before.query(
    `insert into ticketsmith.turns (run_id, step, agent, turn, record, model, input_tokens, cached_tokens, output_tokens, cost_usd)
     select $1, 's', 'a', n, '{}', 'm', 100, 0, 20, 0.25 from generate_series(1, 3) n`,
    [run.id],
  );
  await before.query(
    `drop table ticketsmith.pots, ticketsmith.reservations, ticketsmith.raises;
     alter table ticketsmith.runs drop column worked_ms, drop column leased_at;
     drop index ticketsmith.runs_to_wake;
     delete from ticketsmith.migrations where name like '%_budget.sql'`,
  );
  await before.close();
  const after = await openDatabase({ url, directory: "", log: silentLog });
  expect((await readPotsOf(after, run)).map(({ spent }) => spent)).toEqual(
    kinds.map(() => ({ usd: 0.75, tokens: 360, turns: 3 })),
  );
  await after.close();
});

/** A run that parks at a limit, with what may come between: a raise, a stop, a crash, a Jira that is away. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { Permanent, Retryable } from "../../src/domain/errors.ts";
import type { TicketWriter } from "../../src/domain/ports.ts";
import type { Run } from "../../src/domain/run.ts";
import { silentLog } from "../../src/platform/log.ts";
import { printMarkdown } from "../../src/platform/markdown.ts";
import { Policy } from "../../src/platform/policy.ts";
import { advance } from "../../src/runs/advance.ts";
import type { Engine } from "../../src/runs/engine.ts";
import { createQuarantine } from "../../src/runs/quarantine.ts";
import { type Bell, openBell } from "../../src/runs/queue.ts";
import { raiseBudget } from "../../src/runs/raise.ts";
import { startRun } from "../../src/runs/start.ts";
import { sweepRuns } from "../../src/runs/sweep.ts";
import type { Services, Step } from "../../src/steps/step.ts";
import type { Database } from "../../src/store/queryable.ts";
import { findRun, requestCancel } from "../../src/store/runs.ts";
import { listSteps } from "../../src/store/steps.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
let bell: Bell;
beforeAll(async () => {
  database = await openTestDatabase();
  bell = await openBell({ database, redisUrl: undefined, log: silentLog });
});
afterAll(async () => {
  await bell.close();
  await database.close();
});

/** What the ticket was told, in order. */
let told: string[] = [];
/** What happens while the ticket is being told. */
let meanwhile: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  told = [];
  meanwhile = [];
});

const written = { outcome: "updated", ref: { id: "1", url: "" } } as const;
const tickets: TicketWriter = {
  async ensureComment({ body }) {
    await meanwhile.shift()?.();
    told.push(printMarkdown(body).split("\n")[0] ?? "");
    return written;
  },
  ensureTransition: async () => written,
  ensureLabels: async () => written,
  ensureRemoteLink: async () => written,
};

const policy = Policy.parse({
  projects: { SHOP: { repository: "acme/shop" } },
  people: { start: { accounts: ["mia"] } },
  budgets: { run: { usd: 1 } },
});

/** How often the step was begun. */
let begun = 0;
/** Makes one call that may take $0.60 and takes $0.50, for each time that it is begun; done after the third call. */
const greedy: Step<string> = {
  name: "greedy",
  output: z.string(),
  async execute({ budget }) {
    begun += 1;
    for (let call = 0; call < 3; call += 1) {
      await budget.reserve(0.6, 100);
      await budget.settle({ inputTokens: 50, cachedTokens: 0, outputTokens: 5, estimated: false }, 0.5);
    }
    return { output: "done", effects: [], next: { kind: "continue" } };
  },
};

let count = 0;
async function begin(): Promise<{ machine: Engine; run: Run; now: () => Promise<Run> }> {
  begun = 0;
  count += 1;
  const machine: Engine = {
    database,
    bell: { ring: async () => {}, answer() {}, close: async () => {} },
    workflows: new Map([["test", { name: "test", steps: [greedy] }]]),
    services: { policy, workspaces: { remove: async () => {} } } as unknown as Services,
    door: {
      database,
      writers: { tickets, code: {} as never, reviews: {} as never, branches: {} as never, pages: null },
      allowedHosts: [],
      dryRun: false,
      log: silentLog,
    },
    log: silentLog,
    stopping: new AbortController().signal,
    leaseMs: 60_000,
    quarantine: createQuarantine(),
  };
  const target = { ticket: `SHOP-${count}`, project: "SHOP", repository: "acme/shop" };
  const run = (await startRun(database, machine.workflows, { workflow: "test", requestedBy: "mia", target }))!;
  return { machine, run, now: async () => (await findRun(database, run.id))! };
}

const raise = (run: Run, usd: number, cause = `c${run.id}`) =>
  database.transaction((tx) => raiseBudget(tx, { runId: run.id, usd, by: "mia", cause }));

test("it waits at the step under way, and begins that anew when somebody raised the limit", async () => {
  const { machine, run, now } = await begin();
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "waiting", step: "greedy", costUsd: 0.5, starts: 0, leaseUntil: null });
  expect(told).toEqual([
    "**⏸️ Waiting for you** · The budget of $1.00 for this run is used up: $0.50 spent, and the next call may take $0.60.",
  ]);
  await advance(machine, run.id);
  expect(begun).toBe(1);
  expect(await raise(run, 1.5)).toEqual({ pots: [`run ${run.id}`] });
  expect(await raise(run, 1.5)).toEqual({ refused: "this comment has raised the budget already" });
  expect(await now()).toMatchObject({ state: "queued", waitingFor: null, notBefore: null });
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "done", costUsd: 2 });
  expect(begun).toBe(2);
  expect(told.slice(1)).toEqual(["**🛠️ On it** · I go on"]);
  expect((await listSteps(database, run.id)).map(({ step, state }) => `${step} ${state}`)).toEqual([
    "greedy done",
    "park-1 done",
  ]);
  expect(await raise(run, 1, "later")).toEqual({ refused: `run ${run.id} has ended` });
});

test("a raise while the ticket is being told is not missed", async () => {
  const { machine, run, now } = await begin();
  meanwhile = [() => raise(run, 2)];
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "queued", waitingFor: null });
  await advance(machine, run.id);
  expect((await now()).state).toBe("done");
  expect(told.at(-1)).toContain("I go on");
});

test("neither is a stop", async () => {
  const { machine, run, now } = await begin();
  meanwhile = [() => requestCancel(database, run.id, "Mia asked to stop")];
  await advance(machine, run.id);
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "cancelled", reason: "Mia asked to stop" });
  expect(told.at(-1)).toBe("**⏹️ Cancelled** · I stopped: Mia asked to stop");
});

test("a stop while it waits is told on the ticket", async () => {
  const { machine, run, now } = await begin();
  await advance(machine, run.id);
  await requestCancel(database, run.id, "Mia asked to stop");
  expect(await now()).toMatchObject({ state: "queued", cancelRequested: true, waitingFor: null });
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "cancelled" });
  expect(told.at(-1)).toContain("Cancelled");
});

test("a worker that dies while it parks is no loss: the next one goes on with that, not with the step", async () => {
  const { machine, run, now } = await begin();
  meanwhile = [() => new Promise(() => {})];
  void advance(machine, run.id);
  await expect.poll(async () => (await listSteps(database, run.id)).map(({ step }) => step)).toContain("park-1");
  await database.query("update ticketsmith.runs set lease_until = now() - interval '1 s' where id = $1", [run.id]);
  await advance({ ...machine, quarantine: createQuarantine() }, run.id);
  expect(await now()).toMatchObject({ state: "waiting", epoch: 2 });
  expect(begun).toBe(1);
  expect(told).toHaveLength(1);
});

test("a Jira that is away is waited for, one that refuses is not", async () => {
  const { machine, run, now } = await begin();
  meanwhile = [() => Promise.reject(new Retryable("502")), () => Promise.reject(new Permanent("404"))];
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "queued" });
  await database.query("update ticketsmith.runs set not_before = null where id = $1", [run.id]);
  await advance(machine, run.id);
  expect(await now()).toMatchObject({ state: "waiting", reason: expect.stringContaining("is used up") });
  expect(begun).toBe(1);
});

test("nobody answers: the sweeper wakes it to end", async () => {
  const { machine, run, now } = await begin();
  await advance(machine, run.id);
  await database.query("update ticketsmith.runs set not_before = now() where id = $1", [run.id]);
  const rung: string[] = [];
  await sweepRuns({ database, bell: { ...bell, ring: async (id) => void rung.push(id) }, log: silentLog });
  expect(rung).toEqual([run.id]);
  await advance(machine, run.id);
  expect(await now()).toMatchObject({
    state: "over_budget",
    reason: expect.stringContaining("Nobody raised it in time."),
  });
  expect(told.at(-1)).toContain("Stopped at the budget");
});

test("a call that no day has room for is not waited for from day to day", async () => {
  const { machine, run, now } = await begin();
  const small = { ...policy, budgets: { ...policy.budgets, project: { usdPerDay: 0.55 } } };
  const poor: Engine = { ...machine, services: { ...machine.services, policy: small } };
  await advance(poor, run.id);
  expect((await now()).waitingFor).toMatchObject({
    pots: [expect.stringMatching(/^project SHOP /)],
    afterwards: "end",
  });
});

test("time at work counts, time at a gate does not", async () => {
  const { machine, run, now } = await begin();
  await advance(machine, run.id);
  const worked = (await now()).workedMs;
  await database.query("update ticketsmith.runs set updated_at = now() - interval '1 day' where id = $1", [run.id]);
  await raise(run, 0.1);
  expect((await now()).workedMs).toBe(worked);
  await database.query("update ticketsmith.runs set worked_ms = 75 * 60000 where id = $1", [run.id]);
  await raise(run, 0.1, "again");
  await advance(machine, run.id);
  expect((await now()).reason).toBe("The budget of 72 minutes for this run is used up: 75 minutes spent.");
});

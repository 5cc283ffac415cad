/** The engine, with a real database and queue, and small steps of our own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Ensured } from "../../src/domain/effect.ts";
import { LockedOut, OverBudget, Permanent, Retryable, SystemAway, UserError } from "../../src/domain/errors.ts";
import type { TicketWriter } from "../../src/domain/ports.ts";
import type { Run } from "../../src/domain/run.ts";
import { silentLog } from "../../src/platform/log.ts";
import { printMarkdown } from "../../src/platform/markdown.ts";
import { Policy } from "../../src/platform/policy.ts";
import { advance } from "../../src/runs/advance.ts";
import type { Engine } from "../../src/runs/engine.ts";
import { awayDelay, retryDelay } from "../../src/runs/pauses.ts";
import { createQuarantine } from "../../src/runs/quarantine.ts";
import { type Bell, openBell } from "../../src/runs/queue.ts";
import { startRun } from "../../src/runs/start.ts";
import type { Services, Step, StepContext, StepResult } from "../../src/steps/step.ts";
import { listEffects } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import { claimRun, findRun, handOver, LeaseLost, readPauses, requestCancel } from "../../src/store/runs.ts";
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
/** What the writer does next instead of writing. */
let trouble: Error[] = [];
beforeEach(() => {
  told = [];
  trouble = [];
});

const written: Ensured = { outcome: "updated", ref: { id: "1", url: "https://jira.acme.test/1" } };
const tickets: TicketWriter = {
  async ensureComment({ body }) {
    const error = trouble.shift();
    if (error !== undefined) throw error;
    told.push(printMarkdown(body));
    return written;
  },
  ensureTransition: async () => written,
  ensureLabels: async () => written,
  ensureRemoteLink: async () => written,
};

function step(name: string, execute: (context: StepContext) => Promise<Partial<StepResult<string>>>): Step<string> {
  return {
    name,
    output: z.string(),
    execute: async (context) => ({
      output: `${name} is done`,
      effects: [],
      next: { kind: "continue" },
      ...(await execute(context)),
    }),
  };
}

function say(name: string, ticket: string, body: string) {
  return { name, effect: { kind: "jira.status" as const, ticket, body } };
}

const policy = Policy.parse({
  projects: { SHOP: { repository: "acme/shop" } },
  people: { start: { accounts: ["mia"] } },
});

function engine(steps: Step<string>[], more: Partial<Engine> = {}): Engine {
  return {
    database,
    bell,
    workflows: new Map([["test", { name: "test", steps }]]),
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
    leaseMs: 2000,
    quarantine: createQuarantine(),
    ...more,
  };
}

let count = 0;
async function begin(machine: Engine): Promise<Run> {
  count += 1;
  const run = await startRun(database, machine.workflows, {
    workflow: "test",
    requestedBy: "mia",
    target: { ticket: `SHOP-${count}`, project: "SHOP", repository: "acme/shop" },
  });
  return run!;
}

const now = async (run: Run): Promise<Run> => (await findRun(database, run.id))!;
/** Makes a run due again, as if its pause or lease had passed. */
const due = (run: Run) =>
  database.query("update ticketsmith.runs set not_before = null, lease_until = now() - interval '1 s' where id = $1", [
    run.id,
  ]);

describe("a run", () => {
  test("does one step per ring, in order, and is done after the last", async () => {
    const trail: string[] = [];
    const machine = engine([
      step("one", async () => {
        trail.push("one");
        return {};
      }),
      step("two", async (context) => {
        trail.push(context.output({ name: "one", output: z.string() }));
        return {};
      }),
    ]);
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "queued", step: "two" });
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "done", step: "two", endedAt: expect.any(Date) });
    await advance(machine, run.id);
    expect(trail).toEqual(["one", "one is done"]);
  });

  test("rung fifty times at once does its step once", async () => {
    let times = 0;
    const machine = engine([
      step("one", async () => {
        times += 1;
        return {};
      }),
      step("two", async () => ({})),
    ]);
    const run = await begin(machine);
    await Promise.all(Array.from({ length: 50 }, () => advance(machine, run.id)));
    expect(times).toBeLessThanOrEqual(1);
    expect((await now(run)).step === "two" || (await now(run)).state === "done").toBe(true);
  });

  test("performs effects in order, announcement first", async () => {
    const one: Step<string> = {
      ...step("one", async ({ run }) => ({
        effects: [
          say("a", run.target.ticket, "first"),
          { name: "move", effect: { kind: "jira.transition", ticket: run.target.ticket, status: "In Progress" } },
          say("b", run.target.ticket, "second"),
        ],
      })),
      announce: async ({ run }) => [say("hello", run.target.ticket, "on it")],
    };
    const machine = engine([one]);
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(told.map((text) => text.trim())).toEqual(["on it", "first", "second"]);
    expect((await listEffects(database, run.id)).map((row) => [row.key.replace(run.id, "run"), row.state])).toEqual([
      ["run/one/hello", "settled"],
      ["run/one/a", "settled"],
      ["run/one/move", "settled"],
      ["run/one/b", "settled"],
    ]);
  });

  test("writes a comment once when two texts for it are ready, the newer one", async () => {
    const machine = engine([
      step("one", async ({ run: { target } }) => ({
        effects: [say("a", target.ticket, "first"), say("b", target.ticket, "second"), say("c", "SHOP-0", "elsewhere")],
      })),
    ]);
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(told.map((text) => text.trim())).toEqual(["second", "elsewhere"]);
    expect(
      (await listEffects(database, run.id)).map(({ name, state, outcome, ref }) => [name, state, outcome, ref?.id]),
    ).toEqual([
      ["a", "settled", "superseded", undefined],
      ["b", "settled", "updated", "1"],
      ["c", "settled", "updated", "1"],
    ]);
  });

  test("leaves no older text behind that could be sent after the last one", async () => {
    const machine = engine([
      step("one", async ({ run }) => ({ effects: [say("a", run.target.ticket, "first")] })),
      step("two", async () => ({})),
    ]);
    const run = await begin(machine);
    trouble = [new Permanent("Jira says 403")];
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "failed", reason: "Jira says 403" });
    expect(told).toHaveLength(1);
    expect((await listEffects(database, run.id)).map(({ name, state, outcome }) => [name, state, outcome])).toEqual([
      ["a", "settled", "superseded"],
      ["closed", "settled", "updated"],
    ]);
  });

  test("in a dry run nobody is told anything, and the ledger says so", async () => {
    const machine = engine([step("one", async ({ run }) => ({ effects: [say("a", run.target.ticket, "first")] }))]);
    const dry = { ...machine, door: { ...machine.door, dryRun: true } };
    const run = await begin(dry);
    await advance(dry, run.id);
    expect(told).toEqual([]);
    expect((await listEffects(database, run.id))[0]).toMatchObject({ state: "settled", outcome: "dry_run" });
  });

  test("waits at a gate without a worker", async () => {
    const machine = engine([
      step("one", async () => ({ next: { kind: "wait", gate: { kind: "person", reason: "an approval" } } })),
      step("two", async () => ({})),
    ]);
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "waiting", step: "two", leaseUntil: null, reason: "an approval" });
    await advance(machine, run.id);
    expect((await now(run)).state).toBe("waiting");
  });
});

describe("what goes wrong", () => {
  test.each([
    [new UserError("please add a test command"), "needs_human", "please add a test command"],
    [new Permanent("GitLab says 403"), "failed", "GitLab says 403"],
    [new OverBudget("the budget of $5 is used up"), "over_budget", "the budget of $5 is used up"],
    [new TypeError("x is undefined"), "failed", "an error inside Ticketsmith: x is undefined"],
  ])("%s ends the run and is told once", async (error, state, reason) => {
    const machine = engine([step("one", async () => Promise.reject(error))]);
    const run = await begin(machine);
    await advance(machine, run.id);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state, reason });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(reason);
  });

  test("a passing fault is tried again after the pause that was asked for", async () => {
    let times = 0;
    const machine = engine([
      step("one", async () => {
        times += 1;
        if (times === 1) throw new Retryable("429", { afterMs: 60_000 });
        return {};
      }),
    ]);
    const run = await begin(machine);
    await advance(machine, run.id);
    const parked = await now(run);
    expect(parked).toMatchObject({ state: "queued", reason: "429" });
    expect(parked.notBefore!.getTime()).toBeGreaterThan(Date.now() + 55_000);
    await advance(machine, run.id);
    expect(times).toBe(1);
    await due(run);
    await advance(machine, run.id);
    expect((await now(run)).state).toBe("done");
  });

  test("a fault while writing repeats the writing, not the step", async () => {
    let times = 0;
    const machine = engine([
      step("one", async ({ run }) => {
        times += 1;
        return { effects: [say("a", run.target.ticket, "done")] };
      }),
    ]);
    const run = await begin(machine);
    trouble = [new Retryable("502")];
    await advance(machine, run.id);
    await due(run);
    await advance(machine, run.id);
    expect(times).toBe(1);
    expect(told).toHaveLength(1);
    expect((await listEffects(database, run.id))[0]).toMatchObject({ state: "settled", attempts: 2, error: null });
  });

  test("a run whose ticket cannot be told ends all the same", async () => {
    const machine = engine([step("one", async () => Promise.reject(new UserError("no")))]);
    const run = await begin(machine);
    trouble = [new Permanent("404")];
    await advance(machine, run.id);
    expect((await now(run)).state).toBe("needs_human");
  });

  test("a step that brings its worker down is parked after five starts", async () => {
    const machine = engine([step("one", async () => ({}))]);
    const run = await begin(machine);
    for (let crash = 0; crash < 5; crash += 1) {
      expect(await claimRun(database, run.id, 1)).not.toBeNull();
      await due(run);
    }
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "needs_human", reason: expect.stringContaining("5 times") });
    expect(told).toHaveLength(1);
  });
});

describe("cancellation", () => {
  test("reaches a step that is under way", async () => {
    const machine = engine(
      [
        step(
          "one",
          (context) =>
            new Promise((_resolve, reject) => {
              context.signal.addEventListener("abort", () => reject(context.signal.reason));
              void requestCancel(database, context.run.id, "label ticketsmith was removed");
            }),
        ),
      ],
      { leaseMs: 400 },
    );
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "cancelled", reason: "label ticketsmith was removed" });
    expect(told).toHaveLength(1);
  });

  test("of a queued run is at once", async () => {
    const machine = engine([step("one", async () => ({}))]);
    const run = await begin(machine);
    expect(await requestCancel(database, run.id, "no longer wanted")).toMatchObject({ state: "cancelled" });
    await advance(machine, run.id);
    expect((await now(run)).state).toBe("cancelled");
  });
});

describe("leases", () => {
  test("a worker that was away too long changes nothing any more", async () => {
    const machine = engine([step("one", async () => ({})), step("two", async () => ({}))]);
    const run = await begin(machine);
    const zombie = (await claimRun(database, run.id, 1))!;
    await due(run);
    await advance(machine, run.id);
    await expect(handOver(database, zombie, { state: "failed" })).rejects.toThrow(LeaseLost);
    expect(await now(run)).toMatchObject({ state: "queued", step: "two" });
  });

  test("a worker that was away too long does not say what went wrong, either", async () => {
    const machine = engine([step("one", async ({ run }) => ({ effects: [say("a", run.target.ticket, "first")] }))]);
    const run = await begin(machine);
    const overtaken: TicketWriter = {
      ...tickets,
      async ensureComment() {
        await due(run);
        expect(await claimRun(database, run.id, 60_000)).not.toBeNull();
        throw new Permanent("Jira says 403");
      },
    };
    await advance(
      { ...machine, door: { ...machine.door, writers: { ...machine.door.writers, tickets: overtaken } } },
      run.id,
    );
    expect(await now(run)).toMatchObject({ state: "running", epoch: 2, reason: null });
    expect((await listEffects(database, run.id))[0]).toMatchObject({ state: "sent", error: null, attempts: 1 });
  });

  test("a run that is handed back by a stopping process starts again where it was", async () => {
    const stopping = new AbortController();
    const machine = engine(
      [
        step(
          "one",
          (context) =>
            new Promise((_resolve, reject) => {
              context.signal.addEventListener("abort", () => reject(context.signal.reason));
              stopping.abort(new Error("the process stops"));
            }),
        ),
      ],
      { stopping: stopping.signal },
    );
    const run = await begin(machine);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "queued", step: "one", starts: 0 });
    expect((await listSteps(database, run.id))[0]?.state).toBe("started");
    expect(await readPauses(database, run.id)).toEqual({ tries: 0, awayMs: 0 });
    expect(told).toEqual([]);
  });
});

test("pauses double from 2 s to 5 min, and never undercut what was asked for", () => {
  const bounds = [0, 1, 2, 8, 12].map((tries) => retryDelay(tries, undefined));
  for (const [at, least] of [2000, 4000, 8000, 300_000, 300_000].entries()) {
    expect(bounds[at]).toBeGreaterThanOrEqual(least);
    expect(bounds[at]).toBeLessThanOrEqual((least * 4) / 3);
  }
  expect(retryDelay(0, 45_000)).toBeGreaterThanOrEqual(45_000);
});

test("while a system is away pauses grow with the time that it has been, from 2 s to 5 min", () => {
  const cases = [
    [0, 2000],
    [60_000, 15_000],
    [3_600_000, 300_000],
  ] as const;
  for (const [awayMs, least] of cases) {
    expect(awayDelay(awayMs, undefined)).toBeGreaterThanOrEqual(least);
    expect(awayDelay(awayMs, undefined)).toBeLessThanOrEqual((least * 4) / 3);
  }
  expect(awayDelay(0, 45_000)).toBeGreaterThanOrEqual(45_000);
});

test("a pause of more than a day is a mistake of the one who asks for it", () => {
  expect(retryDelay(0, 1e12)).toBeLessThanOrEqual((24 * 3_600_000 * 4) / 3);
});

describe("a system that refuses our token", () => {
  const refusal = () =>
    new LockedOut("GitLab refuses our token (401): renew GITLAB_TOKEN", { system: "GitLab", afterMs: 300_000 });

  test("makes the run wait as long as it takes, and uses up none of its tries", async () => {
    let renewed = false;
    const machine = engine([
      step("one", async () => {
        if (!renewed) throw refusal();
        throw new Retryable("GitLab answered 503");
      }),
    ]);
    const run = await begin(machine);
    for (let probe = 0; probe < 40; probe += 1) {
      await advance(machine, run.id);
      const waiting = await now(run);
      expect(waiting).toMatchObject({ state: "queued", reason: refusal().message });
      expect(waiting.notBefore?.getTime()).toBeGreaterThan(Date.now() + 290_000);
      await due(run);
    }
    renewed = true;
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "queued", reason: "GitLab answered 503" });
    expect(await readPauses(database, run.id)).toEqual({ tries: 1, awayMs: 0 });
  });

  test("is told on the ticket once, as soon as that can be told, and so is that the run goes on", async () => {
    let renewed = false;
    const machine = engine([
      step("one", async () => {
        if (!renewed) throw refusal();
        return {};
      }),
      step("two", async () => ({})),
    ]);
    const run = await begin(machine);
    trouble = [new Retryable("Jira is down, too")];
    await advance(machine, run.id);
    expect(told).toEqual([]);
    for (let probe = 0; probe < 3; probe += 1) {
      await due(run);
      await advance(machine, run.id);
      expect(told).toHaveLength(1);
    }
    expect(told[0]).toContain("On hold");
    expect(told[0]).toContain(refusal().message);
    renewed = true;
    await due(run);
    trouble = [new Retryable("Jira is slow")];
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "queued", step: "one" });
    await due(run);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "queued", step: "two" });
    expect(told).toHaveLength(2);
    expect(told[1]).toContain("I go on");
    await advance(machine, run.id);
    expect(told).toHaveLength(2);
    expect((await listSteps(database, run.id)).map(({ step: name, state }) => `${name} ${state}`)).toEqual([
      "one done",
      "away-1 done",
      "two done",
    ]);
  });

  test("does not take the place of what the step has to say", async () => {
    const machine = engine([
      step("one", async ({ run }) => ({ effects: [say("a", run.target.ticket, "the result")] })),
    ]);
    const run = await begin(machine);
    trouble = [refusal()];
    await advance(machine, run.id);
    await due(run);
    await advance(machine, run.id);
    expect(told.map((text) => text.trim())).toEqual(["the result"]);
    expect((await now(run)).state).toBe("done");
  });

  test("for a whole day ends the run, and the ticket hears of it", async () => {
    const machine = engine([step("one", async () => Promise.reject(refusal()))]);
    const run = await begin(machine);
    await advance(machine, run.id);
    await database.query("update ticketsmith.runs set away_since = now() - interval '24 hours' where id = $1", [
      run.id,
    ]);
    await due(run);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "failed", reason: `${refusal().message} (nobody did so for a day)` });
    expect(told.at(-1)).toContain("renew");
  });
});

describe("a system that is away", () => {
  const away = () =>
    new SystemAway("GitLab (gitlab.acme.test) does not answer at the moment: 503", {
      system: "GitLab",
      afterMs: 30_000,
    });

  test("is waited for without using up tries, ever more patiently", async () => {
    let back = false;
    const machine = engine([
      step("one", async () => {
        if (!back) throw away();
        return {};
      }),
    ]);
    const run = await begin(machine);
    for (let hour = 0; hour < 23; hour += 1) {
      await advance(machine, run.id);
      expect(await now(run)).toMatchObject({ state: "queued", reason: away().message, starts: 0 });
      expect(await readPauses(database, run.id)).toMatchObject({ tries: 0 });
      await database.query("update ticketsmith.runs set away_since = away_since - interval '1 hour' where id = $1", [
        run.id,
      ]);
      await due(run);
    }
    await advance(machine, run.id);
    expect((await now(run)).notBefore?.getTime()).toBeGreaterThan(Date.now() + 290_000);
    back = true;
    await due(run);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "done", reason: null });
    expect(await readPauses(database, run.id)).toEqual({ tries: 0, awayMs: 0 });
  });

  test("for a whole day ends the run", async () => {
    const machine = engine([step("one", async () => Promise.reject(away()))]);
    const run = await begin(machine);
    await advance(machine, run.id);
    await database.query("update ticketsmith.runs set away_since = now() - interval '24 hours' where id = $1", [
      run.id,
    ]);
    await due(run);
    await advance(machine, run.id);
    expect(await now(run)).toMatchObject({ state: "failed", reason: `${away().message} (I waited for a day)` });
    expect(told.at(-1)).toContain("I waited for a day");
  });

  test("does not hide that a write is refused over and over: that ends after fifteen tries, whatever lies between", async () => {
    const machine = engine([step("one", async ({ run }) => ({ effects: [say("a", run.target.ticket, "first")] }))]);
    const run = await begin(machine);
    for (let round = 0; round < 16; round += 1) {
      trouble = [away()];
      await advance(machine, run.id);
      await due(run);
      trouble = [new Retryable("502")];
      await advance(machine, run.id);
      await due(run);
    }
    expect(await now(run)).toMatchObject({ state: "failed", reason: "502 (given up after 15 tries)" });
  });
});

test("no secret is kept in what a run says about itself", async () => {
  const secret = ["glpat", "Zx9Kq2Wm7Rt4Vb8Nc3Ld"].join("-");
  const machine = engine([
    step("one", async (context) => {
      await context.onTurn({
        agent: "analyst",
        turn: 1,
        added: [
          {
            role: "assistant",
            text: `I found ${secret}`,
            toolCalls: [{ id: "1", name: "run", arguments: `{"argv":["${secret}"]}` }],
          },
        ],
        reply: null,
        durationMs: 1,
        error: `refused: ${secret}`,
      });
      return { effects: [say("a", context.run.target.ticket, "hello")] };
    }),
  ]);
  const run = await begin(machine);
  trouble = [new Permanent(`Jira did not like ${secret}`)];
  await advance(machine, run.id);
  const tables = ["runs", "steps", "turns", "progress", "effects"];
  for (const table of tables) {
    const { rows } = await database.query(`select row_to_json(t)::text as text from ticketsmith.${table} t`);
    const kept = JSON.stringify(rows);
    expect(kept.includes(secret), table).toBe(false);
  }
  expect((await now(run)).reason).toBe("Jira did not like [redacted]");
});

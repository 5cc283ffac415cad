/** What ended runs have left `sent`: looked up, settled or given up, and never brought about afterwards. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Effect, Ensured } from "../../src/domain/effect.ts";
import { Permanent, Retryable } from "../../src/domain/errors.ts";
import type { MergeRequest, Page, Ticket } from "../../src/domain/ticket.ts";
import type { Door } from "../../src/effects/door.ts";
import { type Readers, settleLeftovers } from "../../src/effects/leftovers.ts";
import { silentLog } from "../../src/platform/log.ts";
import { listEffects, planEffects } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import { insertRun } from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** What is in the outside world, and who wrote to it. */
let ticket: Partial<Ticket> | Error;
let request: Partial<MergeRequest> | null;
let page: Partial<Page> | null;
let told: number;
let refusal: Error | null;
beforeEach(() => {
  ticket = { key: "SHOP-1", url: "https://jira.test/SHOP-1", status: "In Review", labels: ["done"] };
  request = { iid: 7, url: "https://gitlab.test/7" };
  page = { id: "70", url: "https://wiki.test/70" };
  told = 0;
  refusal = null;
});

const readers: Readers = {
  tickets: {
    async readTicket() {
      if (ticket instanceof Error) throw ticket;
      return ticket as Ticket;
    },
  },
  code: { findMergeRequest: async () => request as MergeRequest | null },
  pages: { findPage: async () => page as Page | null },
};
const comment: Ensured = { outcome: "updated", ref: { id: "9", url: "https://jira.test/9" } };
const door = {
  get database() {
    return database;
  },
  writers: {
    tickets: {
      async ensureComment() {
        if (refusal !== null) throw refusal;
        told += 1;
        return comment;
      },
    },
  },
  allowedHosts: [],
  dryRun: false,
  log: silentLog,
} as unknown as Door;

let count = 0;
/** A run in the given state with one effect that was sent an hour ago. */
async function leave(effect: Effect, more: { state?: string; step?: string; ticket?: string; age?: string } = {}) {
  count += 1;
  const target = { ticket: more.ticket ?? `SHOP-${count}`, project: "SHOP", repository: "acme/shop" };
  const run = await insertRun(database, {
    id: `run${count}`,
    workflow: "deliver",
    step: "publish",
    requestedBy: "mia",
    target,
  });
  if (run === null) throw new Error("the ticket has a run already");
  await planEffects(database, run, more.step ?? "publish", [{ name: "it", effect }]);
  await database.query(
    `update ticketsmith.effects set state = 'sent', attempts = 1, sent_at = now() - interval '1 hour',
       planned_at = now() - $2::interval where run_id = $1`,
    [run.id, more.age ?? "1 hour"],
  );
  await database.query("update ticketsmith.runs set state = $2 where id = $1", [run.id, more.state ?? "cancelled"]);
  return {
    target,
    row: async () => (await listEffects(database, run.id))[0]!,
    again: () =>
      database.query("update ticketsmith.effects set sent_at = now() - interval '1 hour' where run_id = $1", [run.id]),
  };
}
const round = () => settleLeftovers(door, readers);

const transition: Effect = { kind: "jira.transition", ticket: "SHOP-1", status: "In Review" };
const labels: Effect = { kind: "jira.labels", ticket: "SHOP-1", add: ["done"], remove: ["todo"] };
const mergeRequest: Effect = {
  kind: "gitlab.mergeRequest",
  repository: "acme/shop",
  sourceBranch: "ticketsmith/SHOP-1",
  targetBranch: "main",
  title: "t",
  body: "b",
  draft: true,
  labels: [],
};
const wikiPage: Effect = {
  kind: "confluence.page",
  space: "SHOP",
  parentTitle: null,
  subject: "SHOP-1",
  title: "t",
  body: "b",
  labels: [],
  versionMessage: "",
};
const status: Effect = { kind: "jira.status", ticket: "SHOP-1", body: "I began." };

describe("leftovers", () => {
  test.each<[string, Effect, string]>([
    ["a transition", transition, "SHOP-1"],
    ["labels", labels, "SHOP-1"],
    ["a merge request", mergeRequest, "7"],
    ["a page", wikiPage, "70"],
  ])("%s that is there is settled with where it is", async (_name, effect, id) => {
    const left = await leave(effect);
    expect(await round()).toBe(1);
    expect(await left.row()).toMatchObject({ state: "settled", outcome: "unchanged", ref: { id } });
  });

  test.each<[string, Effect]>([
    ["a transition", { ...transition, status: "Done" }],
    ["labels", { ...labels, remove: ["done"] }],
    ["a merge request", mergeRequest],
    ["a page", wikiPage],
    ["a comment", status],
  ])("%s that is not there is given up, not made", async (_name, effect) => {
    request = null;
    page = null;
    const left = await leave(effect);
    await round();
    expect(await left.row()).toMatchObject({ state: "failed", error: expect.stringMatching(/the run ended first/) });
    expect(told).toBe(0);
    expect(await round()).toBe(0);
  });

  test("what a run at work has sent is left to it", async () => {
    const left = await leave(transition, { state: "running" });
    expect(await round()).toBe(0);
    expect((await left.row()).state).toBe("sent");
  });

  test("what its run takes up again meanwhile is left to it", async () => {
    const left = await leave(transition, { state: "waiting" });
    const readTicket = readers.tickets.readTicket;
    const slow: Readers = {
      ...readers,
      tickets: {
        async readTicket(key) {
          await database.query("update ticketsmith.runs set state = 'running', epoch = 1 where ticket = $1", [
            left.target.ticket,
          ]);
          await database.query(
            "update ticketsmith.effects set attempts = attempts + 1, sent_at = now() where key = $1",
            [(await left.row()).key],
          );
          return { ...(await readTicket(key)), status: "Done" };
        },
      },
    };
    expect(await settleLeftovers(door, slow)).toBe(1);
    expect(await left.row()).toMatchObject({ state: "sent", error: null });
  });

  test("an outage is waited for, but not for ever", async () => {
    ticket = new Retryable("Jira is down");
    const left = await leave(transition);
    await round();
    expect(await left.row()).toMatchObject({ state: "sent", error: "Jira is down", attempts: 2 });
    expect(await round()).toBe(0);
    await left.again();
    ticket = new Permanent("gone", { status: 404 });
    await round();
    expect(await left.row()).toMatchObject({ state: "failed", error: "gone" });

    ticket = new Retryable("Jira is still down");
    const ancient = await leave(transition, { age: "8 days" });
    await round();
    expect(await ancient.row()).toMatchObject({ state: "failed", error: "Jira is still down" });
  });

  test("a bug in one row does not hold up the others", async () => {
    ticket = new TypeError("oops");
    const [broken, fine] = [await leave(transition), await leave(mergeRequest)];
    await round();
    expect([(await broken.row()).state, (await fine.row()).state]).toEqual(["failed", "settled"]);
  });

  test("the last word is said after all, unless a younger run has the floor", async () => {
    const left = await leave(status, { step: "close-3", state: "failed" });
    await round();
    expect(await left.row()).toMatchObject({ state: "settled", outcome: "updated", ref: { id: "9" } });
    expect(told).toBe(1);

    const overtaken = await leave(status, { step: "close-3", state: "failed" });
    await leave(transition, { ticket: overtaken.target.ticket, state: "running" });
    await round();
    expect((await overtaken.row()).state).toBe("failed");
    expect(told).toBe(1);

    refusal = new Retryable("Jira is down");
    const silent = await leave(status, { step: "close-3", state: "failed" });
    await round();
    expect(await silent.row()).toMatchObject({ state: "sent", error: "Jira is down" });
  });
});

/** What is known of the systems outside, by whichever process found it. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createOutsideBoard, isTrouble, type OutsideState } from "../../src/events/standing.ts";
import type { BreakerState } from "../../src/platform/breaker.ts";
import { noteWebhooks } from "../../src/store/outside.ts";
import type { Database } from "../../src/store/queryable.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.query("truncate ticketsmith.outside");
});

const since = new Date("2026-03-02T09:00:00.000Z");
const closed: BreakerState = { system: "GitLab", host: "gitlab.acme.test", state: "closed", since: null, reason: "" };
const open: BreakerState = { ...closed, state: "open", since, reason: "503" };
const locked: BreakerState = { ...closed, state: "locked_out", since, reason: "renew GITLAB_TOKEN" };

/** A process with its board; `is` may change. */
function process() {
  const it = { is: closed };
  const board = createOutsideBoard({ database, breakers: () => [it.is], repositories: ["acme/shop"] });
  return { it, board };
}
const shown = (states: readonly OutsideState[]) => states.map(({ name, state }) => `${name} ${state}`);

test("what one process finds, all of them show, until it finds otherwise", async () => {
  const [api, worker] = [process(), process()];
  worker.it.is = open;
  await worker.board.note();
  expect(await api.board.read()).toEqual([
    { kind: "system", name: "GitLab", host: "gitlab.acme.test", state: "open", since, reason: "503" },
  ]);
  worker.it.is = locked;
  await worker.board.note();
  api.it.is = open;
  await api.board.note();
  expect(shown(await api.board.read())).toEqual(["GitLab locked_out"]);
  expect((await api.board.read()).filter(isTrouble)).toHaveLength(1);
  worker.it.is = closed;
  api.it.is = closed;
  await Promise.all([worker.board.note(), api.board.note()]);
  expect(shown(await api.board.read())).toEqual(["GitLab closed"]);
  expect((await api.board.read()).filter(isTrouble)).toEqual([]);
});

test("nothing is written while all is well", async () => {
  const { board } = process();
  await board.note();
  expect((await database.query("select 1 from ticketsmith.outside")).rows).toEqual([]);
});

test("a process that is gone is not believed for ever", async () => {
  const [api, worker] = [process(), process()];
  worker.it.is = open;
  await worker.board.note();
  await database.query("update ticketsmith.outside set found_at = now() - interval '2 minutes'");
  expect(shown(await api.board.read())).toEqual(["GitLab closed"]);
  await database.query("update ticketsmith.outside set found_at = now() - interval '2 hours'");
  api.it.is = open;
  await api.board.note();
  expect((await database.query("select 1 from ticketsmith.outside")).rows).toHaveLength(1);
});

test("webhooks keep the moment from which on they are as they are, and others' are not shown", async () => {
  const { board } = process();
  const note = (state: string) =>
    noteWebhooks(
      database,
      ["acme/shop", "acme/gone"].map((name) => ({ name, state, reason: "", since: null })),
    );
  await note("off");
  const [, first] = await board.read();
  expect(first).toMatchObject({ kind: "webhook", name: "acme/shop", state: "off", since: expect.any(Date) });
  await note("off");
  const [, again] = await board.read();
  expect(again?.since).toEqual(first?.since);
  expect([first, again].every((one) => one !== undefined && isTrouble(one))).toBe(true);
  await note("working");
  const [, mended, ...rest] = await board.read();
  expect(mended?.state).toBe("working");
  expect(mended?.since?.getTime()).toBeGreaterThanOrEqual(first!.since!.getTime());
  expect(rest).toEqual([]);
});

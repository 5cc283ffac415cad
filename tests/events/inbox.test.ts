/** Deliveries on their way into the database, and the verdicts that some of them come with. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Event, IncomingDelivery } from "../../src/domain/event.ts";
import { createInbox } from "../../src/events/accept.ts";
import { foregone } from "../../src/events/foregone.ts";
import { Policy } from "../../src/platform/policy.ts";
import type { Database } from "../../src/store/queryable.ts";
import { openTestDatabase } from "../support/database.ts";

const policy = Policy.parse({
  projects: { SHOP: { repository: "acme/shop" } },
  people: { start: { roles: ["Developers"] } },
});
const self = { jira: "bot", gitlab: "900" };
const mia = { id: "mia", name: "Mia" };
const about = { ticket: "SHOP-1", project: "SHOP", actor: mia };

const edited: Event = { type: "ticket.edited", ...about, fields: ["description"] };
const labelled: Event = { type: "ticket.labelled", ...about, added: ["ticketsmith"] };

describe("what needs no facts", () => {
  test.each<[name: string, event: Event, reason: RegExp | null]>([
    ["an edit", edited, /nothing to do/],
    ["another label", { ...labelled, added: ["urgent"] }, /no trigger/],
    ["another project", { ...labelled, project: "HR" }, /HR is not in the configuration/],
    ["what the bot did itself", { ...labelled, actor: { id: "bot", name: "Ticketsmith" } }, /own doing/],
    ["a trigger: who may start, and is a run at work?", labelled, null],
    ["its removal: is a run at work?", { type: "ticket.unlabelled", ...about, removed: ["ticketsmith"] }, null],
    ["a deleted ticket: is a run at work?", { type: "ticket.deleted", ...about }, null],
  ])("%s", (_name, event, reason) => {
    const found = foregone(event, self, policy);
    if (reason === null) expect(found).toBeNull();
    else expect(found).toMatch(reason);
  });
});

describe("the inbox", () => {
  let database: Database;
  let calls: number;
  let statements: number[];
  let accept: (delivery: IncomingDelivery) => Promise<{ duplicate: boolean }>;

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query("delete from ticketsmith.deliveries");
    calls = 0;
    statements = [];
    const counted: Database = {
      ...database,
      prepared: (name, sql, params) => {
        statements.push((params[1] as unknown[]).length);
        return database.prepared(name, sql, params);
      },
    };
    const inbox = createInbox({
      database: counted,
      foregone: (event) => foregone(event, self, policy),
      onCommitted: () => {
        calls += 1;
      },
    });
    accept = (delivery) => inbox.accept(delivery);
  });

  const delivery = (key: string, event: Event, body = "{}"): IncomingDelivery => ({
    sender: "jira",
    key,
    kind: "jira:issue_updated",
    body,
    parsed: { event },
  });
  const rows = async () =>
    (
      await database.query<{ key: string; body: string; verdict: string; reason: string; decided: boolean }>(
        `select key, body, verdict, reason, decided_at is not null as decided from ticketsmith.deliveries order by id`,
      )
    ).rows;

  test("commits what comes to nothing together with its verdict, and wakes nobody", async () => {
    expect(await accept(delivery("a", edited))).toEqual({ duplicate: false });
    expect(await rows()).toEqual([
      { key: "a", body: "{}", verdict: "ignored", reason: "nothing to do for ticket.edited", decided: true },
    ]);
    expect(calls).toBe(0);
  });

  test("leaves the rest to be decided, and says so once per commit", async () => {
    await Promise.all([
      accept(delivery("a", labelled)),
      accept(delivery("b", edited)),
      accept(delivery("c", labelled)),
    ]);
    expect((await rows()).map(({ key, verdict }) => `${key} ${verdict}`)).toEqual([
      "a pending",
      "b ignored",
      "c pending",
    ]);
    expect(statements).toEqual([3]);
    expect(calls).toBe(1);
  });

  test("a bug in the routing is no reason to turn a delivery away", async () => {
    const inbox = createInbox({
      database,
      foregone: () => {
        throw new Error("a bug");
      },
      onCommitted: () => {},
    });
    expect(await inbox.accept(delivery("a", edited))).toEqual({ duplicate: false });
    expect((await rows()).map(({ verdict }) => verdict)).toEqual(["pending"]);
  });

  test("one after the other, each as soon as the last was answered", async () => {
    for (const key of ["a", "b", "c"]) expect(await accept(delivery(key, edited))).toEqual({ duplicate: false });
    expect(statements).toEqual([1, 1, 1]);
  });

  test("a known delivery changes nothing and wakes nobody", async () => {
    await accept(delivery("a", labelled));
    expect(await accept(delivery("a", labelled, '{"other":1}'))).toEqual({ duplicate: true });
    expect((await rows()).map(({ body }) => body)).toEqual(["{}"]);
    expect(calls).toBe(1);
  });

  test("bodies arrive as they were signed, whatever their neighbours in the commit are", async () => {
    const bodies = ["", "ä", "\u{1f6a2}\u{1f6a2}", '{"text":"a\\\\b, \\"c\\" {d} NULL"}', "日本", "x".repeat(70_000)];
    await Promise.all(bodies.map((body, index) => accept(delivery(`k${index}`, edited, body))));
    expect((await rows()).map(({ body }) => body)).toEqual(bodies);
    expect(statements).toEqual([bodies.length]);
  });

  test("large bodies are spread over several commits, in their order", async () => {
    const body = "x".repeat(3 * 1024 * 1024);
    await Promise.all(["a", "b", "c", "d"].map((key) => accept(delivery(key, edited, body))));
    expect((await rows()).map(({ key }) => key)).toEqual(["a", "b", "c", "d"]);
    expect(statements).toEqual([2, 2]);
  });
});

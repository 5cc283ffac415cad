/** Which labels nobody told of, and what is done about them when Jira is odd or down. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Permanent, Retryable } from "../../src/domain/errors.ts";
import type { TicketSearch } from "../../src/domain/ports.ts";
import type { LabelChange, LabelledTicket } from "../../src/domain/ticket.ts";
import { createInbox } from "../../src/events/accept.ts";
import { findUnlabelling, listLabellings, startOf } from "../../src/events/missed.ts";
import { type Reconciler, reconcileTickets } from "../../src/events/reconcile.ts";
import { silentLog } from "../../src/platform/log.ts";
import { Policy } from "../../src/platform/policy.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import type { Database } from "../../src/store/queryable.ts";
import { insertRun } from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

const mia = { id: "mia", name: "Mia" };
const otto = { id: "otto", name: "Otto" };
const triggers = ["ticketsmith", "ticketsmith-fast"];
const day = "2026-03-02T09:00:00.000Z";
const found = (more: Partial<LabelledTicket> = {}): LabelledTicket => ({
  id: "10001",
  key: "SHOP-1",
  project: "SHOP",
  labels: ["ticketsmith"],
  creator: otto,
  createdAt: day,
  ...more,
});
const change = (id: string, added: string[], removed: string[] = [], at = day): LabelChange => ({
  id,
  at,
  actor: mia,
  added,
  removed,
});

describe("labellings", () => {
  const table: [name: string, LabelledTicket, LabelChange[], expected: object[]][] = [
    ["a label that was added", found(), [change("1", ["ticketsmith"])], [{ changeId: "1", by: "mia" }]],
    [
      "among other labels",
      found({ labels: ["urgent", "ticketsmith"] }),
      [change("1", ["ticketsmith", "urgent"])],
      [{ changeId: "1", by: "mia" }],
    ],
    [
      "added twice: the last time",
      found(),
      [change("1", ["ticketsmith"]), change("2", [], ["ticketsmith"]), change("3", ["ticketsmith"])],
      [{ changeId: "3", by: "mia" }],
    ],
    ["there from the creation", found(), [change("1", ["urgent"])], [{ changeId: "created:10001", by: "otto" }]],
    [
      "taken off since the search saw it",
      found(),
      [change("1", ["ticketsmith"]), change("2", [], ["ticketsmith"])],
      [],
    ],
    ["there from the creation, and taken off", found(), [change("2", [], ["ticketsmith"])], []],
    ["no trigger", found({ labels: ["urgent"] }), [change("1", ["urgent"])], []],
    ["two triggers at once", found({ labels: triggers }), [change("1", triggers)], [{ changeId: "1", by: "mia" }]],
    [
      "two triggers one after the other",
      found({ labels: triggers }),
      [change("1", ["ticketsmith"]), change("2", ["ticketsmith-fast"])],
      [
        { changeId: "1", by: "mia" },
        { changeId: "2", by: "mia" },
      ],
    ],
  ];
  test.each(table)("%s", (_name, ticket, changes, expected) => {
    const labellings = listLabellings(ticket, changes, triggers);
    expect(labellings.map(({ changeId, event }) => ({ changeId, by: event.actor?.id }))).toEqual(expected);
    for (const { changeId, event } of labellings)
      expect(event).toMatchObject({ ticket: "SHOP-1", project: "SHOP", changeId });
  });
});

describe("labels that were taken off", () => {
  const later = "2026-03-02T10:00:00.000Z";
  const table: [name: string, changes: LabelChange[], expected: object | null][] = [
    [
      "after the run began",
      [change("1", ["ticketsmith"]), change("2", [], ["ticketsmith", "urgent"], later)],
      { changeId: "2" },
    ],
    ["before", [change("0", [], ["ticketsmith"]), change("1", ["ticketsmith"])], null],
    ["others", [change("1", ["ticketsmith"]), change("2", [], ["urgent"], later)], null],
    ["never: the run was asked for elsewhere", [], null],
  ];
  test.each(table)("%s", (_name, changes, expected) => {
    const from = startOf({ changeId: "1", createdAt: new Date(day) }, changes);
    const unlabelling = findUnlabelling(found({ labels: [] }), changes, triggers, from);
    if (expected === null) expect(unlabelling).toBeNull();
    else
      expect(unlabelling).toMatchObject({
        ...expected,
        event: { type: "ticket.unlabelled", actor: mia, ticket: "SHOP-1" },
      });
  });

  test("what a run concerns begins with the change that asked for it, by the clock of Jira", () => {
    const createdAt = new Date("2030-01-01T00:00:00.000Z");
    const changes = [change("1", ["ticketsmith"])];
    expect(startOf({ changeId: "1", createdAt }, changes)).toEqual(new Date(day));
    expect(startOf({ changeId: "created:10001", createdAt }, changes)).toEqual(new Date(0));
    expect(startOf({ changeId: "9", createdAt }, changes)).toEqual(createdAt);
    expect(startOf({ changeId: null, createdAt }, changes)).toEqual(createdAt);
  });
});

describe("a look", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());

  let tickets: LabelledTicket[];
  let changes: LabelChange[];
  let asked: { projects: readonly string[]; minutes: number }[];
  /** Thrown instead of an answer, by project. */
  let trouble: Map<string, Error>;
  beforeEach(async () => {
    await database.query("truncate ticketsmith.deliveries, ticketsmith.looks, ticketsmith.runs cascade");
    tickets = [found({ createdAt: ago(600) })];
    changes = [change("7", ["ticketsmith"], [], ago(3))];
    asked = [];
    trouble = new Map();
  });
  const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
  const search: TicketSearch = {
    async findLabelled({ projects, minutes }) {
      asked.push({ projects, minutes });
      for (const project of projects) {
        const error = trouble.get(project);
        if (error !== undefined) throw error;
      }
      return tickets.filter(({ project }) => projects.includes(project));
    },
    async readLabelChanges({ key }) {
      const error = trouble.get(key);
      if (error !== undefined) throw error;
      return changes;
    },
  };
  const projects = { SHOP: { repository: "acme/shop" }, OPS: { repository: "acme/ops" } };
  const look = (more: Partial<Reconciler> = {}) =>
    reconcileTickets({
      database,
      inbox: createInbox({ database, onCommitted: () => {} }),
      tickets: search,
      policy: Policy.parse({ projects, people: { start: { accounts: ["mia"] } } }),
      site: "https://acme.test",
      log: silentLog,
      everyMs: 0,
      ...more,
    });
  const keys = async () => (await listDeliveries(database, 50)).map(({ key }) => key);
  const missed = "jira:reconciled:https://acme.test:10001:7";

  test("finds what was missed, and finds it once", async () => {
    expect(await look()).toBe(1);
    expect(await look()).toBe(0);
    expect(await keys()).toEqual([missed]);
  });

  test("comes no more often than it should, whoever asks", async () => {
    expect(await look({ everyMs: 60_000 })).toBe(1);
    expect(await look({ everyMs: 60_000 })).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test("gives a webhook time to arrive", async () => {
    changes = [change("7", ["ticketsmith"], [], ago(0.2))];
    expect(await look()).toBe(0);
    expect(await look({ graceMs: 0 })).toBe(1);
  });

  test("leaves alone what a webhook told of, whatever became of it", async () => {
    const inbox = createInbox({ database, onCommitted: () => {} });
    const event = listLabellings(tickets[0]!, changes, triggers)[0]!.event;
    await inbox.accept({ sender: "jira", key: "jira:real", kind: "x", body: "", parsed: { event } });
    expect(await look()).toBe(0);
  });

  test("leaves alone what was started by other means since", async () => {
    const target = { ticket: "SHOP-1", project: "SHOP", repository: "acme/shop" };
    await insertRun(database, { id: "r1", workflow: "deliver", step: "understand", requestedBy: "mia", target });
    expect(await look()).toBe(0);
    changes = [change("7", ["ticketsmith"], [], new Date(Date.now() + 1000).toISOString())];
    expect(await look({ graceMs: -5000 })).toBe(1);
  });

  test("does not dig out what was labelled long before the bot was there", async () => {
    changes = [change("7", ["ticketsmith"], [], ago(60))];
    expect(await look()).toBe(0);
  });

  test("looks back over the time that it was away, for a week at most", async () => {
    await look();
    await database.query("update ticketsmith.looks set seen_until = now() - interval '2 hours'");
    changes = [change("8", ["ticketsmith"], [], ago(60))];
    expect(await look()).toBe(1);
    await database.query("update ticketsmith.looks set seen_until = now() - interval '30 days'");
    changes = [change("9", ["ticketsmith"], [], ago(8 * 24 * 60))];
    expect(await look()).toBe(0);
    expect(asked.map(({ minutes }) => minutes)).toEqual([15, expect.toBeOneOf([135, 136]), 7 * 24 * 60]);
  });

  test("forgets nothing when Jira is down in the middle of it", async () => {
    await look();
    await database.query("update ticketsmith.looks set seen_until = now() - interval '2 hours'");
    changes = [change("8", ["ticketsmith"], [], ago(60))];
    trouble.set("SHOP-1", new Retryable("Jira is down"));
    await expect(look()).rejects.toThrow("Jira is down");
    trouble.clear();
    expect(await look()).toBe(1);
  });

  test("is not blinded by a project that is gone, nor by a ticket", async () => {
    trouble.set("OPS", new Permanent("no such project", { status: 400 }));
    expect(await look()).toBe(1);
    expect(asked.map((one) => one.projects)).toEqual([["SHOP", "OPS"], ["SHOP"], ["OPS"]]);
    tickets = [found({ key: "SHOP-9", id: "10009" }), found()];
    changes = [change("10", ["ticketsmith"], [], ago(3))];
    trouble.set("SHOP-9", new Permanent("no such ticket", { status: 404 }));
    expect(await look()).toBe(1);
  });
});

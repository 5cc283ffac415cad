/** One label, told of a thousand times; six events in every order; a storm with forgeries. `npm run chaos storms` has the long version. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { Event } from "../../src/domain/event.ts";
import { createInbox } from "../../src/events/accept.ts";
import { createDecider } from "../../src/events/decide.ts";
import { foregone } from "../../src/events/foregone.ts";
import { silentLog } from "../../src/platform/log.ts";
import { Policy } from "../../src/platform/policy.ts";
import { understand } from "../../src/steps/understand.ts";
import type { Database } from "../../src/store/queryable.ts";
import { allDecided, labelOne, openStorm, send, storm, type Webhook } from "../chaos/battery/storm.ts";
import type { World } from "../chaos/world.ts";
import { openTestDatabase } from "../support/database.ts";

/** Sends all, `parallel` at a time. @returns how often each status was answered */
async function sendAll(url: string, webhooks: readonly Webhook[], parallel: number): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  const left = [...webhooks];
  const sender = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { status } = await send(url, next);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: parallel }, sender));
  return statuses;
}

describe("one change, told of a thousand times", () => {
  let world: World;
  let url: string;
  beforeAll(async () => {
    ({ world, url } = await openStorm(inject("postgresUrl")));
  });
  afterAll(() => world.close());

  const runsOf = async (ticket: string): Promise<number> =>
    (await world.database.query("select 1 from ticketsmith.runs where ticket = $1", [ticket])).rows.length;
  const deliveriesOf = async (ticket: string): Promise<Record<string, number>> => {
    const { rows } = await world.database.query<{ verdict: string; n: number }>(
      "select verdict, count(*)::int as n from ticketsmith.deliveries where event ->> 'ticket' = $1 group by 1",
      [ticket],
    );
    return Object.fromEntries(rows.map(({ verdict, n }) => [verdict, n]));
  };

  test("under one identifier, 50 at a time, it starts one run", async () => {
    const { ticket, webhook } = labelOne(world);
    expect(await sendAll(url, new Array(1000).fill(webhook), 50)).toEqual({ 202: 1000 });
    await allDecided(world);
    expect(await deliveriesOf(ticket)).toEqual({ handled: 1 });
    expect(await runsOf(ticket)).toBe(1);
  });

  test("under a thousand identifiers, before and after that run has ended, it starts one run", async () => {
    const { ticket, webhook } = labelOne(world);
    const renamed = Array.from({ length: 1000 }, () => ({ ...webhook, id: randomUUID() }));
    expect(await sendAll(url, renamed.slice(0, 500), 50)).toEqual({ 202: 500 });
    await allDecided(world);
    await world.database.query("update ticketsmith.runs set state = 'done', ended_at = now() where ticket = $1", [
      ticket,
    ]);
    expect(await sendAll(url, renamed.slice(500), 50)).toEqual({ 202: 500 });
    await allDecided(world);
    expect(await deliveriesOf(ticket)).toEqual({ handled: 1, ignored: 999 });
    expect(await runsOf(ticket)).toBe(1);
  });
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, at) => permutations(list.toSpliced(at, 1)).map((rest) => [first, ...rest]));
}

/**
 * The end is decided by the ticket as it is now, not by which message came last: a ticket that carries the label has one queued
 * run, a ticket from which it was taken has none.
 */
describe("six events of a ticket in all 720 orders", { timeout: 120_000 }, () => {
  const policy = Policy.parse({
    projects: { SHOP: { repository: "acme/shop" } },
    people: { start: { roles: ["Developers"] } },
  });
  const self = { jira: "bot", gitlab: "900" };
  const mia = { id: "mia", name: "Mia" };
  const eventsOf = (ticket: string) => {
    const about = { ticket, project: "SHOP", actor: mia };
    return {
      created: { type: "ticket.created", ...about, changeId: `created:${ticket}`, labels: [] },
      labelled: { type: "ticket.labelled", ...about, changeId: `label:${ticket}`, added: ["ticketsmith"] },
      edited: { type: "ticket.edited", ...about, fields: ["description"] },
      commented: { type: "ticket.commented", ...about, commentId: "1", body: "Please soon!", self: "" },
      transitioned: { type: "ticket.transitioned", ...about, from: "To Do", to: "In Progress" },
      assigned: { type: "ticket.assigned", ...about, assignee: "mia" },
      unlabelled: { type: "ticket.unlabelled", ...about, removed: ["ticketsmith"] },
    } satisfies Record<string, Event>;
  };
  type Name = keyof ReturnType<typeof eventsOf>;

  // One for each test: a decider gives every pending delivery its verdict, whoever sent it.
  let database: Database;
  beforeEach(async () => {
    database = await openTestDatabase();
  });
  afterEach(() => database.close());

  /** Every order on a ticket of its own. @returns how the tickets end, and how many of them so */
  async function endsOf(
    kind: string,
    names: readonly Name[],
    labels: readonly string[],
  ): Promise<Record<string, number>> {
    const orders = permutations(names);
    expect(orders).toHaveLength(720);
    const rung: string[] = [];
    const decide = createDecider({
      database,
      policy,
      log: silentLog,
      self,
      workflows: new Map([["deliver", { name: "deliver", steps: [understand] }]]),
      bell: { ring: async (run) => void rung.push(run), answer: () => {}, close: async () => {} },
      code: {
        findMergeRequest: async () => null,
        readPerson: async ({ userId }) => ({ id: userId, name: userId, level: 0, bot: false }),
        isInGroup: async () => false,
      },
      tickets: {
        readMembership: async () => ({ roles: ["Developers"], groups: [] }),
        readTicket: async (key) => ({
          ...{ key, id: key, project: "SHOP", url: "", type: "Bug", summary: "", description: "", status: "To Do" },
          ...{ statusCategory: "new", labels, reporter: mia, assignee: null, comments: [], updatedAt: "" },
        }),
      },
    });
    const deliveries = orders.flatMap((order, at) => {
      const events = eventsOf(`SHOP-${kind}-${at}`);
      return order.map((name) => ({
        sender: "jira" as const,
        key: `${kind}-${at}-${name}`,
        kind: name,
        body: "{}",
        parsed: { event: events[name] },
      }));
    });
    const inbox = createInbox({ database, foregone: (event) => foregone(event, self, policy), onCommitted: () => {} });
    await Promise.all(deliveries.map((delivery) => inbox.accept(delivery)));
    await decide();
    const { rows } = await database.query<{ state: string; n: number }>(
      `select state, count(*)::int as n from (
         select distinct d.event ->> 'ticket' as ticket, coalesce(r.state, 'none') as state
         from ticketsmith.deliveries d left join ticketsmith.runs r on r.ticket = d.event ->> 'ticket'
         where starts_with(d.key, $1) and d.verdict <> 'pending') tickets group by 1`,
      [`${kind}-`],
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }

  test("a ticket with the label has one queued run", async () => {
    const names: Name[] = ["created", "labelled", "edited", "commented", "transitioned", "assigned"];
    expect(await endsOf("kept", names, ["ticketsmith"])).toEqual({ queued: 720 });
  });

  test("a ticket from which the label was taken has none", async () => {
    const names: Name[] = ["created", "labelled", "edited", "commented", "transitioned", "unlabelled"];
    expect(await endsOf("taken", names, [])).toEqual({ none: 720 });
  });

  test("a ticket to which the label came back has one queued run, even when the removal is told of last", async () => {
    const names: Name[] = ["created", "labelled", "edited", "commented", "transitioned", "unlabelled"];
    expect(await endsOf("back", names, ["ticketsmith"])).toEqual({ queued: 720 });
  });
});

test("a storm loses nothing and lets no forgery in", { timeout: 120_000 }, async () => {
  const report = await storm({ postgresUrl: inject("postgresUrl"), seed: 1, events: 600, seconds: 3 });
  expect(report.wrong).toEqual([]);
  expect(report.peakMb).toBeLessThan(512);
});

/** Searching for labelled tickets and reading who labelled them, against the stand-in. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createJiraCloud } from "../../../src/integrations/jira/cloud.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { type JiraStandIn, startJira } from "../../../src/stand-ins/jira/jira.ts";

const mia = { accountId: "mia", displayName: "Mia", email: "mia@acme.test", apiToken: "mia-token" };
const bot = { accountId: "bot", email: "bot@acme.test", apiToken: "bot-token-0123456789" };
let jira: JiraStandIn;
let now: number;
beforeEach(async () => {
  now = Date.parse("2026-03-02T09:00:00Z");
  jira = await startJira({ projects: [{ key: "SHOP" }, { key: "OPS" }], users: [mia], bot, now: () => now });
});
afterEach(async () => {
  expect(jira.unknown).toEqual([]);
  await jira.close();
});
const adapter = (apiToken = bot.apiToken) =>
  createJiraCloud({ baseUrl: jira.url, email: bot.email, apiToken, log: silentLog });
const search = { projects: ["SHOP", "OPS"], labels: ["ticketsmith", 'odd"\\label'], minutes: 30 };

describe("findLabelled", () => {
  test("finds by project, label and time, over all pages", async () => {
    for (let count = 0; count < 205; count += 1) {
      jira.createIssue({ project: "SHOP", summary: `${count}`, labels: ["ticketsmith"] });
    }
    jira.createIssue({ project: "SHOP", summary: "other", labels: ["urgent"] });
    jira.createIssue({ project: "OPS", summary: "odd", labels: ['odd"\\label'] });
    const found = await adapter().findLabelled(search);
    expect(new Set(found.map(({ key }) => key)).size).toBe(206);
    expect(found.find(({ project }) => project === "OPS")).toEqual({
      id: jira.issue("OPS-1").id,
      key: "OPS-1",
      project: "OPS",
      labels: ['odd"\\label'],
      creator: { id: "mia", name: "Mia" },
      createdAt: "2026-03-02T09:00:00.000Z",
    });
    now += 31 * 60_000;
    expect(await adapter().findLabelled(search)).toEqual([]);
  });

  test("asks nothing when there is nothing to ask for", async () => {
    expect(await adapter().findLabelled({ ...search, labels: [] })).toEqual([]);
    expect(jira.requests).toEqual([]);
  });

  test("does not take the answer to a dead token for an empty one", async () => {
    await expect(adapter("dead-token-0123456789").findLabelled(search)).rejects.toMatchObject({ status: 401 });
  });
});

describe("readLabelChanges", () => {
  test("tells who added what, over all pages, with the ids of the webhooks", async () => {
    jira.hooks.push({ id: 1, name: "", url: "http://127.0.0.1:9", secret: null, events: [], filter: "" });
    const ticket = jira.createIssue({ project: "SHOP", summary: "many changes", labels: ["old"] });
    for (let count = 0; count < 120; count += 1) jira.edit(ticket.key, { summary: `change ${count}` });
    now += 60_000;
    jira.editLabels(ticket.key, { add: ["ticketsmith", "new"], remove: ["old"] });
    const changes = await adapter().readLabelChanges(ticket);
    const webhook = jira.webhookDeliveries.findLast(({ body }) => body.includes("ticketsmith"));
    const { changelog } = JSON.parse(webhook?.body ?? "{}") as { changelog: { id: string } };
    expect(changes).toEqual([
      {
        id: changelog.id,
        at: "2026-03-02T09:01:00.000Z",
        actor: { id: "mia", name: "Mia" },
        added: ["new", "ticketsmith"],
        removed: ["old"],
      },
    ]);
  });

  test("goes by the field's id where there is one", async () => {
    const ticket = jira.createIssue({ project: "SHOP", summary: "s" });
    const item = { fieldtype: "jira" as const, from: null, to: null, fromString: "", toString: "ticketsmith" };
    const actor = jira.users[0]!;
    ticket.history.push({
      id: "1",
      actor,
      created: now,
      items: [{ ...item, field: "labels", fieldId: "customfield_1" }],
    });
    ticket.history.push({
      id: "2",
      actor,
      created: now,
      items: [{ ...item, field: "Stichwörter", fieldId: "labels" }],
    });
    expect((await adapter().readLabelChanges(ticket)).map(({ id }) => id)).toEqual(["2"]);
  });

  test("says Permanent for a ticket that is gone", async () => {
    await expect(adapter().readLabelChanges({ key: "SHOP-404", id: "1" })).rejects.toMatchObject({ status: 404 });
  });
});

import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { adfProblem, typedToAdf } from "../../../src/stand-ins/jira/adf-schema.ts";
import { type JiraOptions, type JiraStandIn, startJira } from "../../../src/stand-ins/jira/jira.ts";
import { type StandIn, startStandIn } from "../../../src/stand-ins/server.ts";

const ada = {
  accountId: "712020:ada",
  displayName: "Ada Park",
  email: "ada@shop.example",
  apiToken: "ada-token",
  groups: ["developers"],
};
const bob = { accountId: "712020:bob", displayName: "Bob Reyes", email: "bob@shop.example", apiToken: "bob-token" };
const bot = { accountId: "712020:bot", email: "bot@shop.example", apiToken: "bot-token" };
const secret = "It's a Secret to Everybody";

let jira: JiraStandIn;
let receiver: StandIn | undefined;
afterEach(async () => {
  await jira.close();
  await receiver?.close();
  receiver = undefined;
});

async function start(options: Partial<JiraOptions> = {}): Promise<void> {
  const roles = { Developers: { users: [bob.accountId], groups: ["developers"] } };
  jira = await startJira({
    projects: [{ key: "SHOP", name: "Shop", roles }, { key: "OPS" }],
    users: [ada, bob],
    bot,
    ...options,
  });
}

/** Starts a receiver that answers with the given statuses, one after the other, and Jira with a web hook to it. */
async function startWithWebhook(statuses: number[] = [], options: Partial<JiraOptions> = {}): Promise<void> {
  receiver = await startStandIn([["POST", "/webhooks/jira", () => ({ status: statuses.shift() ?? 202 })]]);
  await start({ webhook: { url: `${receiver.url}/webhooks/jira`, secret }, webhookBackoffMs: 5, ...options });
}

async function rest(method: string, path: string, body?: unknown, as: { email: string; apiToken: string } = ada) {
  const answer = await fetch(jira.url + path, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${as.email}:${as.apiToken}`).toString("base64")}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text === "" ? undefined : JSON.parse(text) };
}

const issue = "/rest/api/3/issue/SHOP-1";
const paragraph = (text: string) => ({
  type: "doc",
  version: 1,
  content: [{ type: "paragraph", content: [{ type: "text", text }] }],
});
const newIssue = (fields: object = {}) =>
  rest("POST", "/rest/api/3/issue", {
    fields: { project: { key: "SHOP" }, summary: "Pay", issuetype: { name: "Bug" }, ...fields },
  });

describe("the REST API", () => {
  it("lets in nobody with wrong credentials", async () => {
    await start();
    const answer = await rest("GET", "/rest/api/3/myself", undefined, { ...ada, apiToken: "old" });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("x-seraph-loginreason")).toBe("AUTHENTICATED_FAILED");
  });

  it("creates and shows issues, as the one who asked", async () => {
    await start();
    expect(await newIssue({ labels: ["b", "a"], description: paragraph("text") })).toMatchObject({
      status: 201,
      json: { key: "SHOP-1" },
    });
    const { json } = await rest("GET", `${issue}?fields=summary,labels&fields=reporter`);
    expect(json).toMatchObject({
      key: "SHOP-1",
      fields: { summary: "Pay", labels: ["a", "b"], reporter: { accountId: ada.accountId } },
    });
    expect(Object.keys(json.fields)).toEqual(["summary", "labels", "reporter"]);
    expect((await newIssue()).json.key).toBe("SHOP-2");
  });

  it.each([
    ["an unknown project", { project: { key: "NONE" } }, "project"],
    ["no summary", { summary: " " }, "summary"],
    ["a label with a space", { labels: ["a b"] }, "labels"],
    ["a description that is no document", { description: "h1. wiki" }, "description"],
  ])("refuses %s", async (_name, fields, field) => {
    await start();
    const answer = await newIssue(fields);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ errorMessages: expect.any(Array), errors: { [field]: expect.any(String) } });
  });

  it("answers 404 in the shape of Jira", async () => {
    await start();
    expect(await rest("GET", issue)).toMatchObject({
      status: 404,
      json: { errorMessages: ["Issue does not exist or you do not have permission to see it."], errors: {} },
    });
  });

  it("edits all or nothing", async () => {
    await start();
    await newIssue({ labels: ["keep", "drop"] });
    expect((await rest("PUT", issue, { update: { labels: [{ add: "new" }, { remove: "drop" }] } })).status).toBe(204);
    expect(jira.issue("SHOP-1").labels).toEqual(["keep", "new"]);
    const refused = await rest("PUT", issue, { fields: { summary: "Changed" }, update: { labels: [{ add: "a b" }] } });
    expect(refused.status).toBe(400);
    expect((await rest("PUT", issue, { fields: { customfield_1: 1 } })).json.errors).toHaveProperty("customfield_1");
    expect(jira.issue("SHOP-1").summary).toBe("Pay");
  });

  it("refuses comments that the real one refuses", async () => {
    await start();
    await newIssue();
    const bodies = [
      "wiki",
      undefined,
      paragraph(""),
      paragraph("x".repeat(32_768)),
      { type: "doc", version: 1, content: [{ type: "text", text: "x" }] },
    ];
    for (const body of bodies) expect((await rest("POST", `${issue}/comment`, { body })).status).toBe(400);
    expect(jira.issue("SHOP-1").comments).toEqual([]);
  });

  it("keeps properties of a comment through edits, and shows them on demand", async () => {
    await start();
    await newIssue();
    const made = await rest("POST", `${issue}/comment`, {
      body: paragraph("a"),
      properties: [{ key: "k", value: { v: 1 } }],
    });
    expect(made).toMatchObject({ status: 201, json: { author: { accountId: ada.accountId } } });
    const { id } = made.json;
    await rest("PUT", `${issue}/comment/${id}`, { body: paragraph("b") });
    expect((await rest("PUT", `/rest/api/3/comment/${id}/properties/more`, 2)).status).toBe(201);
    const listed = (await rest("GET", `${issue}/comment?expand=properties`)).json;
    expect(listed).toMatchObject({
      total: 1,
      comments: [
        {
          body: paragraph("b"),
          properties: [
            { key: "k", value: { v: 1 } },
            { key: "more", value: 2 },
          ],
        },
      ],
    });
    expect((await rest("GET", `${issue}/comment`)).json.comments[0]).not.toHaveProperty("properties");
    expect((await rest("GET", `/rest/api/3/comment/${id}/properties/k`)).json).toEqual({ key: "k", value: { v: 1 } });
    expect((await rest("GET", `/rest/api/3/comment/${id}/properties/none`)).status).toBe(404);
  });

  it("lets people change their own comments only", async () => {
    await start();
    await newIssue();
    const { id } = jira.comment("SHOP-1", "mine", ada.accountId);
    expect((await rest("PUT", `${issue}/comment/${id}`, { body: paragraph("b") }, bob)).status).toBe(400);
    expect((await rest("DELETE", `${issue}/comment/${id}`, undefined, bob)).status).toBe(400);
    expect((await rest("DELETE", `${issue}/comment/${id}`)).status).toBe(204);
    expect((await rest("GET", `${issue}/comment/${id}`)).status).toBe(404);
  });

  it("moves issues along the workflow only", async () => {
    await start();
    await newIssue();
    const { transitions } = (await rest("GET", `${issue}/transitions?expand=transitions.fields`)).json;
    expect(transitions.map((one: { to: { name: string } }) => one.to.name)).toEqual([
      "In Progress",
      "In Review",
      "Blocked",
      "Done",
    ]);
    expect((await rest("POST", `${issue}/transitions`, { transition: { id: "999" } })).status).toBe(400);
    expect((await rest("POST", `${issue}/transitions`, { transition: { id: transitions[3].id } })).status).toBe(204);
    expect((await rest("GET", issue)).json.fields.status).toMatchObject({
      name: "Done",
      statusCategory: { key: "done" },
    });
  });

  it("upserts remote links by their global id", async () => {
    await start();
    await newIssue();
    const link = { globalId: "g&1", object: { url: "https://a.b", title: "A" }, relationship: "r" };
    expect((await rest("POST", `${issue}/remotelink`, link)).status).toBe(201);
    expect((await rest("POST", `${issue}/remotelink`, { ...link, relationship: undefined })).status).toBe(200);
    const { json } = await rest("GET", `${issue}/remotelink?globalId=g%261`);
    expect(json.object).toMatchObject({ url: "https://a.b", title: "A" });
    expect(json).not.toHaveProperty("relationship");
    expect((await rest("POST", `${issue}/remotelink`, { object: { url: "https://a.b" } })).status).toBe(400);
  });

  it("keeps issue properties", async () => {
    await start();
    await newIssue();
    const path = `${issue}/properties/run`;
    expect((await rest("PUT", path, { id: 1 })).status).toBe(201);
    expect((await rest("PUT", path, { id: 2 })).status).toBe(200);
    expect((await rest("GET", path)).json).toEqual({ key: "run", value: { id: 2 } });
    expect((await rest("GET", `${issue}/properties`)).json).toEqual({ keys: [{ key: "run" }] });
    expect((await rest("DELETE", path)).status).toBe(204);
    expect((await rest("GET", path)).status).toBe(404);
  });

  it("shows roles, groups and people", async () => {
    await start();
    const { json } = await rest("GET", "/rest/api/3/project/SHOP/role");
    const role = (await rest("GET", new URL(json.Developers).pathname)).json;
    expect(role.actors).toMatchObject([
      { actorUser: { accountId: bob.accountId } },
      { actorGroup: { name: "developers" } },
    ]);
    const groups = await rest("GET", `/rest/api/3/user/groups?accountId=${ada.accountId}`);
    expect(groups.json).toMatchObject([{ name: "developers", groupId: role.actors[1].actorGroup.groupId }]);
    expect((await rest("GET", `/rest/api/3/user?accountId=${ada.accountId}&expand=groups`)).json.groups.size).toBe(1);
    expect((await rest("GET", "/rest/api/3/user?accountId=none")).status).toBe(404);
  });

  it("limits writes per issue, not reads", async () => {
    let now = Date.UTC(2026, 2, 1);
    await start({ now: () => now });
    await newIssue();
    await newIssue();
    const write = (key: string) => rest("PUT", `/rest/api/3/issue/${key}`, { update: { labels: [{ add: "x" }] } });
    for (let index = 0; index < 20; index += 1) expect((await write("SHOP-1")).status).toBe(204);
    const refused = await write("SHOP-1");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(refused.headers.get("ratelimit-reason")).toBe("jira-per-issue-on-write");
    expect((await rest("GET", issue)).status).toBe(200);
    expect((await write("SHOP-2")).status).toBe(204);
    now += 2_000;
    expect((await write("SHOP-1")).status).toBe(204);
  });
});

describe("search", () => {
  const search = (jql: string, more: object = {}) =>
    rest("POST", "/rest/api/3/search/jql", { jql, fields: ["key"], ...more });
  const keys = async (jql: string) => (await search(jql)).json.issues?.map((one: { key: string }) => one.key);

  async function startWithIssues(): Promise<void> {
    let now = Date.UTC(2026, 2, 1, 9);
    await start({ now: () => now });
    const add = (project: string, labels: string[]) => {
      jira.createIssue({ project, summary: "x", labels });
      now += 60 * 60_000;
    };
    add("SHOP", ["ticketsmith", "a"]);
    add("SHOP", []);
    add("OPS", ["ticketsmith"]);
    jira.moveTo("SHOP-2", "In Progress");
  }

  it("finds what matches, in order", async () => {
    await startWithIssues();
    expect(await keys("project = SHOP ORDER BY key ASC")).toEqual(["SHOP-1", "SHOP-2"]);
    expect(await keys('project in (SHOP, "OPS") AND labels = ticketsmith ORDER BY created DESC')).toEqual([
      "OPS-1",
      "SHOP-1",
    ]);
    expect(await keys('status = "in progress"')).toEqual(["SHOP-2"]);
    expect(await keys("status not in (Done) and project != OPS order by updated desc")).toEqual(["SHOP-2", "SHOP-1"]);
    expect(await keys("key in (SHOP-1,OPS-1) order by key asc, created asc")).toEqual(["SHOP-1", "OPS-1"]);
    expect(await keys('updated >= "2026-03-01 11:00" order by created')).toEqual(["SHOP-2", "OPS-1"]);
    expect(await keys('updated >= "-90m" order by created')).toEqual(["SHOP-2", "OPS-1"]);
  });

  it("answers in pages, and ids only unless asked", async () => {
    await startWithIssues();
    const first = (await search("project in (SHOP, OPS)", { maxResults: 2 })).json;
    expect(first).toMatchObject({ isLast: false, issues: [{}, {}] });
    const second = (await search("project in (SHOP, OPS)", { maxResults: 2, nextPageToken: first.nextPageToken })).json;
    expect(second.issues).toHaveLength(1);
    expect(second.isLast).toBe(true);
    expect(second).not.toHaveProperty("nextPageToken");
    const { json } = await rest("GET", "/rest/api/3/search/jql?jql=key%3DSHOP-1");
    expect(json.issues).toEqual([{ id: jira.issue("SHOP-1").id }]);
  });

  it.each([
    ...[
      "",
      "order by key",
      "project = SHOP OR project = OPS",
      "summary ~ x",
      "project = ",
      "project in SHOP",
      "project in (SHOP",
    ],
    ...[
      'updated >= "soon"',
      "updated = 1",
      "project = SHOP order by rank",
      "labels = 'a",
      "project = (",
      "project > SHOP",
    ],
  ])("refuses %j", async (jql) => {
    await startWithIssues();
    expect((await search(jql)).status).toBe(400);
  });
});

describe("web hooks", () => {
  it("are signed over the body and carry an identifier", async () => {
    await startWithWebhook();
    await newIssue({
      labels: ["ticketsmith"],
      description: {
        type: "doc",
        version: 1,
        content: [{ type: "heading", attrs: { level: 2 }, content: [{ type: "text", text: "Why" }] }],
      },
    });
    await jira.webhooksSettled();
    const [request] = receiver?.requests ?? [];
    const body = jira.webhookDeliveries[0]?.body ?? "";
    expect(request?.headers["x-hub-signature"]).toBe(
      `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    );
    expect(request?.headers["x-atlassian-webhook-identifier"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(request?.headers["x-atlassian-webhook-flow"]).toBe("Primary");
    expect(request?.headers).not.toHaveProperty("x-atlassian-webhook-retry");
    expect(request?.body).toMatchObject({
      webhookEvent: "jira:issue_created",
      issue_event_type_name: "issue_created",
      user: { accountId: ada.accountId },
      issue: { key: "SHOP-1", fields: { description: "h2. Why", labels: ["ticketsmith"] } },
    });
  });

  it("tell what changed and who did it", async () => {
    await startWithWebhook();
    await newIssue({ labels: ["one"] });
    await rest("PUT", issue, { update: { labels: [{ add: "two" }] } }, bob);
    await rest("PUT", issue, { update: { labels: [{ add: "two" }] } }, bob);
    jira.moveTo("SHOP-1", "Done");
    jira.edit("SHOP-1", { assignee: { accountId: bob.accountId } });
    await jira.webhooksSettled();
    const bodies = (receiver?.requests ?? [])
      .slice(1)
      .map(({ body }) => body as Record<string, Record<string, object> | undefined>);
    expect(bodies.map((body) => body.issue_event_type_name)).toEqual([
      "issue_updated",
      "issue_generic",
      "issue_assigned",
    ]);
    expect(bodies[0]).toMatchObject({
      user: { accountId: bob.accountId },
      changelog: {
        items: [{ field: "labels", fieldId: "labels", from: null, fromString: "one", to: null, toString: "one two" }],
      },
    });
    expect(bodies[1]).toMatchObject({
      changelog: { items: [{ fieldId: "status", fromString: "To Do", toString: "Done" }] },
    });
    expect(bodies[2]).toMatchObject({
      changelog: { items: [{ fieldId: "assignee", to: bob.accountId, toString: "Bob Reyes" }] },
    });
  });

  it("send comments without a user, with a trimmed issue and wiki text", async () => {
    await startWithWebhook();
    await newIssue();
    const { id } = jira.comment("SHOP-1", "do\n- this\n- that", bob.accountId);
    await rest("PUT", `${issue}/comment/${id}`, { body: paragraph("done") }, bob);
    jira.deleteIssue("SHOP-1");
    await jira.webhooksSettled();
    const [created, updated, deleted] = (receiver?.requests ?? [])
      .slice(1)
      .map(({ body }) => body as Record<string, Record<string, object> | undefined>);
    expect(created).toMatchObject({
      webhookEvent: "comment_created",
      comment: { id, body: "do\n\n* this\n* that", author: { accountId: bob.accountId } },
    });
    expect(created).not.toHaveProperty("user");
    const trimmed: object = created?.issue?.fields ?? {};
    expect(Object.keys(trimmed)).toEqual(["summary", "issuetype", "project", "assignee", "priority", "status"]);
    expect(updated).toMatchObject({ webhookEvent: "comment_updated", comment: { id, body: "done" } });
    expect(deleted).toMatchObject({ webhookEvent: "jira:issue_deleted", user: { accountId: ada.accountId } });
  });

  it("come again after a failure, the same and marked, and not after a refusal", async () => {
    await startWithWebhook([503, 429, 202, 404]);
    await newIssue();
    await newIssue();
    await jira.webhooksSettled();
    expect(jira.webhookDeliveries.map(({ attempts }) => attempts)).toEqual([[503, 429, 202], [404]]);
    const [first, second, third] = receiver?.requests ?? [];
    expect(third?.headers["x-atlassian-webhook-retry"]).toBe("2");
    expect(second?.headers["x-atlassian-webhook-identifier"]).toBe(first?.headers["x-atlassian-webhook-identifier"]);
    expect(third?.body).toEqual(first?.body);
  });

  it("are given up after five retries", async () => {
    await startWithWebhook([500, 500, 500, 500, 500, 500]);
    await newIssue();
    await jira.webhooksSettled();
    expect(jira.webhookDeliveries[0]?.attempts).toEqual([500, 500, 500, 500, 500, 500]);
  });

  it("can be sent again and made up", async () => {
    await startWithWebhook();
    await newIssue();
    await jira.webhooksSettled();
    const [delivery] = jira.webhookDeliveries;
    if (delivery) jira.repeatWebhook(delivery);
    jira.fireWebhook("sprint_started", { webhookEvent: "sprint_started" });
    await jira.webhooksSettled();
    const ids = (receiver?.requests ?? []).map(({ headers }) => headers["x-atlassian-webhook-identifier"]);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it("are administered over REST by those who may", async () => {
    await startWithWebhook();
    const path = "/rest/webhooks/1.0/webhook";
    expect((await rest("GET", path)).status).toBe(403);
    const hook = {
      name: "ops",
      url: `${receiver?.url}/webhooks/jira`,
      events: ["jira:issue_created"],
      filters: { "issue-related-events-section": "project = OPS" },
      secret: "s2",
    };
    const made = await rest("POST", path, hook, bot);
    expect(made).toMatchObject({ status: 201, json: { name: "ops", isSigned: true } });
    expect(JSON.stringify(made.json)).not.toContain("s2");
    expect((await rest("GET", path, undefined, bot)).json).toHaveLength(2);
    await newIssue();
    jira.createIssue({ project: "OPS", summary: "x" });
    await jira.webhooksSettled();
    expect(receiver?.requests).toHaveLength(3);
    expect((await rest("DELETE", new URL(made.json.self).pathname, undefined, bot)).status).toBe(204);
    expect(jira.hooks).toHaveLength(1);
  });

  it("stop with the server", async () => {
    await startWithWebhook([500], { webhookBackoffMs: 60_000 });
    await newIssue();
    await expect.poll(() => jira.webhookDeliveries[0]?.attempts).toEqual([500]);
  });
});

describe("the pages", () => {
  it("show a ticket with everything on it, and nothing of it as HTML", async () => {
    await start();
    jira.createIssue({
      project: "SHOP",
      summary: "<script>alert(1)</script>",
      labels: ["ticketsmith"],
      description: "Hello\n\n- list",
    });
    jira.comment("SHOP-1", "<img src=x>", bob.accountId);
    const link = { object: { url: "https://git.example/mr/7", title: "Draft: pay" }, relationship: "merge request" };
    await rest("POST", `${issue}/remotelink`, link);
    const html = await (await fetch(`${jira.url}/browse/SHOP-1`)).text();
    for (const part of ["To Do", "ticketsmith", "<li><p>list</p></li>", "Bob Reyes", 'href="https://git.example/mr/7"'])
      expect(html).toContain(part);
    expect(html).not.toContain("<script>");
    expect(html).not.toContain("<img");
    expect(await (await fetch(jira.url)).text()).toContain('href="/browse/SHOP-1"');
    expect((await fetch(`${jira.url}/browse/NO-1`)).status).toBe(404);
  });
});

describe("typed text", () => {
  it.each(["", "one", "one\ntwo\n\nthree", "intro:\n- a\n- b\n\n* c", "- a\nno list"])(
    "becomes a valid document: %j",
    (text) => {
      expect(adfProblem(typedToAdf(text))).toBeNull();
    },
  );
});

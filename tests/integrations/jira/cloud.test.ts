import { afterEach, describe, expect, it } from "vitest";
import { Permanent, Retryable } from "../../../src/domain/errors.ts";
import { createJiraCloud } from "../../../src/integrations/jira/cloud.ts";
import { type Log, silentLog } from "../../../src/platform/log.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import { adfText } from "../../../src/stand-ins/jira/adf-schema.ts";
import { type JiraStandIn, startJira } from "../../../src/stand-ins/jira/jira.ts";
import type { ProjectSpec } from "../../../src/stand-ins/jira/world.ts";
import type { Fault, StandInRequest } from "../../../src/stand-ins/server.ts";

const ada = {
  accountId: "712020:ada",
  displayName: "Ada Park",
  email: "ada@shop.example",
  apiToken: "ada-token",
  groups: ["developers"],
};
const bob = {
  accountId: "712020:bob",
  displayName: "Bob Reyes",
  email: "bob@shop.example",
  apiToken: "bob-token",
  groups: ["guests"],
};
const bot = { accountId: "712020:bot", email: "bot@shop.example", apiToken: "bot-token" };
const roles = {
  Administrators: { users: [ada.accountId] },
  Developers: { groups: ["developers"] },
  Viewers: { groups: ["guests"] },
};

let jira: JiraStandIn;
afterEach(async () => {
  expect(jira.unknown).toEqual([]);
  await jira.close();
});

/** What jira.js did not expect; the stand-in must answer as the vendor's schema says. */
let drift: unknown[] = [];
const log: Log = { ...silentLog, warn: (message, fields) => drift.push({ message, fields }) };

async function start(
  options: { project?: Partial<ProjectSpec>; timeoutMs?: number; apiToken?: string; now?: () => number } = {},
) {
  drift = [];
  jira = await startJira({
    projects: [{ key: "SHOP", roles, ...options.project }],
    users: [ada, bob],
    bot,
    ...(options.now ? { now: options.now } : {}),
  });
  jira.createIssue({
    project: "SHOP",
    summary: "Pay by card",
    description: "As a customer\n\n- visa",
    labels: ["shop"],
  });
  return createJiraCloud({
    baseUrl: `${jira.url}/`,
    email: bot.email,
    apiToken: options.apiToken ?? bot.apiToken,
    timeoutMs: options.timeoutMs ?? 5_000,
    log,
  });
}

/** Strikes the first request that fits. */
function strikeOnce(fits: (request: StandInRequest) => boolean, fault: Fault): void {
  let done = false;
  jira.fault = (request) => {
    if (done || !fits(request)) return undefined;
    done = true;
    return fault;
  };
}
const isCommentPost = (request: StandInRequest): boolean =>
  request.method === "POST" && request.path.endsWith("/comment");

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const status = (text: string) => ({ ticket: "SHOP-1", marker: "status:SHOP-1", body: parseMarkdown(text) });
const comments = () => jira.issue("SHOP-1").comments;
const writes = () => jira.requests.filter(({ method }) => method !== "GET");

describe("whoAmI", () => {
  it("answers the account of the token", async () => {
    const client = await start();
    expect(await client.whoAmI()).toEqual({ id: bot.accountId, name: "Ticketsmith" });
  });

  it("is permanent about a dead token, and does not show it", async () => {
    const client = await start({ apiToken: "revoked-token" });
    const error = await failure(client.whoAmI());
    expect(error).toBeInstanceOf(Permanent);
    expect((error as Permanent).status).toBe(401);
    expect((error as Permanent).message).toContain("Client must be authenticated");
    expect(JSON.stringify(error) + (error as Permanent).message).not.toContain("revoked-token");
  });
});

describe("readTicket", () => {
  it("answers the ticket with all comments as Markdown", async () => {
    const client = await start();
    for (let index = 1; index <= 230; index += 1) jira.comment("SHOP-1", `Comment ${index}`, bob.accountId);
    const ticket = await client.readTicket("SHOP-1");
    expect(ticket).toMatchObject({
      key: "SHOP-1",
      project: "SHOP",
      url: `${jira.url}/browse/SHOP-1`,
      type: "Story",
      summary: "Pay by card",
      description: "As a customer\n\n- visa",
      status: "To Do",
      statusCategory: "new",
      labels: ["shop"],
      reporter: { id: ada.accountId, name: "Ada Park" },
      assignee: null,
    });
    expect(new Date(ticket.updatedAt).getTime()).toBe(jira.issue("SHOP-1").updated);
    expect(ticket.comments).toHaveLength(230);
    expect(ticket.comments.at(-1)).toMatchObject({
      author: { id: bob.accountId, name: "Bob Reyes" },
      body: "Comment 230",
    });
    expect(drift).toEqual([]);
  });

  it("is permanent about a ticket that is not there, in Jira's words", async () => {
    const client = await start();
    await expect(client.readTicket("SHOP-99")).rejects.toThrow(/404.*Issue does not exist/);
    await expect(client.readTicket("SHOP-99")).rejects.toBeInstanceOf(Permanent);
  });

  it("lets nothing but a key into the path", async () => {
    const client = await start();
    for (const key of ["../../myself", "SHOP-1?fields=x", "SHOP", ""]) {
      await expect(client.readTicket(key)).rejects.toBeInstanceOf(Permanent);
    }
    expect(jira.requests).toEqual([]);
  });
});

describe("readMembership", () => {
  it("finds roles that are held directly and through groups", async () => {
    const client = await start();
    expect(await client.readMembership(ada.accountId, "SHOP")).toEqual({
      roles: ["Administrators", "Developers"],
      groups: ["developers"],
    });
    expect(await client.readMembership(bob.accountId, "SHOP")).toEqual({ roles: ["Viewers"], groups: ["guests"] });
    expect(drift).toEqual([]);
  });

  it("knows nothing of accounts that are not there", async () => {
    const client = await start();
    expect(await client.readMembership("712020:nobody", "SHOP")).toEqual({ roles: [], groups: [] });
    expect(await client.readMembership("", "SHOP")).toEqual({ roles: [], groups: [] });
  });

  it("does not take a dead token for an empty answer", async () => {
    const client = await start({ apiToken: "revoked-token" });
    await expect(client.readMembership("712020:nobody", "SHOP")).rejects.toMatchObject({ status: 401 });
  });
});

describe("ensureComment", () => {
  it("creates, leaves alone and edits in place", async () => {
    const client = await start();
    const first = await client.ensureComment(status("# Plan\n\n- [ ] **one** `two`\n\n| a |\n|-|\n| b |"));
    expect(first.outcome).toBe("created");
    expect(first.ref.url).toBe(`${jira.url}/browse/SHOP-1?focusedCommentId=${first.ref.id}`);
    const again = await client.ensureComment(status("# Plan\n\n- [ ] **one** `two`\n\n| a |\n|-|\n| b |"));
    expect(again).toEqual({ ...first, outcome: "unchanged" });
    const edited = await client.ensureComment(status("done"));
    expect(edited).toEqual({ ...first, outcome: "updated" });
    expect(comments().map(({ body }) => adfText(body))).toEqual(["done"]);
    expect(comments()[0]?.properties.get("ticketsmith")).toEqual({ marker: "status:SHOP-1" });
    expect(writes().map(({ method }) => method)).toEqual(["POST", "PUT"]);
    expect(drift).toEqual([]);
  });

  it("takes back what a person changed in it", async () => {
    const client = await start();
    await client.ensureComment(status("truth"));
    const own = comments()[0];
    if (own)
      own.body = {
        type: "doc",
        version: 1,
        content: [{ type: "paragraph", content: [{ type: "text", text: "lie" }] }],
      };
    expect((await client.ensureComment(status("truth"))).outcome).toBe("updated");
    expect(own && adfText(own.body)).toBe("truth");
  });

  it("keeps markers apart, and takes nobody else's comment for its own", async () => {
    const client = await start();
    const forged = jira.comment("SHOP-1", "mine", bob.accountId);
    forged.properties.set("ticketsmith", { marker: "status:SHOP-1" });
    await client.ensureComment({ ...status("other"), marker: "questions:SHOP-1" });
    expect((await client.ensureComment(status("ours"))).outcome).toBe("created");
    expect(comments().map(({ body }) => adfText(body))).toEqual(["mine", "other", "ours"]);
  });

  it("reduces duplicates to the oldest", async () => {
    const client = await start();
    for (const text of ["first", "second", "third"]) {
      jira.comment("SHOP-1", text, bot.accountId).properties.set("ticketsmith", { marker: "status:SHOP-1" });
    }
    const oldest = comments()[0]?.id;
    expect(await client.ensureComment(status("first"))).toMatchObject({ outcome: "updated", ref: { id: oldest } });
    expect(comments().map(({ body }) => adfText(body))).toEqual(["first"]);
  });

  it("finds its comment behind many others", async () => {
    const client = await start();
    await client.ensureComment(status("x"));
    for (let index = 0; index < 120; index += 1) jira.comment("SHOP-1", "talk", bob.accountId);
    expect((await client.ensureComment(status("y"))).outcome).toBe("updated");
    expect(comments()).toHaveLength(121);
  });

  it.each<[string, Fault]>([
    ["500 after it happened", { when: "after", answer: { status: 500, body: "oops" } }],
    ["a reset after it happened", { when: "after", reset: true }],
    ["503 before anything happened", { when: "before", answer: { status: 503 } }],
    [
      "a page of a proxy after it happened",
      { when: "after", answer: { status: 200, headers: { "content-type": "text/html" }, body: "<p>hi" } },
    ],
    ["an answer without an id", { when: "after", answer: { status: 201, body: {} } }],
    [
      "half an answer",
      { when: "after", answer: { status: 201, headers: { "content-type": "application/json" }, body: '{"id":' } },
    ],
  ])("ends with one comment after %s, and sends the POST once per attempt", async (_name, fault) => {
    const client = await start();
    strikeOnce(isCommentPost, fault);
    await expect(client.ensureComment(status("plan"))).rejects.toBeInstanceOf(Retryable);
    expect(writes()).toHaveLength(1);
    await client.ensureComment(status("plan"));
    expect(comments()).toHaveLength(1);
  });

  it("gives up on a late answer, and finds the comment afterwards", async () => {
    const client = await start({ timeoutMs: 800 });
    await client.whoAmI();
    strikeOnce(isCommentPost, { delayMs: 1_400 });
    const error = await failure(client.ensureComment(status("plan")));
    expect(error).toBeInstanceOf(Retryable);
    expect((error as Retryable).message).toBe("Jira did not answer within 800 ms: comment on SHOP-1");
    await expect.poll(() => comments().length, { timeout: 10_000 }).toBe(1);
    expect((await client.ensureComment(status("plan"))).outcome).toBe("unchanged");
  });

  it("passes on how long Jira wants to be left alone", async () => {
    const client = await start();
    const headers = { "retry-after": "7", "ratelimit-reason": "jira-per-issue-on-write" };
    strikeOnce(isCommentPost, {
      when: "before",
      answer: { status: 429, headers, body: { errorMessages: ["Rate limit exceeded."] } },
    });
    const error = await failure(client.ensureComment(status("plan")));
    expect(error).toBeInstanceOf(Retryable);
    expect((error as Retryable).afterMs).toBe(7_000);
  });

  it("runs into the limit of writes per ticket like anybody else", async () => {
    const client = await start({ now: () => Date.UTC(2026, 2, 1) });
    let error: unknown;
    for (let index = 0; error === undefined && index < 25; index += 1)
      error = await failure(client.ensureComment(status(`text ${index}`)));
    expect(error).toBeInstanceOf(Retryable);
    expect((error as Retryable).afterMs).toBeGreaterThanOrEqual(1_000);
  });

  it("is permanent about a body that Jira refuses", async () => {
    const client = await start();
    const error = await failure(client.ensureComment(status("x".repeat(32_768))));
    expect(error).toBeInstanceOf(Permanent);
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining("32,767 characters") });
  });

  it("asks for the property where the list comes without properties", async () => {
    const client = await start();
    await client.ensureComment(status("plan"));
    const { id, body } = comments()[0] ?? { id: "", body: null };
    const bare = { id, body, author: { accountId: bot.accountId, displayName: "Ticketsmith" } };
    jira.fault = ({ method, path }) =>
      method === "GET" && path.endsWith("/comment")
        ? { when: "before", answer: { status: 200, body: { comments: [bare], total: 1, startAt: 0, maxResults: 100 } } }
        : undefined;
    expect((await client.ensureComment(status("plan"))).outcome).toBe("unchanged");
  });
});

describe("ensureTransition", () => {
  const workflow: Partial<ProjectSpec> = {
    transitions: [
      { name: "Begin", from: ["To Do"], to: "In Progress" },
      { name: "Hand over", from: ["In Progress"], to: "In Review" },
      { name: "Close with reason", from: ["In Review"], to: "Done", requires: ["resolution"] },
    ],
  };

  it("moves, and stays where it is", async () => {
    const client = await start();
    const expected = { ref: { id: "SHOP-1", url: `${jira.url}/browse/SHOP-1` } };
    expect(await client.ensureTransition({ ticket: "SHOP-1", status: "in progress" })).toEqual({
      ...expected,
      outcome: "updated",
    });
    expect(await client.ensureTransition({ ticket: "SHOP-1", status: "In Progress" })).toEqual({
      ...expected,
      outcome: "unchanged",
    });
    expect(jira.issue("SHOP-1").status.name).toBe("In Progress");
    expect(drift).toEqual([]);
  });

  it("names the ways that there are when none leads there", async () => {
    const client = await start({ project: workflow });
    const error = await failure(client.ensureTransition({ ticket: "SHOP-1", status: "Done" }));
    expect(error).toBeInstanceOf(Permanent);
    expect((error as Permanent).message).toBe(
      'SHOP-1 is in "To Do" and cannot be moved to "Done": from there it can go to "In Progress"',
    );
  });

  it("names the fields that a transition asks for", async () => {
    const client = await start({ project: workflow });
    await client.ensureTransition({ ticket: "SHOP-1", status: "In Progress" });
    await client.ensureTransition({ ticket: "SHOP-1", status: "In Review" });
    await expect(client.ensureTransition({ ticket: "SHOP-1", status: "Done" })).rejects.toThrow(
      /"Close with reason" asks for Resolution/,
    );
  });

  it("sees that a lost answer was a success", async () => {
    const client = await start();
    const isMove = ({ method, path }: StandInRequest) => method === "POST" && path.endsWith("/transitions");
    strikeOnce(isMove, { when: "after", answer: { status: 502 } });
    await expect(client.ensureTransition({ ticket: "SHOP-1", status: "Done" })).rejects.toBeInstanceOf(Retryable);
    expect((await client.ensureTransition({ ticket: "SHOP-1", status: "Done" })).outcome).toBe("unchanged");
  });

  it.each([
    ["another edit (409)", { status: 409, body: { errorMessages: ["conflict"] } }],
    ["another move (400)", { status: 400, body: { errorMessages: ["not valid for the current state"] } }],
  ])("comes back later after %s", async (_name, answer) => {
    const client = await start();
    strikeOnce(
      ({ method, path }) => {
        if (method !== "POST" || !path.endsWith("/transitions")) return false;
        jira.moveTo("SHOP-1", "Blocked");
        return true;
      },
      { when: "before", answer },
    );
    await expect(client.ensureTransition({ ticket: "SHOP-1", status: "Done" })).rejects.toBeInstanceOf(Retryable);
  });
});

describe("ensureLabels", () => {
  it("adds and removes beside the labels of others", async () => {
    const client = await start();
    const change = { ticket: "SHOP-1", add: ["working", "shop"], remove: ["ticketsmith"] };
    jira.editLabels("SHOP-1", { add: ["ticketsmith", "urgent"] });
    expect((await client.ensureLabels(change)).outcome).toBe("updated");
    expect(jira.issue("SHOP-1").labels).toEqual(["shop", "urgent", "working"]);
    expect((await client.ensureLabels(change)).outcome).toBe("unchanged");
    expect(writes()).toHaveLength(1);
  });

  it("refuses labels with spaces without asking", async () => {
    const client = await start();
    await expect(client.ensureLabels({ ticket: "SHOP-1", add: ["a b"], remove: [] })).rejects.toBeInstanceOf(Permanent);
    expect(jira.requests).toEqual([]);
  });
});

describe("ensureRemoteLink", () => {
  const link = {
    ticket: "SHOP-1",
    globalId: "gitlab:acme/shop:mr:7",
    url: "https://git.example/acme/shop/-/merge_requests/7",
    title: "Draft: SHOP-1: Pay by card",
    relationship: "merge request",
  };

  it("keeps one link per global id", async () => {
    const client = await start();
    const first = await client.ensureRemoteLink(link);
    expect(first).toMatchObject({ outcome: "created", ref: { url: link.url } });
    expect(await client.ensureRemoteLink(link)).toEqual({ ...first, outcome: "unchanged" });
    expect(await client.ensureRemoteLink({ ...link, title: "SHOP-1: Pay by card" })).toEqual({
      ...first,
      outcome: "updated",
    });
    expect(jira.issue("SHOP-1").remoteLinks).toHaveLength(1);
    expect(drift).toEqual([]);
  });

  it("makes no second one after a lost answer", async () => {
    const client = await start();
    strikeOnce(({ method }) => method === "POST", { when: "after", reset: true });
    await expect(client.ensureRemoteLink(link)).rejects.toBeInstanceOf(Retryable);
    expect((await client.ensureRemoteLink(link)).outcome).toBe("unchanged");
  });
});

describe("many writes to one ticket", () => {
  it("are spread so that Jira refuses none of them", async () => {
    const tickets = await start();
    // Six runs' worth of status comments at once, as after an outage.
    await Promise.all(
      Array.from({ length: 6 }, async (_, at) => {
        const input = { ticket: "SHOP-1", marker: `status:${at}` };
        for (const text of ["one", "two", "three", "four"]) {
          await tickets.ensureComment({ ...input, body: parseMarkdown(text) });
        }
      }),
    );
    expect(jira.issue("SHOP-1").comments).toHaveLength(6);
    expect(jira.requests.filter(({ status }) => status === 429)).toEqual([]);
  });

  it.each([
    ["7", 7000],
    ["0", 0],
    ["Fri, 01 Jan 2100 00:00:00 GMT", expect.any(Number)],
    ["Thu, 01 Jan 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    ["-3", 0],
    [undefined, undefined],
  ])("a refusal with Retry-After: %s", async (retryAfter, afterMs) => {
    const tickets = await start();
    const headers: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    jira.fault = ({ method }) =>
      method === "GET" ? undefined : { when: "before", answer: { status: 429, headers, body: "" } };
    const body = parseMarkdown("x");
    const error = await tickets.ensureComment({ ticket: "SHOP-1", marker: "m", body }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(Retryable);
    expect((error as Retryable).afterMs).toEqual(afterMs);
  });
});

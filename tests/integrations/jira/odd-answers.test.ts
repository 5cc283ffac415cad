import nock from "nock";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Permanent, Retryable } from "../../../src/domain/errors.ts";
import { createJiraCloud } from "../../../src/integrations/jira/cloud.ts";
import { type Log, silentLog } from "../../../src/platform/log.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";

beforeAll(() => nock.disableNetConnect());
afterEach(() => nock.cleanAll());
afterAll(() => nock.restore());

const site = "https://shop.atlassian.example";
const gateway = "/ex/jira/11111111-2222-4333-8444-555555555555";
const me = { accountId: "712020:bot", displayName: "Bot" };

function client(baseUrl: string, log: Log = silentLog) {
  return createJiraCloud({ baseUrl, email: "bot@shop.example", apiToken: "a-token-of-the-bot", log });
}

it("works behind the gateway of scoped tokens, and still shows people the site", async () => {
  const jira = nock("https://api.atlassian.com");
  jira.get(`${gateway}/rest/api/3/myself`).reply(200, me);
  jira
    .get(`${gateway}/rest/api/3/serverInfo`)
    .once()
    .reply(200, { baseUrl: site, versionNumbers: [1001, 0, 0] });
  jira.get(new RegExp(`^${gateway}/rest/api/3/issue/SHOP-1/comment`)).reply(200, { comments: [], total: 0 });
  jira
    .post(`${gateway}/rest/api/3/issue/SHOP-1/comment`, (body) => body.properties[0].value.marker === "status:SHOP-1")
    .reply(201, { id: "10700" });
  const made = await client(`https://api.atlassian.com${gateway}`).ensureComment({
    ticket: "SHOP-1",
    marker: "status:SHOP-1",
    body: parseMarkdown("hello"),
  });
  expect(made).toEqual({
    outcome: "created",
    ref: { id: "10700", url: `${site}/browse/SHOP-1?focusedCommentId=10700` },
  });
});

it("reads an answer that jira.js finds odd, and notes it once", async () => {
  const notes: unknown[] = [];
  const jira = client(site, { ...silentLog, warn: (_message, fields) => notes.push(fields) });
  nock(site)
    .get("/rest/api/3/myself")
    .twice()
    .reply(200, { ...me, active: "yes" });
  expect(await jira.whoAmI()).toEqual({ id: me.accountId, name: me.displayName });
  await jira.whoAmI();
  expect(notes).toEqual([
    {
      endpoint: expect.stringContaining("/myself"),
      issues: [{ path: "active", expected: "boolean", received: "string" }],
    },
  ]);
});

it("says that a token lacks a scope", async () => {
  nock(site).get("/rest/api/3/myself").reply(401, { code: 401, message: "Unauthorized; scope does not match" });
  await expect(client(site).whoAmI()).rejects.toThrow(/scope does not match \(the token lacks a scope\)/);
});

it("shows nothing of a proxy's page", async () => {
  nock(site).get("/rest/api/3/myself").reply(403, "<html>login</html>", { "content-type": "text/html" });
  const error: unknown = await client(site)
    .whoAmI()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Permanent);
  expect((error as Permanent).message).toBe(
    "Jira answered 403 to: read own account (the bot's account lacks a permission)",
  );
});

it("can be tried again when nobody answers at all", async () => {
  nock(site)
    .get("/rest/api/3/myself")
    .replyWithError(Object.assign(new Error("no such host"), { code: "ENOTFOUND" }));
  await expect(client(site).whoAmI()).rejects.toBeInstanceOf(Retryable);
});

import { expect, test } from "vitest";
import { Permanent, Retryable, UserError } from "../../../src/domain/errors.ts";
import { createGitLab } from "../../../src/integrations/gitlab/gitlab.ts";
import { ownWords, waitMs } from "../../../src/integrations/gitlab/requester.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { Fault } from "../../../src/stand-ins/server.ts";
import { api, bot, branchWithChange, dana, mary, openGitLab, shop } from "../../stand-ins/gitlab/playground.ts";

const connect = (baseUrl: string, more: { token?: string; timeoutMs?: number } = {}) =>
  createGitLab({ baseUrl, token: bot.token, log: silentLog, ...more });
const failureOf = async (promise: Promise<unknown>): Promise<Permanent | Retryable> => {
  const outcome = await promise.then(
    () => new Error("it went well"),
    (error: unknown) => error,
  );
  if (outcome instanceof Permanent || outcome instanceof Retryable) return outcome;
  throw outcome;
};

test("who am I, which project, how far may somebody go", async () => {
  const gitlab = await openGitLab();
  const client = connect(`${gitlab.baseUrl}/`);
  expect(await client.whoAmI()).toEqual({ id: "7", name: "ticketsmith" });
  expect(await client.readProject(shop)).toEqual({
    id: gitlab.project(shop).id,
    path: shop,
    defaultBranch: "main",
    url: `${gitlab.baseUrl}/acme/shop`,
    cloneUrl: `${gitlab.baseUrl}/acme/shop.git`,
  });
  const level = (userId: number, repository = shop) => client.readAccessLevel({ repository, userId: String(userId) });
  expect(await Promise.all([level(mary.id), level(dana.id), level(14), level(999), level(11, "acme/none")])).toEqual([
    40, 30, 0, 0, 0,
  ]);
  const account = gitlab.users.find(({ id }) => id === mary.id);
  if (account !== undefined) account.state = "blocked";
  expect(await level(mary.id)).toBe(0);
  expect(gitlab.unknown).toEqual([]);
});

test("the open merge request of a branch in our words", async () => {
  const gitlab = await openGitLab();
  const sha = await branchWithChange(gitlab, "feature/a&b=c");
  const client = connect(gitlab.baseUrl);
  expect(await client.findMergeRequest({ repository: shop, sourceBranch: "feature/a&b=c" })).toBeNull();
  await api(gitlab, dana, "POST", "merge_requests", {
    title: "Draft: News",
    source_branch: "feature/a&b=c",
    target_branch: "main",
    description: "Hi",
    labels: "x",
  });
  expect(await client.findMergeRequest({ repository: shop, sourceBranch: "feature/a&b=c" })).toEqual({
    iid: 1,
    url: `${gitlab.baseUrl}/acme/shop/-/merge_requests/1`,
    title: "Draft: News",
    body: "Hi",
    state: "opened",
    draft: true,
    sourceBranch: "feature/a&b=c",
    targetBranch: "main",
    sha,
    labels: ["x"],
    authorId: "11",
  });
  expect(await client.findMergeRequest({ repository: shop, sourceBranch: "main" })).toBeNull();
});

test("an empty repository is something a person can mend", async () => {
  const gitlab = await openGitLab({ projects: [{ path: "acme/empty" }] });
  await expect(connect(gitlab.baseUrl).readProject("acme/empty")).rejects.toThrow(UserError);
});

test("a dead token is Permanent, and nothing of it is in the error", async () => {
  const gitlab = await openGitLab();
  const error = await failureOf(connect(gitlab.baseUrl, { token: "glpat-dead-token-0123456789" }).whoAmI());
  expect(error).toMatchObject({
    name: "Permanent",
    status: 401,
    message: "GET user: GitLab answered 401: 401 Unauthorized",
  });
  expect(JSON.stringify(error) + error.stack).not.toContain("glpat-dead");
});

test.each<
  [name: string, answer: { status: number; headers?: Record<string, string>; body?: unknown }, expected: object]
>([
  [
    "429 in seconds",
    { status: 429, headers: { "retry-after": "7" }, body: "Retry later\n" },
    { name: "Retryable", afterMs: 7000 },
  ],
  ["429 without headers", { status: 429, body: "Retry later\n" }, { name: "Retryable", afterMs: undefined }],
  ["500", { status: 500, body: { message: "500 Internal Server Error" } }, { name: "Retryable" }],
  [
    "503 with a wait",
    { status: 503, headers: { "retry-after": "60" }, body: "" },
    { name: "Retryable", afterMs: 60_000 },
  ],
  ["403", { status: 403, body: { message: "403 Forbidden" } }, { name: "Permanent", status: 403 }],
  [
    "a scope too small",
    { status: 403, body: { error: "insufficient_scope", error_description: "The request requires higher privileges" } },
    { message: "GET user: GitLab answered 403: insufficient_scope: The request requires higher privileges" },
  ],
  [
    "a redirect",
    { status: 302, headers: { location: "http://elsewhere.example/" } },
    { name: "Permanent", status: 302 },
  ],
  [
    "a web page",
    { status: 200, headers: { "content-type": "text/html" }, body: "<!DOCTYPE html><p>Sign in" },
    { name: "Retryable" },
  ],
  [
    "broken JSON",
    { status: 200, headers: { "content-type": "application/json" }, body: '{"id":' },
    { name: "Retryable" },
  ],
  [
    "another shape",
    { status: 200, body: { id: "seven" } },
    { name: "Retryable", message: expect.stringContaining("at id") },
  ],
])("an answer: %s", async (_name, answer, expected) => {
  const gitlab = await openGitLab();
  gitlab.fault = (): Fault => ({ when: "before", answer });
  expect(await failureOf(connect(gitlab.baseUrl).whoAmI())).toMatchObject(expected);
  expect(gitlab.requests).toHaveLength(1);
});

test("silence, a cut line and a closed door are Retryable", async () => {
  const gitlab = await openGitLab();
  gitlab.fault = () => ({ delayMs: 300 });
  expect(await failureOf(connect(gitlab.baseUrl, { timeoutMs: 30 }).whoAmI())).toMatchObject({
    name: "Retryable",
    message: "GET user: no answer from GitLab within 30 ms",
  });
  gitlab.fault = () => ({ when: "before", reset: true });
  expect(await failureOf(connect(gitlab.baseUrl).whoAmI())).toMatchObject({ name: "Retryable" });
  const closed = await failureOf(connect("http://127.0.0.1:9").whoAmI());
  expect(closed.message).toMatch(/^GET user: GitLab could not be reached \(.+\)$/);
});

test.each([
  ["no address", "gitlab", "t"],
  ["another scheme", "file:///etc", "t"],
  ["credentials in the address", "http://u:p@gitlab.example.com", "t"],
  ["no token", "http://gitlab.example.com", " "],
  ["a token with a newline in it", "http://gitlab.example.com", "secret\nvalue"],
])("what cannot be meant is refused at once: %s", (_name, baseUrl, token) => {
  const start = () => createGitLab({ baseUrl, token, log: silentLog });
  expect(start).toThrow(UserError);
  expect(start).not.toThrow(/secret|u:p/);
});

test("how long to wait", () => {
  const now = Date.parse("2026-11-20T10:00:00Z");
  const wait = (headers: Record<string, string>) => waitMs(new Headers(headers), now);
  expect(wait({ "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT" })).toBe(30_000);
  expect(wait({ "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" })).toBe(0);
  expect(wait({ "ratelimit-reset": String(now / 1000 + 12) })).toBe(12_000);
  expect(wait({ "retry-after": "1", "ratelimit-reset": String(now / 1000 + 12) })).toBe(1000);
  expect(wait({ "retry-after": "soon" })).toBeUndefined();
});

test.each([
  [{ message: ["a", "b"] }, "a; b"],
  [{ message: { title: ["can't be blank"], base: ["no"] } }, "title can't be blank; no"],
  [{ error: "title is missing" }, "title is missing"],
  ["<html><body><h1>502</h1> Bad gateway</body></html>", "502 Bad gateway"],
  [{ message: "token glpat-abcdefghijklmnop1234 is bad" }, "token [redacted] is bad"],
])("GitLab's own words: %j", (body, words) => {
  expect(ownWords(typeof body === "string" ? body : JSON.stringify(body))).toBe(words);
});

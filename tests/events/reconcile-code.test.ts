/** What became of our merge requests while no webhook came through, against a GitLab that sends none. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createInbox } from "../../src/events/accept.ts";
import { type CodeReconciler, reconcileCode } from "../../src/events/reconcile-code.ts";
import { createGitLab } from "../../src/integrations/gitlab/gitlab.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type GitLabStandIn, startGitLab } from "../../src/stand-ins/gitlab/gitlab.ts";
import type { Database } from "../../src/store/queryable.ts";
import { openTestDatabase } from "../support/database.ts";

const repository = "acme/shop";
const token = "glpat-bot-0123456789";
let gitlab: GitLabStandIn;
let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  await database.query("truncate ticketsmith.deliveries, ticketsmith.looks");
  gitlab = await startGitLab({
    projects: [{ path: repository, files: { "README.md": "Shop", ".gitlab-ci.yml": "test: { script: [make] }" } }],
    users: [{ id: 11, username: "mia", token: "glpat-mia", accessLevels: { [repository]: 40 } }],
    bot: { id: 900, username: "bot", token },
    pipeline: () => ({ status: "failed", jobs: [{ name: "test", status: "failed" }] }),
    pipelineTickMs: 1,
  });
});
afterEach(async () => {
  expect(gitlab.unknown).toEqual([]);
  await gitlab.close();
});

async function ask(as: string, method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${gitlab.baseUrl}/api/v4/projects/acme%2Fshop${path}`, {
    method,
    headers: { "private-token": as, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

/** A branch with a commit and a merge request for it. */
async function propose(as: string, branch: string): Promise<void> {
  const actions = [{ action: "create", file_path: `${branch}.md`, content: branch }];
  await ask(as, "POST", "/repository/commits", { branch, start_branch: "main", commit_message: branch, actions });
  await ask(as, "POST", "/merge_requests", { source_branch: branch, target_branch: "main", title: branch });
  await gitlab.idle();
}

const look = (more: Partial<CodeReconciler> = {}) =>
  reconcileCode({
    database,
    inbox: createInbox({ database, onCommitted: () => {} }),
    code: createGitLab({ baseUrl: gitlab.baseUrl, token, log: silentLog }),
    repositories: [repository, repository],
    authorId: "900",
    site: gitlab.baseUrl,
    log: silentLog,
    everyMs: 0,
    graceMs: -60_000,
    ...more,
  });
/** What the inbox was told, oldest first. */
async function told(): Promise<object[]> {
  const { rows } = await database.query<{ event: object }>("select event from ticketsmith.deliveries order by id");
  return rows.map(({ event }) => event);
}

test("the end of a pipeline, and every change of state, each once", async () => {
  await propose(token, "ours");
  await propose("glpat-mia", "hers");
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  await ask("glpat-mia", "PUT", "/merge_requests/1", { state_event: "close" });
  expect(await look()).toBe(1);
  await ask("glpat-mia", "PUT", "/merge_requests/1", { state_event: "reopen" });
  expect(await look()).toBe(1);
  await ask("glpat-mia", "PUT", "/merge_requests/1/merge", {});
  await gitlab.idle();
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  const ours = { repository, iid: 1, actor: null };
  expect(await told()).toMatchObject([
    { type: "pipeline.changed", ...ours, status: "failed" },
    { type: "mr.changed", ...ours, action: "close", sourceBranch: "ours" },
    { type: "mr.changed", ...ours, action: "reopen" },
    { type: "mr.changed", ...ours, action: "merge" },
  ]);
});

test("nothing of what a webhook told", async () => {
  await propose(token, "ours");
  await ask("glpat-mia", "PUT", "/merge_requests/1", { state_event: "close" });
  const event = { type: "mr.changed", repository, iid: 1, actor: null, action: "close", sourceBranch: "ours" } as const;
  const inbox = createInbox({ database, onCommitted: () => {} });
  const parsed = { event: { ...event, sha: null, pushed: false } };
  await inbox.accept({ sender: "gitlab", key: "gitlab:real", kind: "merge_request", body: "", parsed });
  expect(await look()).toBe(0);
});

test("nothing that may still be on its way, and no oftener than it should", async () => {
  await propose(token, "ours");
  expect(await look({ graceMs: 60_000, everyMs: 60_000 })).toBe(0);
  expect(await look({ graceMs: 60_000, everyMs: 60_000 })).toBeNull();
  expect(await look()).toBe(1);
});

test("what people said on ours, each once, and nothing of what was said long ago or by us", async () => {
  await propose(token, "ours");
  await propose("glpat-mia", "hers");
  await look();
  await ask("glpat-mia", "POST", "/merge_requests/1/notes", { body: "@ticketsmith fix the rounding" });
  await ask("glpat-mia", "POST", "/merge_requests/1/discussions", { body: "why not a map?" });
  await ask(token, "POST", "/merge_requests/1/notes", { body: "an answer" });
  await ask("glpat-mia", "POST", "/merge_requests/2/notes", { body: "@ticketsmith help" });
  expect(await look()).toBe(2);
  expect(await look()).toBe(0);
  const of = { type: "mr.commented", repository, iid: 1, actor: { id: "11", name: "mia" }, sourceBranch: "ours" };
  expect((await told()).slice(-2)).toEqual([
    expect.objectContaining({ ...of, body: "@ticketsmith fix the rounding", thread: false }),
    expect.objectContaining({ ...of, body: "why not a map?", thread: true }),
  ]);
  expect(await look({ graceMs: 60_000 })).toBe(0);
});

import { expect, test } from "vitest";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import { api, commit, dana, files, mary, openGitLab, shop } from "../../stand-ins/gitlab/playground.ts";
import { at, connect, failOnce, losses, talk, writesOf } from "./connection.ts";

const block = { ...at, marker: "description:1", body: parseMarkdown("What it does.") };

test("a merge request with everything that has to be known", async () => {
  const { gitlab, client, head } = await talk({ ".gitlab-ci.yml": "x: {}\n" });
  await gitlab.idle();
  const [pipeline] = gitlab.project(shop).pipelines;
  const base = await gitlab.project(shop).repository.resolve("main");
  expect(await client.readMergeRequest(at)).toEqual({
    iid: 1,
    url: `${gitlab.baseUrl}/acme/shop/-/merge_requests/1`,
    title: "Taxes",
    body: "",
    state: "opened",
    draft: false,
    sourceBranch: "feature/tax",
    targetBranch: "main",
    sha: head,
    labels: [],
    authorId: "11",
    author: { id: "11", name: "dana" },
    refs: { base, start: base, head },
    fork: false,
    hasConflicts: false,
    mergeStatus: "mergeable",
    pipeline: {
      id: pipeline?.id,
      status: "success",
      sha: head,
      url: `${gitlab.baseUrl}/acme/shop/-/pipelines/${pipeline?.id}`,
    },
  });
  await expect(client.readMergeRequest({ ...at, iid: 99 })).rejects.toMatchObject({ name: "Permanent", status: 404 });
});

test("one that GitLab is still preparing has no refs yet", async () => {
  const { gitlab, client } = await talk();
  const { body } = await api(gitlab, dana, "GET", "merge_requests/1");
  const early = {
    ...body,
    diff_refs: { base_sha: null, head_sha: body.sha, start_sha: null },
    detailed_merge_status: undefined,
  };
  failOnce(gitlab, /merge_requests\/1$/, { when: "before", answer: { status: 200, body: early } });
  expect(await client.readMergeRequest(at)).toMatchObject({ refs: null, mergeStatus: "" });
});

test("one from a fork, and one with conflicts", async () => {
  const fork = "dana/shop";
  const gitlab = await openGitLab({
    projects: [
      { path: shop, files },
      { path: fork, forkOf: shop },
    ],
    users: [{ ...dana, accessLevels: { [shop]: 20, [fork]: 50 } }, mary],
  });
  const content = "export const total = 1;\n";
  const actions = [{ action: "update", file_path: "src/cart.ts", content }];
  const change = { branch: "mine", start_branch: "main", commit_message: "Mine", actions };
  expect((await api(gitlab, dana, "POST", "/projects/dana%2Fshop/repository/commits", change)).status).toBe(201);
  const target_project_id = gitlab.project(shop).id;
  const opened = await api(gitlab, dana, "POST", "/projects/dana%2Fshop/merge_requests", {
    title: "From my fork",
    source_branch: "mine",
    target_branch: "main",
    target_project_id,
  });
  expect(opened.status).toBe(201);
  const client = connect(gitlab);
  expect(await client.readMergeRequest(at)).toMatchObject({ fork: true, sourceBranch: "mine", hasConflicts: false });
  expect(await client.readDiff(at)).toMatchObject([{ newPath: "src/cart.ts" }]);

  const theirs = [{ action: "update", file_path: "src/cart.ts", content: "export const total = 2;\n" }];
  await api(gitlab, mary, "POST", "repository/commits", { branch: "main", commit_message: "Two", actions: theirs });
  expect(await client.readMergeRequest(at)).toMatchObject({ hasConflicts: true, mergeStatus: "conflict" });
});

test("our block in somebody's description", async () => {
  const { gitlab, client } = await talk();
  await api(gitlab, dana, "PUT", "merge_requests/1", { description: "My words" });
  const url = `${gitlab.baseUrl}/acme/shop/-/merge_requests/1`;
  expect(await client.ensureDescription(block)).toEqual({ outcome: "updated", ref: { id: "1", url } });
  expect(await client.ensureDescription(block)).toEqual({ outcome: "unchanged", ref: { id: "1", url } });
  await client.ensureDescription({ ...block, body: parseMarkdown("It does more.") });
  expect(gitlab.mergeRequests(shop)[0]?.description).toBe(
    "My words\n\n<!-- ticketsmith:begin description:1 -->\n\nIt does more.\n\n<!-- ticketsmith:end -->",
  );
  expect(writesOf(gitlab)).toEqual(["PUT merge_requests/#", "PUT merge_requests/#"]);
});

test("a draft is made ready at the commit that was meant", async () => {
  const { gitlab, client, head } = await talk();
  await api(gitlab, dana, "PUT", "merge_requests/1", { title: "Draft: [Draft] Taxes" });
  await expect(client.ensureReady({ ...at, sha: "0".repeat(40) })).rejects.toMatchObject({
    name: "Permanent",
    status: 409,
  });
  expect(await client.ensureReady({ ...at, sha: head })).toMatchObject({ outcome: "updated" });
  expect(await client.ensureReady({ ...at, sha: head })).toMatchObject({ outcome: "unchanged" });
  expect(gitlab.mergeRequests(shop)[0]?.title).toBe("Taxes");
  await api(gitlab, dana, "PUT", "merge_requests/1", { title: "Draft: Taxes", state_event: "close" });
  await expect(client.ensureReady({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent" });
});

const merging = async (change?: Record<string, string>) => {
  const { gitlab, head } = await talk(change);
  return { gitlab, head, client: connect(gitlab, mary) };
};

test("merged at the commit that was meant, once", async () => {
  const { gitlab, client, head } = await merging();
  expect(await client.ensureMerged({ ...at, sha: head })).toMatchObject({ outcome: "updated", ref: { id: "1" } });
  expect(gitlab.mergeRequests(shop)[0]?.state).toBe("merged");
  expect(await client.ensureMerged({ ...at, sha: head })).toMatchObject({ outcome: "unchanged" });
  await expect(client.ensureMerged({ ...at, sha: "0".repeat(40) })).rejects.toMatchObject({ status: 409 });
});

test.each(losses)("a merge with %s: the second try finds it or does it", async (_name, fault, happened) => {
  const { gitlab, client, head } = await merging();
  failOnce(gitlab, /PUT .*\/merge$/, fault);
  await expect(client.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Retryable" });
  expect(await client.ensureMerged({ ...at, sha: head })).toMatchObject({
    outcome: happened ? "unchanged" : "updated",
  });
});

test("not merged: a push in between, before and after our look", async () => {
  const { gitlab, client, head } = await merging();
  const later = [{ action: "create", file_path: "x", content: "x" }];
  const { body } = await api(gitlab, dana, "GET", "merge_requests/1");
  await commit(gitlab, "feature/tax", later);
  await expect(client.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent", status: 409 });
  failOnce(gitlab, /GET .*merge_requests\/1$/, { when: "before", answer: { status: 200, body } });
  await expect(client.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent", status: 409 });
  expect(gitlab.mergeRequests(shop)[0]?.state).toBe("opened");
});

test.each([
  ["a draft", { title: "Draft: Taxes" }, {}],
  ["one that is closed", { state_event: "close" }, {}],
  ["one without its approvals", {}, { approvalsRequired: 1 }],
  ["one with open threads", {}, { threadsMustBeResolved: true }],
  ["one whose pipeline is not green", {}, { pipelineMustSucceed: true }],
])("not merged: %s", async (_name, edit, settings) => {
  const { gitlab, client, head } = await merging();
  await api(gitlab, dana, "POST", "merge_requests/1/discussions", { body: "Why?" });
  if (Object.keys(edit).length > 0) await api(gitlab, dana, "PUT", "merge_requests/1", edit);
  Object.assign(gitlab.project(shop).settings, settings);
  await expect(client.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent", status: 405 });
});

test("not merged by who may not, nor into a conflict", async () => {
  const { gitlab, head } = await talk({ "src/cart.ts": "export const total = 1;\n" });
  const developer = connect(gitlab, dana);
  await expect(developer.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent" });
  const theirs = [{ action: "update", file_path: "src/cart.ts", content: "export const total = 2;\n" }];
  await api(gitlab, mary, "POST", "repository/commits", { branch: "main", commit_message: "Two", actions: theirs });
  const maintainer = connect(gitlab, mary);
  await expect(maintainer.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Permanent", status: 422 });
});

test.each(["checking", "unchecked", "preparing"])("a merge waits while GitLab says %s", async (status) => {
  const { gitlab, client, head } = await merging();
  const { body } = await api(gitlab, dana, "GET", "merge_requests/1");
  const early = { ...body, detailed_merge_status: status };
  failOnce(gitlab, /GET .*merge_requests\/1$/, { when: "before", answer: { status: 200, body: early } });
  await expect(client.ensureMerged({ ...at, sha: head })).rejects.toMatchObject({ name: "Retryable", afterMs: 3000 });
  expect(await client.ensureMerged({ ...at, sha: head })).toMatchObject({ outcome: "updated" });
});

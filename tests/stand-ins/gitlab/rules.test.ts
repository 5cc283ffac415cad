/** What GitLab asks of pushes and merges: push rules, wildcards, approvals, archived projects, forks, groups. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judgePush, type PushRule } from "../../../src/stand-ins/gitlab/push-rules.ts";
import {
  api,
  bot,
  branchWithChange,
  commit,
  dana,
  files,
  git,
  mary,
  openGitLab,
  openMergeRequest,
  scratch,
  shop,
} from "./playground.ts";

/** A clone with one commit of Dana's on a branch. */
async function clone(baseUrl: string, branch: string, message = "SHOP-1 Add a file") {
  const directory = await scratch();
  await git(dana, directory, "clone", "--quiet", `${baseUrl}/acme/shop.git`, ".");
  await git(dana, directory, "checkout", "--quiet", "-b", branch);
  await writeFile(join(directory, "new.txt"), "x".repeat(1_200_000));
  await git(dana, directory, "add", ".");
  await git(dana, directory, "commit", "--quiet", "-m", message);
  return { directory, push: () => git(dana, directory, "push", "--quiet", "origin", branch) };
}

test.each<[string, PushRule, string | null]>([
  ["nothing asked", {}, null],
  [
    "what fits",
    { branchName: "^feature/", commitMessage: "^SHOP-\\d+", authorEmail: "@example\\.com$", memberCheck: true },
    null,
  ],
  ["the branch's name", { branchName: "^ticketsmith/" }, "Branch name does not follow the pattern '^ticketsmith/'"],
  ["the message", { commitMessage: "^Fixes" }, "Commit message does not follow the pattern '^Fixes'"],
  ["words that must not be in it", { commitMessageNot: "Add" }, "Commit message contains the forbidden pattern 'Add'"],
  [
    "the author's address",
    { authorEmail: "@acme\\.test$" },
    "Author's commit email 'dana@example.com' does not follow the pattern '@acme\\.test$'",
  ],
  ["a signature", { signedCommits: true }, "Commit must be signed with a GPG key"],
  ["the size of files", { maxFileMb: 1 }, 'File "new.txt" is larger than the allowed size of 1 MiB'],
])("a push against the rules: %s", async (_name, pushRule, refusal) => {
  const gitlab = await openGitLab({ projects: [{ path: shop, files, settings: { pushRule } }] });
  const { push } = await clone(gitlab.baseUrl, "feature/x");
  if (refusal === null) await push();
  else await expect(push()).rejects.toThrow(`GitLab: ${refusal}`);
  const branches = await gitlab.project(shop).repository.branches();
  expect(branches.has("feature/x")).toBe(refusal === null);
  gitlab.project(shop).settings.pushRule = null;
});

const push = {
  branch: "x",
  isDefaultBranch: false,
  commits: [{ message: "A", authorEmail: "a@b.c", committerEmail: "a@b.c", signed: true }],
  files: [],
  knownEmails: [],
};
test("rules in a table: strangers, committers, and the default branch's name", () => {
  expect(judgePush({ memberCheck: true }, push)).toBe("Author 'a@b.c' is not a member of team");
  expect(judgePush({ signedCommits: true }, push)).toBeNull();
  expect(judgePush({ branchName: "^y" }, { ...push, isDefaultBranch: true })).toBeNull();
  const other = { ...push.commits[0], message: "A", authorEmail: "a@b.c", committerEmail: "x@y.z", signed: false };
  expect(judgePush({ authorEmail: "@b\\.c$" }, { ...push, commits: [other] })).toMatch(/^Committer's email 'x@y.z'/);
});

test("push rules hold for commits made through the API, and are set through it by maintainers", async () => {
  const gitlab = await openGitLab();
  expect((await api(gitlab, dana, "GET", "push_rule")).status).toBe(403);
  expect(await api(gitlab, mary, "GET", "push_rule")).toMatchObject({ status: 200, body: null });
  const rule = { commit_message_regex: "^SHOP-" };
  expect((await api(gitlab, mary, "POST", "push_rule", rule)).status).toBe(201);
  expect((await api(gitlab, mary, "POST", "push_rule", rule)).status).toBe(422);
  await expect(commit(gitlab, "main", [], "x")).rejects.toThrow(/403/);
  await branchWithChange(gitlab, "feature/x");
  await expect(commit(gitlab, "feature/x", [{ action: "create", file_path: "y", content: "" }], "No")).rejects.toThrow(
    /does not follow the pattern/,
  );
  expect(
    (await api(gitlab, mary, "PUT", "push_rule", { commit_message_regex: "", branch_name_regex: "^f" })).body,
  ).toMatchObject({
    commit_message_regex: null,
    branch_name_regex: "^f",
  });
  expect((await api(gitlab, mary, "DELETE", "push_rule")).status).toBe(204);
  const free = await openGitLab({ tier: "free" });
  expect((await api(free, mary, "GET", "push_rule")).status).toBe(404);
});

test("wildcards protect branches that are not there yet; rights of single people; the most permissive rule counts", async () => {
  const gitlab = await openGitLab({
    projects: [
      {
        path: shop,
        files,
        protectedBranches: [
          { name: "release/*", pushLevel: 0 },
          { name: "release/open*", pushLevel: 30 },
          { name: "dana/*", pushLevel: 0, pushUserIds: [dana.id] },
        ],
      },
    ],
  });
  await expect((await clone(gitlab.baseUrl, "release/1")).push()).rejects.toThrow(
    /not allowed to push code to protected/,
  );
  await (await clone(gitlab.baseUrl, "release/open-1")).push();
  await (await clone(gitlab.baseUrl, "dana/x")).push();
  await expect(commit(gitlab, "release/2", [])).rejects.toThrow(/403/);
});

test("an archived project takes no pushes and no merge requests", async () => {
  const gitlab = await openGitLab();
  const { push } = await clone(gitlab.baseUrl, "feature/x");
  await branchWithChange(gitlab, "feature/y");
  gitlab.project(shop).settings.archived = true;
  await expect(push()).rejects.toThrow(/403/);
  const request = { title: "X", source_branch: "feature/y", target_branch: "main" };
  expect((await api(gitlab, dana, "POST", "merge_requests", request)).status).toBe(403);
});

test("approvals: the rule, who may not, one of two and the last, and what the hooks hear", async () => {
  const settings = { approvalsRequired: 2, authorMayApprove: false };
  const gitlab = await openGitLab({
    projects: [{ path: shop, files, settings }],
    webhook: { url: "http://127.0.0.1:9/" },
  });
  await openMergeRequest(gitlab);
  const approve = (who: { token: string }) => api(gitlab, who, "POST", "merge_requests/1/approve");
  expect((await approve(dana)).status).toBe(401);
  expect((await approve(mary)).body).toMatchObject({ approved: false, approvals_left: 1 });
  expect((await approve(mary)).status).toBe(401);
  expect((await api(gitlab, mary, "PUT", "merge_requests/1/merge", {})).status).toBe(405);
  expect((await approve(bot)).body).toMatchObject({ approved: true, approvals_left: 0 });
  expect((await api(gitlab, bot, "POST", "merge_requests/1/unapprove")).status).toBe(201);
  await gitlab.idle();
  const actions = gitlab
    .deliveries(shop)
    .flatMap(({ event, body }) =>
      event === "Merge Request Hook"
        ? [(body as { object_attributes: { action: string } }).object_attributes.action]
        : [],
    );
  expect(actions).toEqual(["open", "approval", "approved", "unapproved"]);
  expect((await api(gitlab, mary, "GET", "merge_requests/1/approval_state")).body.rules).toMatchObject([
    { approvals_required: 2 },
  ]);
});

test("a merge request from a fork follows the fork's branch and is merged here", async () => {
  const fork = "dana/shop";
  const gitlab = await openGitLab({
    projects: [
      { path: shop, files },
      { path: fork, forkOf: shop },
      { path: "dana/other", files },
    ],
    users: [{ ...dana, accessLevels: { [shop]: 20, [fork]: 50, "dana/other": 50 } }, mary],
  });
  const inFork = (method: string, path: string, body: unknown) =>
    api(gitlab, dana, method, `/projects/dana%2Fshop/${path}`, body);
  const change = (path: string, more: object = {}) =>
    inFork("POST", "repository/commits", {
      branch: "mine",
      commit_message: "Mine",
      actions: [{ action: "create", file_path: path, content: "x\n" }],
      ...more,
    });
  await change("a.txt", { start_branch: "main" });
  const request = { title: "Mine", source_branch: "mine", target_branch: "main" };
  const target_project_id = gitlab.project(shop).id;
  expect((await inFork("POST", "merge_requests", { ...request, target_project_id })).body).toMatchObject({
    iid: 1,
    project_id: target_project_id,
    source_project_id: gitlab.project(fork).id,
    target_project_id,
  });
  expect((await inFork("POST", "merge_requests", { ...request, target_project_id })).status).toBe(409);
  const foreign = { ...request, target_project_id: gitlab.project("dana/other").id };
  expect((await inFork("POST", "merge_requests", foreign)).status).toBe(422);
  const { body } = await change("b.txt");
  expect((await api(gitlab, mary, "GET", "merge_requests/1")).body).toMatchObject({ sha: body.id });
  expect((await api(gitlab, mary, "GET", "merge_requests/1/diffs")).body).toHaveLength(2);
  expect((await api(gitlab, mary, "PUT", "merge_requests/1/merge", { sha: body.id })).body).toMatchObject({
    state: "merged",
  });
  expect((await gitlab.project(fork).repository.branches()).has("mine")).toBe(true);
});

test("groups: members, those of the groups above, and who sees them", async () => {
  const grace = { id: 34, username: "grace", token: "t34", groups: { acme: 40 } };
  const sue = { id: 35, username: "sue", token: "t35", groups: { "acme/backend": 30 } };
  const olaf = { id: 14, username: "olaf", token: "t14" };
  const gitlab = await openGitLab({ users: [grace, sue, olaf] });
  const names = async (who: { token: string }, path: string) => {
    const { status, body } = await api(gitlab, who, "GET", `/groups/${path}`);
    return status === 200 ? body.map(({ username }: { username: string }) => username) : status;
  };
  expect(await names(grace, "acme/members")).toEqual(["grace"]);
  expect(await names(grace, "acme%2Fbackend/members")).toEqual(["sue"]);
  expect(await names(grace, "acme%2Fbackend/members/all")).toEqual(["grace", "sue"]);
  expect(await names(olaf, "acme/members")).toBe(404);
  expect((await api(gitlab, grace, "GET", "/groups/acme%2Fbackend/members/all/34")).body).toMatchObject({
    access_level: 40,
  });
  expect((await api(gitlab, grace, "GET", "/groups/acme%2Fbackend/members/34")).status).toBe(404);
  expect((await api(gitlab, grace, "GET", "/projects/acme%2Fshop/members/all/34")).body).toMatchObject({
    access_level: 40,
  });
});

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { api, bot, branchWithChange, dana, git, mary, olaf, openGitLab, rita, scratch, shop } from "./playground.ts";

async function cloneWithCommit(url: string, who: { token: string }, branch: string): Promise<string> {
  const directory = await scratch();
  await git(who, directory, "clone", "--quiet", `${url}/acme/shop.git`, "shop");
  const clone = join(directory, "shop");
  await git(who, clone, "switch", "--quiet", "--create", branch);
  await writeFile(join(clone, "NEWS.md"), "News\n");
  await git(who, clone, "add", "NEWS.md");
  await git(who, clone, "commit", "--quiet", "--message", "Add news");
  return clone;
}

test("a developer clones, pushes a branch, and the API sees it", async () => {
  const gitlab = await openGitLab();
  const clone = await cloneWithCommit(gitlab.baseUrl, dana, "news");
  await git(dana, clone, "push", "--quiet", "origin", "news");

  const head = (await git(dana, clone, "rev-parse", "HEAD")).trim();
  const branch = await api(gitlab, dana, "GET", "repository/branches/news");
  expect(branch.body.commit.id).toBe(head);
  expect((await git(dana, clone, "ls-remote", "origin", "refs/heads/news")).split("\t")[0]).toBe(head);
  expect(gitlab.unknown).toEqual([]);
});

test("a big push arrives whole", async () => {
  const gitlab = await openGitLab();
  const clone = await cloneWithCommit(gitlab.baseUrl, dana, "big");
  // More than git's http.postBuffer (1 MiB), so it is sent in chunks after a probe; random, so that it does not shrink.
  const noise = Array.from({ length: 24 }, () => randomBytes(65_536).toString("base64")).join("\n");
  await writeFile(join(clone, "big.txt"), noise);
  await git(dana, clone, "add", "big.txt");
  await git(dana, clone, "commit", "--quiet", "--message", "Add noise");
  await git(dana, clone, "push", "--quiet", "origin", "big");
  const raw = await api(gitlab, dana, "GET", "repository/files/big.txt/raw?ref=big");
  expect(raw.body).toBe(noise);
});

test.each([
  ["a reporter may read but not push", rita, /403/],
  ["a wrong token is not let in", { token: "nonsense" }, /401|Authentication failed|could not read Username/],
  ["who has no access hears that nothing is there", olaf, /not found|could not be found|404/],
])("%s", async (_name, who, refusal) => {
  const gitlab = await openGitLab();
  const clone = await cloneWithCommit(gitlab.baseUrl, dana, "news");
  await expect(git(who, clone, "push", "origin", "news")).rejects.toThrow(refusal);
  expect((await api(gitlab, dana, "GET", "repository/branches/news")).status).toBe(404);
});

test("the default branch is protected from developers, and from force pushes of maintainers", async () => {
  const gitlab = await openGitLab();
  const clone = await cloneWithCommit(gitlab.baseUrl, dana, "news");
  await expect(git(dana, clone, "push", "origin", "news:main")).rejects.toThrow(
    "GitLab: You are not allowed to push code to protected branches on this project.",
  );
  await git(mary, clone, "push", "--quiet", "origin", "news:main");
  await git(dana, clone, "commit", "--quiet", "--amend", "--message", "Another history");
  await expect(git(mary, clone, "push", "--force", "origin", "news:main")).rejects.toThrow(
    "You are not allowed to force push code to a protected branch on this project.",
  );
  await expect(git(mary, clone, "push", "origin", ":main")).rejects.toThrow("delete protected branches");
});

test("a push moves the merge request of its branch along", async () => {
  const gitlab = await openGitLab();
  const first = await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", { title: "News", source_branch: "news", target_branch: "main" });
  const directory = await scratch();
  await git(dana, directory, "clone", "--quiet", "--branch", "news", `${gitlab.baseUrl}/acme/shop.git`, ".");
  await git(dana, directory, "commit", "--quiet", "--allow-empty", "--message", "More");
  await git(dana, directory, "push", "--quiet", "origin", "news");
  const head = (await git(dana, directory, "rev-parse", "HEAD")).trim();

  const { body } = await api(gitlab, bot, "GET", "merge_requests/1");
  expect(head).not.toBe(first);
  expect([body.sha, body.diff_refs.head_sha]).toEqual([head, head]);
  const versions = await api(gitlab, bot, "GET", "merge_requests/1/versions");
  expect(versions.body.map((version: { head_commit_sha: string }) => version.head_commit_sha)).toEqual([head, first]);
});

test("an answer lost after the push leaves the push done", async () => {
  const gitlab = await openGitLab();
  const clone = await cloneWithCommit(gitlab.baseUrl, dana, "news");
  gitlab.fault = ({ method, path }) =>
    method === "POST" && path.endsWith("git-receive-pack") ? { when: "after", answer: { status: 502 } } : undefined;
  await expect(git(dana, clone, "push", "origin", "news")).rejects.toThrow("502");
  expect((await gitlab.project(shop).repository.branches()).has("news")).toBe(true);
});

test("a stand-in seeded from a directory or from nothing", async () => {
  const directory = await scratch();
  await writeFile(join(directory, "run.sh"), "#!/bin/sh\necho hi\n", { mode: 0o755 });
  await writeFile(join(directory, 'with "quotes" & spaces.txt'), "text");
  const gitlab = await openGitLab({
    projects: [{ path: shop, seedDirectory: directory, defaultBranch: "trunk" }, { path: "acme/empty" }],
  });
  const reader = gitlab.project(shop).repository;
  const head = (await reader.resolve("trunk")) ?? "";
  expect((await reader.tree(head)).map(({ path, mode }) => [path, mode])).toEqual([
    ["run.sh", "100755"],
    ['with "quotes" & spaces.txt', "100644"],
  ]);
  expect((await api(gitlab, bot, "GET", "/projects/acme%2Fempty")).body).toMatchObject({
    default_branch: null,
    empty_repo: true,
  });
});

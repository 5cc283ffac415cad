/** Repositories that try to run code on the host, or to reach its files, when the bot merely checks them out and diffs them. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CodeProject } from "../../src/domain/ticket.ts";
import { silentLog } from "../../src/platform/log.ts";
import { readInside } from "../../src/workspace/tree.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, plainGit, startGitServer, token } from "./git-server.ts";

let server: GitServer;
let directory: string;
let markers: string;
let project: CodeProject;
let base: string;

/** A program that leaves a marker. */
const trap = (name: string): string => `#!/bin/sh\ntouch ${path.join(markers, name)}\ncat\n`;

beforeAll(async () => {
  server = await startGitServer();
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-hostile-"));
  markers = path.join(directory, "markers");
  mkdirSync(markers);
  const config = `[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tfsmonitor = touch ${markers}/fsmonitor\n\thooksPath = hooks\n[filter "evil"]\n\tclean = touch ${markers}/clean\n\tsmudge = touch ${markers}/smudge\n[diff "evil"]\n\tcommand = touch ${markers}/diff\n\ttextconv = touch ${markers}/textconv\n`;
  project = server.project("evil/repo", {
    "README.md": "hello\n",
    ".gitattributes": "* filter=evil diff=evil merge=evil\n*.bin filter=lfs diff=lfs merge=lfs -text\n*.id ident\n",
    ".gitconfig": config,
    ".gitmodules": `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% ${markers}/submodule\n`,
    ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:9/\n",
    "asset.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    // A bare repository in the tree: git run inside of it would take its configuration.
    "embedded/HEAD": "ref: refs/heads/main\n",
    "embedded/config": config,
    "embedded/objects/keep": "",
    "embedded/refs/keep": "",
    "embedded/hooks/post-index-change": trap("embedded-hook"),
    "hooks/pre-commit": trap("hook"),
    "hooks/post-checkout": trap("hook"),
    "hooks/post-index-change": trap("hook"),
    passwd: { link: "/etc/passwd" },
    up: { link: "../../.." },
  });
  // A submodule entry, which has no file to add.
  const sha = "1234567890123456789012345678901234567890";
  const work = mkdtempSync(path.join(directory, "work-"));
  plainGit(work, "clone", "--quiet", server.path("evil/repo"), "copy");
  const copy = path.join(work, "copy");
  plainGit(copy, "update-index", "--add", "--cacheinfo", `160000,${sha},x`);
  plainGit(copy, "commit", "--quiet", "-m", "Submodule");
  plainGit(copy, "push", "--quiet", "origin", "HEAD:main");
  rmSync(markers, { recursive: true });
  mkdirSync(markers);
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const create = () => createWorkspaces({ directory: path.join(directory, "data"), token, log: silentLog });

it("checks out, changes, diffs and pushes without running anything of it", async () => {
  const workspaces = create();
  const workspace = await workspaces.open({ runId: "evil", project });
  base = workspace.base;
  for (const file of ["embedded/hooks/post-index-change", "hooks/pre-commit"])
    chmodSync(path.join(workspace.root, file), 0o755);
  expect(readFileSync(path.join(workspace.root, "asset.bin"), "utf8")).toContain("git-lfs");
  writeFileSync(path.join(workspace.root, "README.md"), "changed\n");
  writeFileSync(path.join(workspace.root, "embedded/new.txt"), "new\n");
  const changed = await workspace.changedFiles();
  expect(changed.map(({ path: file }) => file)).toEqual([
    "README.md",
    "embedded/hooks/post-index-change",
    "embedded/new.txt",
    "hooks/pre-commit",
  ]);
  const patch = await workspace.diff();
  expect(patch).toContain("+changed");
  const again = await workspaces.open({ runId: "again", project, base, patch });
  expect(await again.diff()).toBe(patch);
  const ensured = await workspaces.ensureBranch({
    repository: project.path,
    branch: "ticketsmith/EVIL-1",
    base,
    patch,
    message: "Change",
    author: { name: "Ticketsmith", email: "bot@shop.example" },
    date: "2026-01-01T00:00:00Z",
  });
  expect(ensured.outcome).toBe("created");
  expect(server.inside("evil/repo", "ls-tree", "ticketsmith/EVIL-1", "x")).toContain("160000 commit 1234567890");
  expect(readdirSync(markers)).toEqual([]);
});

it("does not even fetch what git knows as an attack", async () => {
  const bad = server.project("evil/modules", {
    ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = !touch x\n',
  });
  const attempt = create().open({ runId: "modules", project: bad });
  await expect(attempt).rejects.toMatchObject({
    name: "Permanent",
    message: expect.stringContaining("disallowed submodule"),
  });
});

it("keeps symlinks as what they are, for git, and does not read through them", async () => {
  const workspace = await create().open({ runId: "links", project });
  expect(lstatSync(path.join(workspace.root, "passwd")).isSymbolicLink()).toBe(true);
  await expect(readInside(workspace.root, "passwd", 1e6)).rejects.toThrow(/symbolic link/);
  await expect(readInside(workspace.root, "up/etc/passwd", 1e6)).rejects.toThrow(/symbolic link/);
  expect(await workspace.diff()).toBe("");
});

it("does not take a .git that appears in the tree for a repository", async () => {
  const workspace = await create().open({ runId: "planted", project });
  const planted = path.join(workspace.root, ".git");
  mkdirSync(path.join(planted, "hooks"), { recursive: true });
  mkdirSync(path.join(planted, "objects"));
  mkdirSync(path.join(planted, "refs"));
  writeFileSync(path.join(planted, "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(path.join(planted, "config"), `[core]\n\tfsmonitor = touch ${markers}/planted\n`);
  writeFileSync(path.join(planted, "hooks/post-index-change"), trap("planted-hook"), { mode: 0o755 });
  writeFileSync(path.join(workspace.root, "README.md"), "changed\n");
  expect(await workspace.changedFiles()).toEqual([{ status: "M", path: "README.md" }]);
  expect(readdirSync(markers)).toEqual([]);
});

it.each([
  ["through a symlink of the tree", "passwd/x"],
  ["through a symlink upwards", "up/x"],
])("does not apply a patch that writes %s", async (_name, file) => {
  const patch = `diff --git a/${file} b/${file}\nnew file mode 100644\n--- /dev/null\n+++ b/${file}\n@@ -0,0 +1 @@\n+x\n`;
  await expect(create().open({ runId: "through", project, patch })).rejects.toMatchObject({ name: "Permanent" });
  expect(existsSync(path.join(directory, "x"))).toBe(false);
});

it("does not apply a patch that makes a symlink and writes through it", async () => {
  const patch = [
    "diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+/tmp\n\\ No newline at end of file\n",
    "diff --git a/out/ticketsmith-marker b/out/ticketsmith-marker\nnew file mode 100644\n--- /dev/null\n+++ b/out/ticketsmith-marker\n@@ -0,0 +1 @@\n+x\n",
  ].join("");
  await expect(create().open({ runId: "two", project, patch })).rejects.toMatchObject({ name: "Permanent" });
  expect(existsSync("/tmp/ticketsmith-marker")).toBe(false);
});

/** Checkouts that are kept and used again: the next run must find exactly what a fresh one would have given it. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodeProject } from "../../src/domain/ticket.ts";
import { silentLog } from "../../src/platform/log.ts";
import { homeIn } from "../../src/workspace/home.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, plainGit, startGitServer, token } from "./git-server.ts";

let server: GitServer;
let directory: string;

beforeAll(async () => {
  server = await startGitServer();
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-places-"));
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;

/** Workspaces with a disk of their own. */
function create() {
  count += 1;
  const where = path.join(directory, `data${count}`);
  const home = homeIn(path.join(where, "homes"));
  const list = (folder: string): string[] =>
    existsSync(path.join(home, folder)) ? readdirSync(path.join(home, folder)) : [];
  return { workspaces: createWorkspaces({ directory: where, token, log: silentLog }), where, home, list };
}

/** Everything below a directory: kind, mode and content. */
function listing(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, file);
    if (entry.isDirectory()) found[`${name}/`] = "";
    else if (entry.isSymbolicLink()) found[name] = "link";
    else found[name] = `${(lstatSync(file).mode & 0o111) === 0 ? "" : "x "}${readFileSync(file, "utf8")}`;
  }
  return found;
}

function project(name: string): CodeProject {
  return server.project(name, {
    "a.txt": "a\n",
    "src/b.txt": "b\n",
    "src/deep/c.txt": "c\n",
    "gone.txt": "x\n",
    ".gitignore": "ignored/\n*.log\n",
    link: { link: "a.txt" },
  });
}

/** Everything that an agent can do to a tree, and more. */
function ravage(root: string): void {
  const at = (name: string): string => path.join(root, name);
  const { atime, mtime } = lstatSync(at("a.txt"));
  writeFileSync(at("a.txt"), "A\n");
  // Same size, same time.
  utimesSync(at("a.txt"), atime, mtime);
  rmSync(at("src"), { recursive: true });
  writeFileSync(at("src"), "a file where a directory was\n");
  rmSync(at("gone.txt"));
  mkdirSync(at("gone.txt/now/deep"), { recursive: true });
  writeFileSync(at("gone.txt/now/deep/file"), "x");
  rmSync(at("link"));
  writeFileSync(at("link"), "no link\n");
  writeFileSync(at(".gitignore"), "*\n");
  mkdirSync(at("ignored/more"), { recursive: true });
  writeFileSync(at("ignored/more/out.js"), "left over");
  writeFileSync(at("left.log"), "left over");
  writeFileSync(at("run.sh"), "#!/bin/sh\n");
  chmodSync(at("run.sh"), 0o755);
  mkdirSync(at("empty"));
}

describe("a kept checkout", () => {
  it("is as good as new, for the same run and for another", async () => {
    const shop = project("acme/kept");
    const fresh = listing((await create().workspaces.open({ runId: "r", project: shop })).root);
    const { workspaces, list } = create();
    const first = await workspaces.open({ runId: "one", project: shop });
    const inode = lstatSync(first.root).ino;
    expect(listing(first.root)).toEqual(fresh);
    ravage(first.root);
    await first.diff();
    const again = await workspaces.open({ runId: "one", project: shop });
    expect(lstatSync(again.root).ino).toBe(inode);
    expect(listing(again.root)).toEqual(fresh);
    expect(await again.diff()).toBe("");

    ravage(again.root);
    writeFileSync(path.join(again.root, "latin.txt"), Buffer.from([0xe9]));
    await again.diff();
    await workspaces.remove("one");
    expect(existsSync(again.root)).toBe(false);
    expect([list("runs"), list("spare").length]).toEqual([[], 1]);
    const second = await workspaces.open({ runId: "two", project: shop });
    expect(lstatSync(second.root).ino).toBe(inode);
    expect(list("spare")).toEqual([]);
    expect(listing(second.root)).toEqual(fresh);
    expect(await second.diff()).toBe("");
    expect(await second.changedFiles()).toEqual([]);
    // Nothing that the first run wrote is left, in the tree or beside it.
    const objects = plainGit(path.dirname(second.root), "--git-dir=git", "count-objects");
    expect(objects).toMatch(/^0 objects/);
  });

  it("takes another base and a patch, and gives the same patch back", async () => {
    const shop = project("acme/moves");
    const { workspaces } = create();
    const first = await workspaces.open({ runId: "r", project: shop });
    writeFileSync(path.join(first.root, "a.txt"), "patched\n");
    writeFileSync(path.join(first.root, "new.txt"), "new\n");
    const patch = await first.diff();
    server.commit("acme/moves", "main", { "src/b.txt": "b2\n" });
    const second = await workspaces.open({ runId: "r", project: shop, patch });
    expect(await second.diff()).toBe(patch);
    expect(listing(second.root)).toMatchObject({ "a.txt": "patched\n", "new.txt": "new\n", "src/b.txt": "b2\n" });
    const third = await workspaces.open({ runId: "r", project: shop, base: first.base });
    expect(listing(third.root)).toMatchObject({ "a.txt": "a\n", "src/b.txt": "b\n" });
    expect(existsSync(path.join(third.root, "new.txt"))).toBe(false);
  });

  it("is not given to another repository, and only a few are kept", async () => {
    const { workspaces, list } = create();
    const projects = Array.from({ length: 6 }, (_, index) =>
      server.project(`acme/few${index}`, { [`${index}`]: "x\n" }),
    );
    for (const [index, each] of projects.entries()) {
      const { root } = await workspaces.open({ runId: `r${index}`, project: each });
      expect(readdirSync(root)).toEqual([`${index}`]);
    }
    for (const index of projects.keys()) await workspaces.remove(`r${index}`);
    expect(list("spare")).toHaveLength(4);
    const { root } = await workspaces.open({ runId: "again", project: projects[5]! });
    expect(readdirSync(root)).toEqual(["5"]);
    expect(list("spare")).toHaveLength(3);
  });

  it("is made anew when git cannot mend it, or when it has places where git does not look", async () => {
    const shop = project("acme/broken");
    const { workspaces, home } = create();
    const first = await workspaces.open({ runId: "r", project: shop });
    writeFileSync(path.join(home, "runs/r/git/index"), "no index");
    expect(listing((await workspaces.open({ runId: "r", project: shop })).root)).toEqual(listing(first.root));
    writeFileSync(path.join(home, "runs/r/git/index.lock"), "");
    expect(await (await workspaces.open({ runId: "r", project: shop })).diff()).toBe("");

    const work = mkdtempSync(path.join(directory, "work-"));
    plainGit(work, "clone", "--quiet", server.path("acme/broken"), "copy");
    const copy = path.join(work, "copy");
    plainGit(copy, "update-index", "--add", "--cacheinfo", `160000,${first.base},vendored`);
    plainGit(copy, "commit", "--quiet", "-m", "A submodule");
    plainGit(copy, "push", "--quiet", "origin", "HEAD:main");
    const with1 = await workspaces.open({ runId: "r", project: shop });
    mkdirSync(path.join(with1.root, "vendored"), { recursive: true });
    writeFileSync(path.join(with1.root, "vendored/left.txt"), "left over");
    await workspaces.remove("r");
    const with2 = await workspaces.open({ runId: "r", project: shop });
    expect(readdirSync(path.join(with2.root, "vendored"))).toEqual([]);
    expect(await with2.diff()).toBe("");
  });

  it("serves many runs at once", async () => {
    const shop = project("acme/crowd");
    const { workspaces, list } = create();
    const ids = Array.from({ length: 8 }, (_, index) => `r${index}`);
    for (let round = 0; round < 3; round += 1) {
      const opened = await Promise.all(ids.map((runId) => workspaces.open({ runId, project: shop })));
      expect(new Set(opened.map(({ root }) => lstatSync(root).ino)).size).toBe(8);
      for (const { root } of opened) ravage(root);
      await Promise.all(ids.map((runId) => workspaces.remove(runId)));
    }
    expect([list("runs"), list("spare").length]).toEqual([[], 4]);
  });
});

describe("snapshots", () => {
  it("bring a tree back, as often as one likes", async () => {
    const { workspaces } = create();
    const workspace = await workspaces.open({ runId: "r", project: project("acme/snap") });
    const at = (name: string): string => path.join(workspace.root, name);
    const start = await workspace.snapshot();
    writeFileSync(at("a.txt"), "good\n");
    writeFileSync(at("new.txt"), "new\n");
    mkdirSync(at("ignored"));
    writeFileSync(at("ignored/build.js"), "built");
    const good = await workspace.snapshot();
    const tree = listing(workspace.root);
    const patch = await workspace.diff();
    ravage(workspace.root);
    await workspace.restore(good);
    expect(listing(workspace.root)).toMatchObject(tree);
    expect(existsSync(at("run.sh"))).toBe(false);
    expect(await workspace.diff()).toBe(patch);
    await workspace.restore(start);
    expect(await workspace.diff()).toBe("");
    expect(existsSync(at("ignored/build.js"))).toBe(true);
    await workspace.restore(good);
    expect(await workspace.diff()).toBe(patch);
    expect(await workspace.snapshot()).toBe(good);
    for (const id of ["", "HEAD", "--help", "x".repeat(40)]) {
      await expect(workspace.restore(id)).rejects.toThrow("not a snapshot");
    }
  });
});

describe("sweeping", () => {
  const hour = 3_600_000;
  const age = (file: string, ms: number): void => {
    const then = new Date(Date.now() - ms);
    for (const each of [file, path.join(file, "left"), path.join(file, "config")]) {
      if (existsSync(each)) utimesSync(each, then, then);
    }
  };

  it("deletes what is old and of no use, never what a run has open", async () => {
    const shop = project("acme/swept");
    const { workspaces, where, home, list } = create();
    const open = await workspaces.open({ runId: "open", project: shop });
    await workspaces.open({ runId: "over", project: shop });
    await workspaces.remove("over");
    for (const name of ["runs/lost", "scratch/lost", "scratch/young"]) {
      mkdirSync(path.join(home, name), { recursive: true });
    }
    const half = path.join(where, "mirrors/half.git.1234");
    mkdirSync(half);
    const old = ["runs/open", "runs/lost", "scratch/lost", `spare/${list("spare")[0]}`].map((name) =>
      path.join(home, name),
    );
    for (const each of [...old, half]) age(each, 3 * hour);
    expect(await workspaces.sweep(2 * hour)).toBe(4);
    expect([list("runs"), list("spare"), list("scratch")]).toEqual([["open"], [], ["young"]]);
    expect(existsSync(half)).toBe(false);
    expect(await open.diff()).toBe("");
    expect(await workspaces.sweep(2 * hour)).toBe(0);
  });

  it("lets go of mirrors that nobody opened for a month, and of many single commits", async () => {
    const shop = project("acme/old");
    const { workspaces, where } = create();
    const { base } = await workspaces.open({ runId: "r", project: shop });
    const [name = ""] = readdirSync(path.join(where, "mirrors"));
    const mirror = path.join(where, "mirrors", name);
    for (let index = 0; index < 320; index += 1) {
      const ref = path.join(mirror, "refs/ticketsmith/commits", String(index));
      mkdirSync(path.dirname(ref), { recursive: true });
      writeFileSync(ref, `${base}\n`);
    }
    expect(await workspaces.sweep(hour)).toBe(0);
    const left = plainGit(mirror, "for-each-ref", "refs/ticketsmith/commits").split("\n");
    expect(left).toHaveLength(300);
    age(mirror, 20 * 24 * hour);
    expect(await workspaces.sweep(hour)).toBe(0);
    age(mirror, 31 * 24 * hour);
    expect(await workspaces.sweep(hour)).toBe(1);
    expect(existsSync(mirror)).toBe(false);
    // The next run does not mind.
    await workspaces.open({ runId: "next", project: shop });
  });
});

it("LFS pointers stay pointers, and a change of one is a change of text", async () => {
  const pointer = (size: number): string =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize ${size}\n`;
  const shop = server.project("acme/lfs", {
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "logo.bin": pointer(3),
  });
  const { workspaces } = create();
  for (const runId of ["one", "two"]) {
    const workspace = await workspaces.open({ runId, project: shop });
    expect(readFileSync(path.join(workspace.root, "logo.bin"), "utf8")).toBe(pointer(3));
    writeFileSync(path.join(workspace.root, "logo.bin"), pointer(4));
    const patch = await workspace.diff();
    expect(patch).toContain("-size 3\n+size 4");
    const snapshot = await workspace.snapshot();
    await workspace.restore(snapshot);
    expect(await workspace.diff()).toBe(patch);
    await workspaces.remove(runId);
  }
});

it("a submodule stays the commit that it is, whatever is written in its place", async () => {
  const shop = server.project("acme/module", { a: "1\n" });
  const sha = "1234567890123456789012345678901234567890";
  const work = mkdtempSync(path.join(directory, "module-"));
  plainGit(work, "clone", "--quiet", server.path("acme/module"), "copy");
  const copy = path.join(work, "copy");
  plainGit(copy, "update-index", "--add", "--cacheinfo", `160000,${sha},lib`);
  plainGit(copy, "commit", "--quiet", "-m", "A submodule");
  plainGit(copy, "push", "--quiet", "origin", "HEAD:main");
  const { workspaces } = create();
  const workspace = await workspaces.open({ runId: "r", project: shop });
  expect(readdirSync(workspace.root).sort()).toEqual(["a", "lib"]);
  expect(await workspace.diff()).toBe("");
  writeFileSync(path.join(workspace.root, "a"), "2\n");
  writeFileSync(path.join(workspace.root, "lib/file.js"), "x\n");
  expect(await workspace.changedFiles()).toEqual([{ status: "M", path: "a" }]);
  const snapshot = await workspace.snapshot();
  await workspace.restore(snapshot);
  const patch = await workspace.diff();
  expect(patch).not.toContain("lib");
  const again = await workspaces.open({ runId: "r", project: shop, patch });
  expect(await again.diff()).toBe(patch);
});

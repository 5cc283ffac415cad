import {
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
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BranchPayload } from "../../src/domain/effect.ts";
import { Permanent, Retryable, UserError } from "../../src/domain/errors.ts";
import type { CodeProject } from "../../src/domain/ticket.ts";
import { silentLog } from "../../src/platform/log.ts";
import { homeIn } from "../../src/workspace/home.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, plainGit, startGitServer, token } from "./git-server.ts";

let server: GitServer;
let directory: string;
const bot = { name: "Ticketsmith", email: "bot@shop.example" };

beforeAll(async () => {
  server = await startGitServer();
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-workspaces-"));
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const create = (where = directory, secret = token) =>
  createWorkspaces({ directory: where, token: secret, log: silentLog });

function mirrorsOf(where: string): string[] {
  return readdirSync(path.join(where, "mirrors"));
}

describe("a checkout", () => {
  it("is plain files of the default branch, without .git and without the token anywhere", async () => {
    const project = server.project("acme/plain", { "src/a.js": "a\n", "run.sh": "#!/bin/sh\n" });
    const workspace = await create().open({ runId: "r1", project });
    expect(readdirSync(workspace.root).sort()).toEqual(["run.sh", "src"]);
    expect(workspace.base).toBe(server.inside("acme/plain", "rev-parse", "main"));
    expect(await workspace.diff()).toBe("");
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const secrets = [token, Buffer.from(`oauth2:${token}`).toString("base64")];
    for (const file of files) {
      const bytes = readFileSync(path.join(file.parentPath, file.name));
      for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
    }
  });

  it("carries every kind of change through a patch into a fresh checkout", async () => {
    const latin1 = Buffer.from("gr\u00fc\u00dfe\n", "latin1");
    const project = server.project("acme/round", {
      "keep.txt": "one\ntwo\n",
      "gone.txt": "bye\n",
      "crlf.txt": "a\r\nb\r\n",
      "odd name äö.txt": "x\n",
      "old [latin].txt": latin1,
      "bin.dat": Buffer.from([0, 1, 2, 255]),
      ".gitignore": "ignored/\n",
    });
    const workspaces = create();
    const first = await workspaces.open({ runId: "r2", project });
    const at = (name: string): string => path.join(first.root, name);
    writeFileSync(at("keep.txt"), "one\nTWO\nno newline at the end");
    rmSync(at("gone.txt"));
    writeFileSync(at("crlf.txt"), "a\r\nc\r\n");
    writeFileSync(at("odd name äö.txt"), "y\n");
    writeFileSync(at("old [latin].txt"), Buffer.concat([latin1, latin1]));
    writeFileSync(at("bin.dat"), Buffer.from([0, 9, 9, 255]));
    mkdirSync(at("ignored"));
    writeFileSync(at("ignored/out.js"), "not ours");
    mkdirSync(at("new/deep"), { recursive: true });
    writeFileSync(at("new/deep/run.sh"), "#!/bin/sh\n", { mode: 0o755 });

    expect(await first.changedFiles()).toEqual([
      { status: "M", path: "bin.dat" },
      { status: "M", path: "crlf.txt" },
      { status: "D", path: "gone.txt" },
      { status: "M", path: "keep.txt" },
      { status: "A", path: "new/deep/run.sh" },
      { status: "M", path: "odd name äö.txt" },
      { status: "M", path: "old [latin].txt" },
    ]);
    const patch = await first.diff();
    expect(patch).toContain("+TWO");

    const second = await workspaces.open({ runId: "r3", project, base: first.base, patch });
    for (const name of ["keep.txt", "crlf.txt", "odd name äö.txt", "old [latin].txt", "bin.dat", "new/deep/run.sh"]) {
      expect(readFileSync(path.join(second.root, name)).equals(readFileSync(at(name)))).toBe(true);
    }
    expect(existsSync(path.join(second.root, "gone.txt"))).toBe(false);
    expect(lstatSync(path.join(second.root, "new/deep/run.sh")).mode & 0o111).not.toBe(0);
    expect(await second.diff()).toBe(patch);
  });

  it("answers two questions at once", async () => {
    const project = server.project("acme/twice", { a: "1\n" });
    const workspace = await create().open({ runId: "twice", project });
    writeFileSync(path.join(workspace.root, "a"), "2\n");
    const [patch, files, again] = await Promise.all([workspace.diff(), workspace.changedFiles(), workspace.diff()]);
    expect(files).toEqual([{ status: "M", path: "a" }]);
    expect(again).toBe(patch);
  });

  it("fetches only what is new, and nothing at all for a commit that is there", async () => {
    const project = server.project("acme/fetch", { a: "1\n" });
    const where = mkdtempSync(path.join(tmpdir(), "ticketsmith-fetch-"));
    const workspaces = create(where);
    const first = await workspaces.open({ runId: "r", project });
    const next = server.commit("acme/fetch", "main", { a: "2\n" });
    const second = await workspaces.open({ runId: "r", project });
    expect(second.base).toBe(next);
    expect(readFileSync(path.join(second.root, "a"), "utf8")).toBe("2\n");
    expect(mirrorsOf(where)).toHaveLength(1);
    const before = server.requests.length;
    const old = await workspaces.open({ runId: "r", project, base: first.base });
    expect(readFileSync(path.join(old.root, "a"), "utf8")).toBe("1\n");
    expect(server.requests.length).toBe(before);
    await workspaces.remove("r");
    await workspaces.remove("r");
    expect(existsSync(old.root)).toBe(false);
    rmSync(where, { recursive: true, force: true });
  });

  it("takes another branch, and survives branches that become directories", async () => {
    const project = server.project("acme/branches", { a: "1\n" });
    const workspaces = create();
    server.commit("acme/branches", "topic", { a: "topic\n" });
    const topic = await workspaces.open({ runId: "b", project, branch: "topic" });
    expect(readFileSync(path.join(topic.root, "a"), "utf8")).toBe("topic\n");
    server.inside("acme/branches", "branch", "-D", "topic");
    server.commit("acme/branches", "topic/two", { a: "two\n" });
    const two = await workspaces.open({ runId: "b", project, branch: "topic/two" });
    expect(readFileSync(path.join(two.root, "a"), "utf8")).toBe("two\n");
    await expect(workspaces.open({ runId: "b", project, branch: "topic" })).rejects.toMatchObject({
      name: "Permanent",
      status: 404,
    });
  });

  it("refuses a patch that does not apply, whole", async () => {
    const project = server.project("acme/refuse", { a: "1\n", b: "1\n" });
    const workspaces = create();
    const workspace = await workspaces.open({ runId: "p1", project });
    writeFileSync(path.join(workspace.root, "a"), "2\n");
    const patch = await workspace.diff();
    server.commit("acme/refuse", "main", { a: "changed\n" });
    await expect(workspaces.open({ runId: "p2", project, patch })).rejects.toThrow(Permanent);
    expect(existsSync(path.join(homeIn(path.join(directory, "homes")), "runs/p2"))).toBe(false);
  });
});

describe("failures are told apart", () => {
  let project: CodeProject;
  beforeAll(() => {
    project = server.project("acme/failures", { a: "1\n" });
  });
  const open = (change: Partial<CodeProject> = {}, secret = token) => {
    const where = mkdtempSync(path.join(directory, "fresh-"));
    return create(where, secret).open({ runId: "f", project: { ...project, ...change } });
  };

  it.each([
    [503, Retryable],
    [429, Retryable],
    [403, Permanent],
    [404, Permanent],
  ])("HTTP %i", async (status, kind) => {
    server.fault = () => status;
    try {
      await expect(open()).rejects.toThrow(kind);
    } finally {
      server.fault = undefined;
    }
  });

  it("a wrong token, which the message does not show", async () => {
    const error = await open({}, "glpat-WrongWrongWrongWrong").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "Permanent", status: 401 });
    expect(String(error)).not.toContain("WrongWrong");
  });

  it("nobody listening", async () => {
    await expect(open({ cloneUrl: "http://127.0.0.1:9/acme/failures.git" })).rejects.toThrow(Retryable);
  });

  it.each([
    "file:///etc",
    "/etc",
    "ext::sh -c true",
    "ssh://git@host/x.git",
    "http://u:p@127.0.0.1/x.git",
    "--upload-pack=x",
  ])("refuses the clone address %s", async (cloneUrl) => {
    await expect(open({ path: cloneUrl, cloneUrl })).rejects.toThrow(Permanent);
  });

  it.each(["--upload-pack=touch x", "a..b", "a:b", "+a", "a b", "-x", "a.lock", "@{1}"])(
    "refuses the branch name %s",
    async (branch) => {
      const where = mkdtempSync(path.join(directory, "fresh-"));
      await expect(create(where).open({ runId: "f", project, branch })).rejects.toThrow(Permanent);
    },
  );

  it.each(["../up", "a/b", ".", "..", ""])("refuses the run id %j", async (runId) => {
    await expect(create().open({ runId, project })).rejects.toThrow(/not a run id/);
    await expect(create().remove(runId)).rejects.toThrow(/not a run id/);
  });

  it("git is missing", async () => {
    const workspaces = createWorkspaces({ directory, token, log: silentLog, env: { PATH: "/nonexistent" } });
    await expect(workspaces.open({ runId: "f", project })).rejects.toThrow(UserError);
  });

  it("a mirror that another process configures just now is used as it is, or tried again later", async () => {
    const where = mkdtempSync(path.join(directory, "locked-"));
    const project = server.project("acme/locked", { a: "1\n" });
    await create(where).open({ runId: "r1", project });
    const lock = path.join(where, "mirrors", mirrorsOf(where)[0]!, "config.lock");
    writeFileSync(lock, "");
    await create(where).open({ runId: "r2", project });
    const elsewhere = { ...project, cloneUrl: `${project.cloneUrl}/` };
    await expect(create(where).open({ runId: "r3", project: elsewhere })).rejects.toThrow(Retryable);
  });

  it("a damaged mirror is made anew", async () => {
    const where = mkdtempSync(path.join(directory, "damaged-"));
    const workspaces = create(where);
    await workspaces.open({ runId: "f", project });
    const mirror = path.join(where, "mirrors", mirrorsOf(where)[0]!);
    for (const entry of readdirSync(path.join(mirror, "objects"), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) rmSync(path.join(entry.parentPath, entry.name));
    }
    const attempts: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const outcome = await workspaces.open({ runId: "f", project }).catch((error: unknown) => error);
      attempts.push(outcome);
      if (!(outcome instanceof Error)) break;
    }
    expect(attempts.slice(0, -1).every((attempt) => attempt instanceof Retryable)).toBe(true);
    expect(attempts.at(-1)).toHaveProperty("root");
  });
});

describe("ensureBranch", () => {
  const repository = "acme/push";
  const branch = "ticketsmith/SHOP-1";
  let project: CodeProject;
  let patch: string;
  let payload: BranchPayload;

  beforeAll(async () => {
    project = server.project(repository, { "a.txt": "1\n2\n3\n" });
    const workspace = await create().open({ runId: "push", project });
    writeFileSync(path.join(workspace.root, "a.txt"), "1\ntwo\n3\n");
    patch = await workspace.diff();
    payload = {
      repository,
      branch,
      base: workspace.base,
      patch,
      message: "Spell two\n\nTicketsmith-Run: push",
      author: bot,
      date: "2026-02-03T04:05:06.789Z",
    };
  });

  const head = (): string => server.inside(repository, "rev-parse", `refs/heads/${branch}`);

  it("creates, then finds it there", async () => {
    const first = await create().ensureBranch(payload);
    expect(first).toMatchObject({ outcome: "created", ref: { id: head(), url: "" } });
    expect(await create().ensureBranch(payload)).toEqual({ outcome: "unchanged", ref: first.ref });
    expect(server.inside(repository, "show", "-s", "--format=%an|%ae|%cn|%ce|%aI|%cI|%P", branch)).toBe(
      `Ticketsmith|bot@shop.example|Ticketsmith|bot@shop.example|2026-02-03T04:05:06+00:00|2026-02-03T04:05:06+00:00|${payload.base}`,
    );
    expect(server.inside(repository, "show", `${branch}:a.txt`)).toBe("1\ntwo\n3");
    expect(readdirSync(path.join(homeIn(path.join(directory, "homes")), "scratch"))).toEqual([]);
  });

  it("makes the same commit on another machine, which only knows the project by name", async () => {
    const where = mkdtempSync(path.join(tmpdir(), "ticketsmith-other-"));
    const options = { directory: where, token, log: silentLog };
    await expect(createWorkspaces(options).ensureBranch(payload)).rejects.toThrow(Permanent);
    const other = createWorkspaces({ ...options, code: { readProject: async () => project } });
    expect(await other.ensureBranch(payload)).toMatchObject({ outcome: "unchanged", ref: { id: head() } });
    rmSync(where, { recursive: true, force: true });
  });

  it("replaces our own commit by the next one, also after the base moved on", async () => {
    const old = head();
    const next = await create().ensureBranch({ ...payload, message: "Spell two better" });
    expect(next).toMatchObject({ outcome: "updated", ref: { id: head() } });
    expect(next.ref.id).not.toBe(old);
    const base = server.commit(repository, "main", { "b.txt": "b\n" });
    const rebased = await create().ensureBranch({ ...payload, base });
    expect(rebased.outcome).toBe("updated");
    expect(server.inside(repository, "rev-parse", `${branch}^`)).toBe(base);
  });

  it("finds the push whose answer was lost", async () => {
    const lost = { ...payload, branch: "ticketsmith/SHOP-2" };
    server.fault = (line) =>
      line.endsWith("/git-receive-pack") && line.startsWith("POST") ? "lose answer" : undefined;
    await expect(create().ensureBranch(lost)).rejects.toThrow(Retryable);
    server.fault = undefined;
    expect(server.inside(repository, "branch", "--list", lost.branch)).not.toBe("");
    expect((await create().ensureBranch(lost)).outcome).toBe("unchanged");
  });

  it("counts work on top of our commit as done, and never overwrites it", async () => {
    const branch = "ticketsmith/SHOP-5";
    await create().ensureBranch({ ...payload, branch });
    const theirs = server.commit(repository, branch, { "c.txt": "mine\n" }, "By hand");
    expect((await create().ensureBranch({ ...payload, branch })).outcome).toBe("unchanged");
    const error = await create()
      .ensureBranch({ ...payload, branch, message: "Another try" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Permanent);
    expect(String(error)).toContain("Robin Vale");
    expect(server.inside(repository, "rev-parse", branch)).toBe(theirs);
  });

  it("sees through an amended commit that still has our name as its author", async () => {
    const amended = { ...payload, branch: "ticketsmith/SHOP-3" };
    await create().ensureBranch(amended);
    const copy = mkdtempSync(path.join(tmpdir(), "ticketsmith-copy-"));
    plainGit(copy, "init", "--quiet");
    plainGit(copy, "fetch", "--quiet", server.path(repository), amended.branch);
    plainGit(copy, "checkout", "--quiet", "FETCH_HEAD");
    writeFileSync(path.join(copy, "a.txt"), "human\n");
    plainGit(copy, "commit", "--quiet", "--all", "--amend", "--no-edit");
    plainGit(copy, "push", "--quiet", "--force", server.path(repository), `HEAD:refs/heads/${amended.branch}`);
    const theirs = server.inside(repository, "rev-parse", amended.branch);
    await expect(create().ensureBranch({ ...amended, message: "Next" })).rejects.toThrow(/not overwritten/);
    expect(server.inside(repository, "rev-parse", amended.branch)).toBe(theirs);
    rmSync(copy, { recursive: true, force: true });
  });

  it("loses the race when somebody pushes between look and push", async () => {
    const raced = { ...payload, branch: "ticketsmith/SHOP-4" };
    let theirs = "";
    server.fault = (line) => {
      if (line.startsWith("GET") && line.includes("service=git-receive-pack") && theirs === "") {
        theirs = server.commit(repository, raced.branch, { d: "d\n" }, "Quick");
      }
      return undefined;
    };
    await expect(create().ensureBranch(raced)).rejects.toThrow(Retryable);
    server.fault = undefined;
    expect(server.inside(repository, "rev-parse", raced.branch)).toBe(theirs);
  });

  it.each([
    ["an empty patch", { patch: "" }],
    [
      "a patch for other content",
      { patch: "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-x\n+y\n" },
    ],
    [
      "a patch into .git",
      {
        patch:
          "diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n",
      },
    ],
    [
      "a patch out of the tree",
      { patch: "diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n" },
    ],
    ["an unknown base", { base: "0123456789012345678901234567890123456789" }],
    ["a base that is no id", { base: "main" }],
    ["a branch that is an option", { branch: "--force" }],
    ["no date", { date: "yesterday" }],
    ["a NUL in the message", { message: "a\0b" }],
  ])("refuses %s for good", async (_name, change) => {
    await expect(create().ensureBranch({ ...payload, branch: "ticketsmith/SHOP-9", ...change })).rejects.toThrow(
      Permanent,
    );
    expect(server.inside(repository, "branch", "--list", "ticketsmith/SHOP-9")).toBe("");
  });
});

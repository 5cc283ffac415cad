/** Commits that are added to somebody's branch, and merges, against a real git server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BranchPayload } from "../../src/domain/effect.ts";
import { Permanent, Retryable } from "../../src/domain/errors.ts";
import type { CodeProject } from "../../src/domain/ticket.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, startGitServer, token } from "./git-server.ts";

const repository = "acme/append";
const branch = "feature/discounts";

let server: GitServer;
let directory: string;
let project: CodeProject;
let main: string;
let base: string;
let count = 0;

beforeAll(async () => {
  server = await startGitServer();
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-branch-"));
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  count += 1;
  server.fault = undefined;
  project = server.project(`${repository}-${count}`, { "a.txt": "1\n2\n3\n", "b.txt": "b\n" });
  main = inside("rev-parse", "main");
  base = server.commit(project.path, branch, { "b.txt": "by a person\n" }, "By hand");
});

const inside = (...argv: string[]): string => server.inside(project.path, ...argv);
const head = (): string => inside("rev-parse", `refs/heads/${branch}`);
/** Another worker on another machine: no mirror yet. */
const elsewhere = () =>
  createWorkspaces({ directory: path.join(directory, crypto.randomUUID()), token, log: silentLog });

/** Workspaces that know the project, and a commit to be put on the person's branch. */
async function prepare(more: Partial<BranchPayload> = {}) {
  const workspaces = elsewhere();
  const tree = await workspaces.open({ runId: "r1", project, base });
  writeFileSync(path.join(tree.root, "a.txt"), "1\ntwo\n3\n");
  const payload: BranchPayload = {
    repository: project.path,
    branch,
    base,
    patch: await tree.diff(),
    message: "Spell two",
    author: { name: "Ticketsmith", email: "bot@acme.example" },
    date: "2026-01-05T09:00:00Z",
    appendOnly: true,
    ...more,
  };
  return { workspaces, payload };
}

const refusal = async (promise: Promise<unknown>): Promise<Permanent> => {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof Permanent) return outcome;
  throw outcome instanceof Error ? outcome : new Error("it went well");
};

describe("a commit that is added", () => {
  it("goes on top of a person's work, once", async () => {
    const { workspaces, payload } = await prepare();
    const first = await workspaces.ensureBranch(payload);
    expect(first).toMatchObject({ outcome: "updated", ref: { id: head() } });
    expect(inside("show", "-s", "--format=%P", branch)).toBe(base);
    expect(inside("show", `${branch}:b.txt`)).toBe("by a person");
    expect(await workspaces.ensureBranch(payload)).toEqual({ outcome: "unchanged", ref: first.ref });
  });

  it("counts as there when work went on from it", async () => {
    const { workspaces, payload } = await prepare();
    const { ref } = await workspaces.ensureBranch(payload);
    const theirs = server.commit(project.path, branch, { "c.txt": "c\n" });
    expect(await workspaces.ensureBranch(payload)).toEqual({ outcome: "unchanged", ref });
    expect(head()).toBe(theirs);
  });

  it("counts as there when its push was done and the answer lost", async () => {
    const { workspaces, payload } = await prepare();
    server.fault = (line) => (line.startsWith("POST") && line.includes("receive-pack") ? "lose answer" : undefined);
    await expect(workspaces.ensureBranch(payload)).rejects.toThrow(Retryable);
    server.fault = undefined;
    expect(await workspaces.ensureBranch(payload)).toMatchObject({ outcome: "unchanged", ref: { id: head() } });
  });

  it("is refused when a person pushed in between, and the message says so", async () => {
    const { workspaces, payload } = await prepare();
    const theirs = server.commit(project.path, branch, { "c.txt": "c\n" });
    const refused = await refusal(workspaces.ensureBranch(payload));
    expect(refused.status).toBe(409);
    expect(refused.message).toContain(`is at ${theirs.slice(0, 12)} and not at ${base.slice(0, 12)} any more`);
    expect(head()).toBe(theirs);
  });

  it("is refused on top of another commit of ours, unlike one that may replace it", async () => {
    const { workspaces, payload } = await prepare();
    await workspaces.ensureBranch(payload);
    const ours = head();
    const other = { ...payload, message: "Spell two otherwise" };
    expect((await refusal(workspaces.ensureBranch(other))).message).toContain("nothing is put over it");
    expect(head()).toBe(ours);
    expect(await workspaces.ensureBranch({ ...other, appendOnly: false })).toMatchObject({ outcome: "updated" });
  });

  it("is refused when the branch was set back or is gone", async () => {
    const { workspaces, payload } = await prepare();
    inside("update-ref", `refs/heads/${branch}`, main);
    await refusal(workspaces.ensureBranch(payload));
    expect(head()).toBe(main);
    inside("branch", "-D", branch);
    expect((await refusal(workspaces.ensureBranch(payload))).message).toContain("is gone");
    expect(inside("branch", "--list", branch)).toBe("");
  });

  it("loses the race when somebody pushes between look and push, and is refused then", async () => {
    const { workspaces, payload } = await prepare();
    let theirs = "";
    server.fault = (line) => {
      if (line.startsWith("GET") && line.includes("service=git-receive-pack") && theirs === "") {
        theirs = server.commit(project.path, branch, { d: "d\n" }, "Quick");
      }
      return undefined;
    };
    await expect(workspaces.ensureBranch(payload)).rejects.toThrow(Retryable);
    await refusal(workspaces.ensureBranch(payload));
    expect(head()).toBe(theirs);
  });
});

describe("a merge", () => {
  it("has the other commit as its second parent, which a fresh mirror fetches", async () => {
    const { payload } = await prepare();
    const of = server.commit(project.path, "main", { "d.txt": "d\n" });
    const workspaces = elsewhere();
    await workspaces.open({ runId: "r2", project });
    const merged = await workspaces.ensureBranch({ ...payload, mergeOf: of });
    expect(merged.outcome).toBe("updated");
    expect(inside("show", "-s", "--format=%P", branch)).toBe(`${base} ${of}`);
    expect(inside("merge-base", "main", branch)).toBe(of);
    expect(await workspaces.ensureBranch({ ...payload, mergeOf: of })).toMatchObject({ outcome: "unchanged" });
  });

  it("may leave all files as they were, an ordinary commit may not", async () => {
    const { workspaces, payload } = await prepare({ patch: "" });
    expect((await refusal(workspaces.ensureBranch(payload))).message).toContain("the patch is empty");
    const of = server.commit(project.path, "main", { "b.txt": "other\n" });
    await workspaces.ensureBranch({ ...payload, mergeOf: of });
    expect(inside("rev-parse", `${branch}^{tree}`)).toBe(inside("rev-parse", `${base}^{tree}`));
  });

  it("of what is no commit, or is not there, is refused", async () => {
    const { workspaces, payload } = await prepare();
    await refusal(workspaces.ensureBranch({ ...payload, mergeOf: "main" }));
    await refusal(workspaces.ensureBranch({ ...payload, mergeOf: "0123456789012345678901234567890123456789" }));
    expect(head()).toBe(base);
  });

  it("does not count the merged commits as a stranger's when ours is replaced", async () => {
    const { workspaces, payload } = await prepare();
    const of = server.commit(project.path, "main", { "d.txt": "d\n" });
    const merge = { ...payload, appendOnly: false, mergeOf: of };
    await workspaces.ensureBranch(merge);
    expect(await workspaces.ensureBranch({ ...merge, message: "Again" })).toMatchObject({ outcome: "updated" });
  });
});

/** What merging a branch comes to, against a real git server. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, startGitServer, token } from "./git-server.ts";

let server: GitServer;
let directory: string;

beforeAll(async () => {
  server = await startGitServer();
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-merge-"));
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const create = () => createWorkspaces({ directory, token, log: silentLog });

describe("a merge", () => {
  it("marks what both sides changed, brings along what one side did, and says what no text can show", async () => {
    const files = {
      "a.txt": "1\n2\n3\n",
      "both.txt": "1\n2\n3\n",
      "gone.txt": "x\n",
      "pic.bin": Buffer.from([0, 1, 2]),
    };
    const project = server.project("acme/conflicts", files);
    const first = server.inside("acme/conflicts", "rev-parse", "main");
    const into = server.commit("acme/conflicts", "feature", {
      "both.txt": "1\nours\n3\n",
      "gone.txt": "changed\n",
      "pic.bin": Buffer.from([0, 3, 4]),
    });
    const of = server.commit("acme/conflicts", "main", {
      "a.txt": "1\n2\n3\n4\n",
      "both.txt": "1\ntheirs\n3\n",
      "latin.txt": Buffer.from("gr\u00fc\u00df\n", "latin1"),
      "pic.bin": Buffer.from([0, 5, 6]),
    });
    const workspaces = create();
    const merge = await workspaces.merge({ project, into, branch: "main" });
    expect(merge).toMatchObject({ of, base: first, upToDate: false });
    expect(merge.conflicts.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: "both.txt", kind: "contents" },
      { path: "pic.bin", kind: "other" },
    ]);
    const { root, diff } = await workspaces.open({ runId: "m1", project, base: into, patch: merge.patch });
    const text = (name: string): string => readFileSync(path.join(root, name), "utf8");
    expect(text("both.txt")).toMatch(/^1\n<{7} \w{40}\nours\n={7}\ntheirs\n>{7} \w{40}\n3\n$/);
    expect(text("a.txt")).toBe("1\n2\n3\n4\n");
    expect(text("gone.txt")).toBe("changed\n");
    expect(readFileSync(path.join(root, "latin.txt"), "latin1")).toBe("gr\u00fc\u00df\n");
    // The same bytes: what was not touched can be told from what was.
    expect(await diff()).toBe(merge.patch);
  });

  it("knows when there is nothing to merge", async () => {
    const project = server.project("acme/ahead", { "a.txt": "1\n" });
    const into = server.commit("acme/ahead", "feature", { "a.txt": "2\n" });
    expect(await create().merge({ project, into, branch: "main" })).toMatchObject({ upToDate: true, conflicts: [] });
  });

  it("runs clean where the sides do not meet", async () => {
    const project = server.project("acme/clean", { "a.txt": "1\n" });
    const into = server.commit("acme/clean", "feature", { "b.txt": "2\n" });
    server.commit("acme/clean", "main", { "c.txt": "3\n" });
    const merge = await create().merge({ project, into, branch: "main" });
    expect(merge).toMatchObject({ upToDate: false, conflicts: [] });
    expect(merge.patch).toContain("+++ b/c.txt");
  });
});

it("compares two commits in either direction", async () => {
  const project = server.project("acme/compared", { "a.txt": "1\n" });
  const from = server.inside("acme/compared", "rev-parse", "main");
  const to = server.commit("acme/compared", "feature", { "a.txt": "2\n", "new.txt": "n\n" });
  const patch = await create().compare({ project, from: to, to: from });
  expect(patch).toMatch(/^-2\n\+1$/m);
  expect(patch).toContain("deleted file mode");
  expect(await create().compare({ project, from, to: from })).toBe("");
});

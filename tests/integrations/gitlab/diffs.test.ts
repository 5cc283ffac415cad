import { expect, test } from "vitest";
import { hunksOf, readRawDiff } from "../../../src/integrations/gitlab/raw-diff.ts";
import { api, branchWithChange, dana, shop } from "../../stand-ins/gitlab/playground.ts";
import { at, failOnce, talk } from "./connection.ts";

const lines = (count: number): string => Array.from({ length: count }, (_value, i) => `line ${i}\n`).join("");
const diffLimits = { collapse: 500, tooLarge: 2000 };
const change = {
  "src/small.ts": "one\n",
  "src/collapsed.ts": lines(100),
  "src/large & ü.ts": lines(400),
  "src/cart.ts": "export const total = 0;\n",
};
const askedFor = (requests: readonly { path: string }[]): string[] =>
  requests.map(({ path }) => path.split("/").at(-1) ?? "").filter((name) => name !== "diffs");

test("a small difference comes in one piece, with what happened to each file", async () => {
  const { gitlab, client } = await talk({ "src/new.ts": "one\n", "src/cart.ts": "export const total = 0;\n" });
  expect(await client.readDiff(at)).toMatchObject([
    { oldPath: "src/cart.ts", newPath: "src/cart.ts", status: "modified", withheld: false },
    { newPath: "src/new.ts", status: "added", patch: "@@ -0,0 +1 @@\n+one\n", withheld: false },
  ]);
  expect(askedFor(gitlab.requests)).toEqual([]);
});

test.each([
  ["19.1.0", ["raw_diffs"]],
  ["17.10.0", ["raw_diffs"]],
  ["16.11.0", ["raw_diffs", "changes"]],
])("what GitLab %s leaves out is fetched in another way", async (version, asked) => {
  const { gitlab, client } = await talk(change, { version, diffLimits });
  const files = await client.readDiff(at);
  expect(files.map(({ newPath, withheld }) => [newPath, withheld])).toEqual([
    ["src/cart.ts", false],
    ["src/collapsed.ts", false],
    ["src/large & ü.ts", false],
    ["src/small.ts", false],
  ]);
  expect(files[1]?.patch.split("\n").filter((line) => line.startsWith("+"))).toHaveLength(100);
  expect(files[2]?.patch).toContain("+line 399\n");
  expect(askedFor(gitlab.requests)).toEqual(asked);
  expect(gitlab.unknown).toEqual([]);
});

test("what cannot be had in any way is withheld, and only that", async () => {
  const { gitlab, client } = await talk(change, { diffLimits });
  gitlab.fault = ({ path }) =>
    /\/(?:raw_diffs|changes)$/.test(path)
      ? { when: "before", answer: { status: 404, body: { message: "404 Not found" } } }
      : undefined;
  const files = await client.readDiff(at);
  expect(files.filter(({ withheld }) => withheld).map(({ newPath, patch }) => [newPath, patch])).toEqual([
    ["src/collapsed.ts", ""],
    ["src/large & ü.ts", ""],
  ]);
});

test("a break in the long answer is worth another try", async () => {
  const { gitlab, client } = await talk(change, { diffLimits });
  failOnce(gitlab, /raw_diffs$/, { when: "after", reset: true });
  await expect(client.readDiff(at)).rejects.toMatchObject({ name: "Retryable" });
  expect(await client.readDiff(at)).toHaveLength(4);
});

test("more files than a page holds", async () => {
  const many = Object.fromEntries(Array.from({ length: 130 }, (_value, i) => [`src/f${i}.ts`, `${i}\n`]));
  const { client } = await talk(many);
  expect(await client.readDiff(at)).toHaveLength(130);
});

test("renamed, emptied, binary and deleted files", async () => {
  const { gitlab, client } = await talk(change, { diffLimits });
  await branchWithChange(gitlab, "second", { "pic.bin": "\u0000\u0001", "empty.txt": "" });
  const actions = [
    { action: "move", previous_path: "src/cart.ts", file_path: "src/basket.ts" },
    { action: "delete", file_path: "README.md" },
  ];
  const commit = { branch: "second", commit_message: "Move", actions };
  expect((await api(gitlab, dana, "POST", "repository/commits", commit)).status).toBe(201);
  await api(gitlab, dana, "POST", "merge_requests", { title: "B", source_branch: "second", target_branch: "main" });
  const files = await client.readDiff({ repository: shop, iid: 2 });
  expect(
    Object.fromEntries(files.map(({ newPath, oldPath, status, withheld }) => [newPath, [oldPath, status, withheld]])),
  ).toEqual({
    "README.md": ["README.md", "deleted", false],
    "empty.txt": ["empty.txt", "added", false],
    "pic.bin": ["pic.bin", "added", false],
    "src/basket.ts": ["src/cart.ts", "renamed", false],
  });
  expect(files.find(({ newPath }) => newPath === "pic.bin")?.patch).toBe("");
});

const hunk = "@@ -1 +1 @@\n-a\n+b\n";
test.each<[string, string, unknown]>([
  [
    "a plain path",
    `diff --git a/src/a.ts b/src/a.ts\nindex 1..2 100644\n--- a/src/a.ts\n+++ b/src/a.ts\n${hunk}`,
    { oldPath: "src/a.ts", newPath: "src/a.ts", status: "modified", patch: hunk, withheld: false },
  ],
  [
    "a path with blanks and ` b/` in it",
    `diff --git a/x b/y.ts b/x b/y.ts\nindex 1..2 100644\n--- a/x b/y.ts\t\n+++ b/x b/y.ts\t\n${hunk}`,
    { oldPath: "x b/y.ts", newPath: "x b/y.ts", status: "modified", patch: hunk, withheld: false },
  ],
  [
    "a quoted path",
    `diff --git "a/gr\\303\\274n\\t\\"x\\".ts" "b/gr\\303\\274n\\t\\"x\\".ts"\nindex 1..2 100644\n--- "a/gr\\303\\274n\\t\\"x\\".ts"\n+++ "b/gr\\303\\274n\\t\\"x\\".ts"\n${hunk}`,
    { oldPath: 'grün\t"x".ts', newPath: 'grün\t"x".ts', status: "modified", patch: hunk, withheld: false },
  ],
  [
    "a new file",
    "diff --git a/n b/n\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+b\n",
    { oldPath: "n", newPath: "n", status: "added", patch: "@@ -0,0 +1 @@\n+b\n", withheld: false },
  ],
  [
    "a deleted file",
    "diff --git a/n b/n\ndeleted file mode 100644\nindex 1..0\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n",
    { oldPath: "n", newPath: "n", status: "deleted", patch: "@@ -1 +0,0 @@\n-b\n", withheld: false },
  ],
  [
    "a renamed file",
    `diff --git a/old.ts b/dir/new.ts\nsimilarity index 90%\nrename from old.ts\nrename to dir/new.ts\nindex 1..2 100644\n--- a/old.ts\n+++ b/dir/new.ts\n${hunk}`,
    { oldPath: "old.ts", newPath: "dir/new.ts", status: "renamed", patch: hunk, withheld: false },
  ],
  [
    "a binary file",
    "diff --git a/p.png b/p.png\nindex 1..2 100644\nBinary files a/p.png and b/p.png differ\n",
    { oldPath: "p.png", newPath: "p.png", status: "modified", patch: "", withheld: false },
  ],
])("git's text of %s", (_name, text, wanted) => {
  expect(readRawDiff(text)).toEqual([wanted]);
});

test("lines that look like headers are content, and of cut text the last file is left out", () => {
  const nasty = "@@ -1,2 +1,2 @@\n-diff --git a/x b/x\n+++ b/evil\n--- a/evil\n+diff --git a/y b/y\n";
  const text = `diff --git a/a b/a\nindex 1..2\n--- a/a\n+++ b/a\n${nasty}diff --git a/b b/b\nindex 1..2\n--- a/b\n+++ b/b\n${hunk}`;
  expect(readRawDiff(text).map(({ newPath, patch }) => [newPath, patch])).toEqual([
    ["a", nasty],
    ["b", hunk],
  ]);
  expect(readRawDiff(text, true).map(({ newPath }) => newPath)).toEqual(["a"]);
  expect(readRawDiff("")).toEqual([]);
  expect(hunksOf("--- a/a\n+++ b/a\n@@ -1 +1 @@\n")).toBe("@@ -1 +1 @@\n");
});

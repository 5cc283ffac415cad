/** Patches as models write them: right, slightly wrong, and dangerous. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyPatch } from "../../src/tools/apply-patch.ts";
import { createCommandLog } from "../../src/tools/commands.ts";
import { applyHunks } from "../../src/tools/hunks.ts";
import { ToolRefusal } from "../../src/tools/tool.ts";
import { bareWorkspace } from "../support/bare-workspace.ts";

let root: string;

const cart =
  "export function total(items) {\n  let sum = 0;\n  for (const item of items) sum += item.price;\n  return sum;\n}\n";

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "ticketsmith-patch-"));
  put("cart.js", cart);
  put("notes.txt", "one\ntwo\nthree\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (name: string, text: string): void => writeFileSync(path.join(root, name), text);
const get = (name: string): string => readFileSync(path.join(root, name), "utf8");
const there = (name: string): boolean => existsSync(path.join(root, name));

function call(patch: string): Promise<string> {
  const workspace = bareWorkspace(root);
  const { signal } = new AbortController();
  return applyPatch.execute({ patch }, { workspace, commands: createCommandLog(), signal, commandTimeoutMs: 1000 });
}

async function refusal(patch: string): Promise<string> {
  const outcome = await call(patch).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ToolRefusal);
  return (outcome as Error).message;
}

const editCart =
  "--- a/cart.js\n+++ b/cart.js\n@@ -2,2 +2,2 @@\n   let sum = 0;\n-  for (const item of items) sum += item.price;\n+  for (const item of items) sum += item.price * item.count;\n";

describe("is applied", () => {
  it("to several files at once: edited, created, deleted", async () => {
    const patch = `${editCart}--- /dev/null\n+++ b/new/a.js\n@@ -0,0 +1,2 @@\n+a\n+b\n--- a/notes.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-two\n-three\n`;
    expect(await call(patch)).toBe("edited cart.js (from line 2)\ncreated new/a.js\ndeleted notes.txt");
    expect(get("cart.js")).toContain("item.price * item.count;\n  return sum;");
    expect(get("new/a.js")).toBe("a\nb\n");
    expect(there("notes.txt")).toBe(false);
  });

  const forgiven: readonly (readonly [string, string])[] = [
    ["wrong line numbers and counts", editCart.replace("-2,2 +2,2", "-40,9 +41,17")],
    ["no line numbers", editCart.replace(/@@.*@@/, "@@")],
    ["a function's name behind the numbers", editCart.replace(/@@ (.*) @@/, "@@ $1 @@ export function total")],
    ["git's own lines", `diff --git a/cart.js b/cart.js\nindex 123..456 100644\n${editCart}`],
    ["a code fence", `\`\`\`diff\n${editCart}\`\`\`\n`],
    [
      "no prefixes, with dates",
      editCart.replace("a/cart.js", "cart.js\t2026-01-01").replace("b/cart.js", "cart.js\t2026-01-02"),
    ],
    ["Windows line ends in the patch", editCart.replaceAll("\n", "\r\n")],
    ["white space at the end of a line", editCart.replace("   let sum = 0;", "   let sum = 0;  ")],
    [
      "the form with markers",
      "*** Begin Patch\n*** Update File: cart.js\n@@ export function total\n   let sum = 0;\n-  for (const item of items) sum += item.price;\n+  for (const item of items) sum += item.price * item.count;\n*** End Patch",
    ],
  ];
  it.each(forgiven)("with %s", async (_name, patch) => {
    expect(await call(patch)).toBe("edited cart.js (from line 2)");
    expect(get("cart.js")).toBe(cart.replace("item.price;", "item.price * item.count;"));
  });

  it("keeps Windows line ends, and a missing one at the end", async () => {
    put("win.txt", "a\r\nb\r\nc");
    await call("--- a/win.txt\n+++ b/win.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n\\ No newline at end of file\n");
    expect(get("win.txt")).toBe("a\r\nB\r\nc");
    await call("--- a/win.txt\n+++ b/win.txt\n@@ @@\n B\n-c\n+C\n");
    expect(get("win.txt")).toBe("a\r\nB\r\nC\r\n");
  });

  it("takes the place that the numbers name when the lines are there more than once", async () => {
    put("rows.txt", "x\ny\nx\ny\nx\ny\n");
    await call("--- a/rows.txt\n+++ b/rows.txt\n@@ -3,2 +3,2 @@\n x\n-y\n+Y\n");
    expect(get("rows.txt")).toBe("x\ny\nx\nY\nx\ny\n");
  });
});

describe("is refused, and nothing is changed:", () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    [
      "lines that are not there",
      editCart.replace("let sum = 0", "let total = 0"),
      /cart\.js, hunk 1 of 1: its lines are not there as written\. The nearest:\n1\texport function total[\s\S]*2\t {2}let sum = 0;/,
    ],
    [
      "lines that are there twice",
      "--- a/rows.txt\n+++ b/rows.txt\n@@ -9 +9 @@\n-x\n+y\n",
      /2 times, at lines 1, 3: add lines/,
    ],
    ["a change that is there already", "--- a/notes.txt\n+++ b/notes.txt\n@@ @@\n-zwei\n+two\n", /applied already/],
    [
      "hunks from bottom to top",
      "--- a/notes.txt\n+++ b/notes.txt\n@@ @@\n-three\n+3\n@@ @@\n-one\n+1\n",
      /hunk 2 of 2: .*top to bottom/,
    ],
    ["lines added nowhere", "--- a/notes.txt\n+++ b/notes.txt\n@@ -4 +4 @@\n+four\n", /unchanged lines around/],
    ["a file that is missing", "--- a/nope.js\n+++ b/nope.js\n@@ @@\n-a\n+b\n", /nope\.js: there is no such file/],
    ["a new file that is there", "--- /dev/null\n+++ b/cart.js\n@@ @@\n+x\n", /is there already/],
    ["a rename", "--- a/cart.js\n+++ b/basket.js\n@@ @@\n-a\n+b\n", /cannot be renamed/],
    ["a rename in git's words", "diff --git a/x b/y\nrename from x\nrename to y\n", /cannot rename/],
    ["a file named twice", `${editCart}${editCart}`, /cart\.js comes twice/],
    [
      "a line without a sign",
      "--- a/cart.js\n+++ b/cart.js\n@@ @@\nlet sum\n",
      /line 4 of the patch begins with none of/,
    ],
    ["no file", "@@ -1 +1 @@\n-a\n+b\n", /names no file/],
    ["no patch", "please change the total", /names no file/],
    ["a binary patch", "--- a/x\n+++ b/x\nGIT binary patch\nliteral 3\n", /binary/],
    ["a way out", "--- a/../x\n+++ b/../x\n@@ @@\n-a\n+b\n", /leads out/],
    ["a way out by creation", "--- /dev/null\n+++ b/../../tmp/x\n@@ @@\n+b\n", /leads out/],
    ["an absolute path", "--- /dev/null\n+++ /etc/x\n@@ @@\n+b\n", /absolute/],
    ["a way through a link", "--- /dev/null\n+++ b/up/x\n@@ @@\n+b\n", /symbolic link/],
    ["git's own files", "--- /dev/null\n+++ b/.git/hooks/x\n@@ @@\n+b\n", /git's own/],
  ];
  it.each(refused)("%s", async (_name, patch, message) => {
    put("rows.txt", "x\ny\nx\n");
    symlinkSync("..", path.join(root, "up"));
    expect(await refusal(patch)).toMatch(message);
    expect(get("cart.js") + get("notes.txt") + get("rows.txt")).toBe(`${cart}one\ntwo\nthree\nx\ny\nx\n`);
  });

  it("every file when one part fails, with all that is wrong", async () => {
    const message = await refusal(`${editCart}--- a/notes.txt\n+++ b/notes.txt\n@@ @@\n-vier\n+4\n@@ @@\n-fuenf\n+5\n`);
    expect(message).toMatch(/^nothing was changed\.\nnotes\.txt, hunk 1 of 2: .*\nnotes\.txt, hunk 2 of 2: /);
    expect(get("cart.js")).toBe(cart);
  });

  it("what was written already when a later file cannot be", async () => {
    symlinkSync("cart.js", path.join(root, "notes.lnk"));
    // Passes every check, and fails on the disk: a name is both a file and a directory.
    const message = await refusal(
      `${editCart}--- /dev/null\n+++ b/a\n@@ @@\n+x\n--- /dev/null\n+++ b/a/b\n@@ @@\n+x\n`,
    );
    expect(message).toContain("not a directory");
    expect(get("cart.js")).toBe(cart);
    expect(there("a")).toBe(false);
  });
});

it("what it makes of a diff is what diff made it from", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "", "  d"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, fc.nat(12), fc.nat(5), (before, added, at, removed) => {
      const from = Math.min(at, before.length);
      const to = Math.min(from + removed, before.length);
      const after = [...before.slice(0, from), ...added, ...before.slice(to)];
      const hunk = {
        line: 1,
        noNewlineAtEnd: false,
        lines: [
          ...before.slice(0, from).map((text) => ({ kind: " ", text }) as const),
          ...before.slice(from, to).map((text) => ({ kind: "-", text }) as const),
          ...added.map((text) => ({ kind: "+", text }) as const),
          ...before.slice(to).map((text) => ({ kind: " ", text }) as const),
        ],
      };
      const result = applyHunks(`${before.join("\n")}\n`, [hunk]);
      expect(result).toMatchObject({ ok: true, text: `${after.join("\n")}\n` });
    }),
    { examples: [[[""], ["a"], 0, 0]] },
  );
});

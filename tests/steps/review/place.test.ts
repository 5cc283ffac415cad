/** A finding lands on a line that takes it, is the same one after a push, and its suggestion is one that GitLab can put in. */
import { describe, expect, test } from "vitest";
import type { ReviewFinding } from "../../../src/domain/review.ts";
import { printIdentity, readIdentity } from "../../../src/steps/review/identity.ts";
import { readDiffFile } from "../../../src/steps/review/lines.ts";
import { place, suggestionFor } from "../../../src/steps/review/place.ts";

const before = [
  "function total(rows) {",
  "  let sum = 0;",
  "  for (const row of rows) sum += row.price;",
  "  return sum;",
  "}",
];
const after = [
  "function total(rows) {",
  "  let sum = 0;",
  "  for (let i = 0; i <= rows.length; i++) {",
  "    sum += rows[i].price;",
  "  }",
  "  return sum;",
  "}",
];
const patch = [
  "@@ -1,5 +1,7 @@",
  ` ${before[0]}`,
  ` ${before[1]}`,
  `-${before[2]}`,
  `+${after[2]}`,
  `+${after[3]}`,
  `+${after[4]}`,
  ` ${before[3]}`,
  ` ${before[4]}`,
  "",
].join("\n");
const files = [
  readDiffFile({ oldPath: "src/total.js", newPath: "src/total.js", status: "modified", patch, withheld: false }),
];
const linesOf = (path: string, side: "new" | "old") =>
  path !== "src/total.js" ? null : side === "new" ? after : before;

const finding = (more: Partial<ReviewFinding> = {}): ReviewFinding => ({
  path: "src/total.js",
  side: "new",
  from: 3,
  to: 3,
  kind: "correctness",
  severity: "major",
  confidence: 0.9,
  title: "The loop goes one too far",
  explanation: "rows[rows.length] is undefined.",
  suggestion: null,
  ...more,
});

describe("anchors", () => {
  test.each([
    ["an added line", {}, { line: 3, oldLine: null }, 3, null],
    ["a removed line", { side: "old" }, { line: null, oldLine: 3 }, 3, null],
    ["an unchanged line", { from: 6, to: 6 }, { line: 6, oldLine: 4 }, 6, null],
    ["a range: its last changed line", { from: 1, to: 7 }, { line: 5, oldLine: null }, 5, null],
    ["a range the wrong way round", { from: 4, to: 3 }, { line: 4, oldLine: null }, 4, null],
    ["a line beside the diff: the nearest changed one", { from: 15, to: 15 }, { line: 5, oldLine: null }, 5, 15],
    ["a path as diffs write it", { path: "b/src/total.js" }, { line: 3, oldLine: null }, 3, null],
    ["a path with a dot", { path: "./src/total.js" }, { line: 3, oldLine: null }, 3, null],
  ] as const)("%s", (_name, more, position, line, movedFrom) => {
    const placed = place(finding(more), files, linesOf);
    expect(placed).toMatchObject({
      line,
      movedFrom,
      position: { path: "src/total.js", oldPath: "src/total.js", ...position },
    });
  });

  test.each([
    ["a line far from any change", { from: 300, to: 300 }],
    ["a file that is not in the diff", { path: "src/other.js" }],
    ["a path that leads out", { path: "../../etc/passwd" }],
  ] as const)("%s has no place", (_name, more) => {
    expect(place(finding(more), files, linesOf).position).toBeNull();
  });
});

describe("identities", () => {
  const identity = (more: Partial<ReviewFinding> = {}, lines: readonly string[] = after) =>
    place(finding(more), files, (path, side) => (side === "new" && path === "src/total.js" ? lines : null)).identity;

  test("do not depend on words, severity, line numbers or spacing", () => {
    const moved = ["// new", "// lines", "// above", "", ...after.map((line) => `  ${line}`)];
    const shifted = readDiffFile({
      oldPath: "src/total.js",
      newPath: "src/total.js",
      status: "modified",
      patch: patch.replace("@@ -1,5 +1,7 @@", "@@ -1,5 +5,7 @@"),
      withheld: false,
    });
    const other = place(
      finding({ from: 7, to: 7, title: "Off by one", severity: "blocker", confidence: 0.7 }),
      [shifted],
      () => moved,
    );
    // The line above the function is new, and no neighbour of line 7.
    expect(other.identity).toEqual(identity());
  });

  test("depend on kind, line and neighbours", () => {
    const own = printIdentity(identity());
    expect(printIdentity(identity({ kind: "performance" }))).not.toBe(own);
    expect(printIdentity(identity({ from: 4, to: 4 }))).not.toBe(own);
    expect(printIdentity(identity({}, after.with(3, "    sum += rows[i]?.price ?? 0;")))).not.toBe(own);
  });

  test("are read from markers of findings only", () => {
    const own = identity();
    expect(readIdentity(`finding:${printIdentity(own)}`)).toEqual(own);
    expect(printIdentity(own)).toMatch(/^correctness\.[0-9a-f]{10}\.[0-9a-f]{10}\.[0-9a-f]{12}$/);
    for (const marker of [
      null,
      "note:review",
      "finding:",
      "finding:a.b.c.d",
      "finding:api.b.c",
      "finding:api.b.c.d.e",
    ]) {
      expect(readIdentity(marker)).toBeNull();
    }
  });
});

describe("suggestions", () => {
  const [file] = files;
  if (file === undefined) throw new Error("no file");
  const suggest = (suggestion: string, from = 3, to = from, side: "new" | "old" = "new") =>
    suggestionFor(file, { side, from, to, suggestion })?.suggestion ?? null;

  test("replace the lines they are about", () => {
    expect(suggest("  for (let i = 0; i < rows.length; i++) {\n")).toEqual({
      above: 0,
      below: 0,
      text: "  for (let i = 0; i < rows.length; i++) {",
    });
    expect(suggest("  for (const row of rows) sum += row.price;", 3, 5)).toMatchObject({ above: 2, below: 0 });
    expect(suggest("  return sum;\n  // done", 2, 6)).toMatchObject({ above: 3, below: 1 });
  });

  test("get the indentation that was forgotten", () => {
    expect(suggest("for (const row of rows) {\n  sum += row.price;\n}", 3, 5)?.text).toBe(
      "  for (const row of rows) {\n    sum += row.price;\n  }",
    );
  });

  test.each([
    ["changes nothing", "  for (let i = 0; i <= rows.length; i++) {", 3, 3],
    ["is about removed lines", "x", 3, 3, "old"],
    ["is about lines that the diff does not show", "x", 7, 9],
    ["goes the wrong way", "x", 5, 3],
    ["ends its own block", "  a\n```\n/approve", 3, 3],
    ["is a novel", "x\n".repeat(80), 3, 3],
  ] as const)("none that %s", (_name, text, from, to, ...side) => {
    expect(suggest(text, from, to, side[0] === "old" ? "old" : "new")).toBeNull();
  });
});

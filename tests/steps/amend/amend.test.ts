/** Decisions about changes to people's branches, as tables. */
import { describe, expect, it } from "vitest";
import { hindranceTo } from "../../../src/steps/amend/hindrance.ts";
import { leftMarkers, lostTests, notByOther, onBothSides, withinMerge } from "../../../src/steps/amend/merging.ts";
import { doubtAbout } from "../../../src/steps/amend/replies.ts";
import { judgeNewTests, newlyRed } from "../../../src/steps/checks/compare.ts";
import { type TestResult, verified } from "../../../src/steps/outputs.ts";
import { changes } from "../change/changes.ts";

const result = (status: TestResult["status"], failures: string[] = [], flaky = false): TestResult => ({
  status,
  command: "npm test",
  detail: "",
  flaky,
  failures,
});
const passed = result("passed");

describe("what keeps a change from a person's branch", () => {
  const met = { criterion: "c", verdict: "met", command: "x", exitCode: 0, evidence: "e" };
  const judged = (tests: TestResult, checks: object = {}, proof: object[] = [met]) =>
    hindranceTo(false, verified.output.parse({ tests, checks, proof, commands: [], notes: "" }));

  it.each<[name: string, found: ReturnType<typeof judged>, kind: string | null]>([
    ["green", judged(passed), null],
    ["not run: nobody knows better", judged(result("not_run")), null],
    ["red", judged(result("failed", ["a"])), "red"],
    ["red as before", judged(result("failed", ["a"]), { redBefore: true, newlyRed: [] }), null],
    ["more of it is red", judged(result("failed", ["a", "b"]), { redBefore: true, newlyRed: ["b"] }), "red"],
    ["red before, without names", judged(result("failed"), { redBefore: true, newlyRed: null }), "red"],
    ["flaky", judged(result("failed", [], true)), "flaky"],
    [
      "a rule refuses",
      judged(passed, { findings: [{ rule: "scope", action: "refuse", path: "a", problem: "p" }] }),
      "refused",
    ],
    [
      "a rule wants a look",
      judged(passed, { findings: [{ rule: "size", action: "park", path: "a", problem: "p" }] }),
      null,
    ],
    ["weakened", judged(passed, { weakened: [{ path: "t", problem: "p" }] }), "weakened"],
    ["not met at all", judged(passed, {}, [{ ...met, verdict: "not_met" }]), "unmet"],
    ["one of two is not met", judged(passed, {}, [met, { ...met, verdict: "not_met" }]), null],
    ["nobody can tell", judged(passed, {}, [{ ...met, verdict: "cannot_tell" }]), null],
    [
      "QA's test fails",
      judged(passed, { qaTests: [{ path: "t", status: "failed", showsChange: "unknown" }] }),
      "unmet",
    ],
  ])("%s", (_name, found, kind) => {
    expect(found?.kind ?? null).toBe(kind);
  });

  it("is nothing to commit", () => {
    expect(hindranceTo(true, verified.output.parse({ tests: passed, proof: [], commands: [], notes: "" }))?.kind).toBe(
      "nothing",
    );
  });
});

describe("test results side by side", () => {
  it.each<[now: TestResult, before: TestResult | null, expected: string[] | null]>([
    [result("failed", ["a", "b"]), result("failed", ["a"]), ["b"]],
    [result("failed", ["a"]), result("failed", ["a", "b"]), []],
    [result("failed", ["a"]), passed, null],
    [result("failed", []), result("failed", ["a"]), null],
    [
      result(
        "failed",
        Array.from({ length: 20 }, (_, i) => `${i}`),
      ),
      result("failed", ["0"]),
      null,
    ],
    [result("failed", ["a"]), null, null],
  ])("%#", (now, before, expected) => {
    expect(newlyRed(now, before)).toEqual(expected);
  });

  it.each<[name: string, without: TestResult, together: TestResult, expected: string]>([
    ["new tests fail on the old code", passed, result("failed", ["new"]), "yes"],
    ["they pass there, too", passed, passed, "no"],
    ["those of before fail, and the new ones, too", result("failed", ["a"]), result("failed", ["a", "new"]), "yes"],
    ["the whole file fails either way", result("failed", ["file"]), result("failed", ["file"]), "unknown"],
    ["flaky", passed, result("failed", ["new"], true), "unknown"],
    ["nothing can be run", result("not_run"), result("not_run"), "unknown"],
  ])("%s", (_name, without, together, expected) => {
    expect(judgeNewTests(without, together)).toBe(expected);
  });
});

describe("a merge", () => {
  const file = (path: string, line: string): string =>
    `diff --git a/${path} b/${path}\nindex 1111111..2222222 100644\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-x\n+${line}\n`;
  const merge = {
    branch: "main",
    of: "b".repeat(40),
    base: "c".repeat(40),
    patch: file("a.js", "marked") + file("b.js", "theirs") + file("c.js", "theirs"),
    conflicts: [{ path: "a.js", kind: "contents" as const }],
  };

  it("keeps what git merged, whatever the developer made of it", () => {
    const { patch, strays } = withinMerge(merge, file("a.js", "solved") + file("b.js", "mine") + file("d.js", "new"));
    expect(patch).toBe(file("b.js", "theirs") + file("c.js", "theirs") + file("a.js", "solved"));
    expect(strays.toSorted()).toEqual(["b.js", "c.js", "d.js"]);
  });

  it("finds markers, and knows those that were text before", () => {
    const ours = changes({
      "a.md": ["# A\n<<<<<<< old\n", "# A\n=======\n<<<<<<< old\n<<<<<<< 1234\nx\n>>>>>>> 5678\n"],
    });
    const theirs = changes({ "a.md": ["# A\n=======\n", "# A\n"] });
    expect(leftMarkers(ours, theirs).map(({ problem }) => problem)).toEqual([
      "line 4 still has a conflict marker",
      "line 6 still has a conflict marker",
    ]);
  });

  it("misses the tests of both sides, but those that a side took away", () => {
    const tests = (...names: string[]): string => names.map((name) => `test("${name}", () => { ok(); });\n`).join("");
    const path = "test/a.test.js";
    const lost = (before: string, after: string | null, other: [string | null, string | null]): string[] =>
      lostTests(changes({ [path]: [before, after] }), changes({ [path]: other })).map(({ problem }) => problem);
    expect(lost(tests("a", "ours"), tests("a", "theirs"), [tests("a"), tests("a", "theirs")])).toEqual([
      'the test "ours" is lost in the merge',
    ]);
    expect(lost(tests("a", "b"), tests("a"), [tests("a", "b"), tests("a")])).toEqual([]);
    expect(lost(tests("a", "ours"), tests("a", "ours", "theirs"), [tests("a"), tests("a", "theirs")])).toEqual([]);
    expect(lost(tests("a"), null, [null, tests("b")])).toEqual(['the test "a" is lost in the merge']);
  });

  it("judges what neither side brought", () => {
    const finding = { rule: "dependencies" as const, action: "park" as const, path: "package.json", problem: "new: x" };
    expect(onBothSides([finding], [finding])).toEqual([finding]);
    expect(onBothSides([finding], [])).toEqual([]);
    const lost = { path: "t.js", problem: "a test is gone" };
    expect(notByOther([lost], [])).toEqual([lost]);
    expect(notByOther([lost], [lost])).toEqual([]);
  });
});

describe("a thread that is said to be fixed", () => {
  const thread = { id: "t", noteId: 1, by: { id: "1", name: "m" }, path: "a.js", oldPath: "old.js", asked: "why" };
  const facts = { changed: new Set(["a.js"]), testsPassed: true, unmet: new Set<string>() };
  it.each([
    ["its file is changed", thread, facts, ""],
    ["its file under its old name", thread, { ...facts, changed: new Set(["old.js"]) }, ""],
    ["another file is changed", thread, { ...facts, changed: new Set(["b.js"]) }, "elsewhere"],
    ["it is about no file", { ...thread, path: null, oldPath: null }, { ...facts, changed: new Set(["b.js"]) }, ""],
    ["the tests did not pass", thread, { ...facts, testsPassed: false }, "tests"],
    ["QA saw that it is not", thread, { ...facts, unmet: new Set(["why"]) }, "unmet"],
  ])("%s", (_name, one, known, expected) => {
    expect(doubtAbout(one, known)).toBe(expected);
  });
});

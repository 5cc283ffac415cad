/** When a change is green, and what is asked for where it is not. */
import { expect, it } from "vitest";
import type { z } from "zod";
import { needsOf } from "../../src/steps/needs.ts";
import { verified } from "../../src/steps/outputs.ts";

type Verified = z.input<typeof verified.output>;

const passed = { status: "passed", command: "npm test", detail: "exit 0" } as const;
const failed = { status: "failed", command: "npm test", detail: "exit 1" } as const;
const met = { criterion: "a", verdict: "met", command: "npm test", exitCode: 0, evidence: "x" } as const;
const good: Verified = {
  ...{ tests: passed, proof: [met], commands: [], notes: "" },
  checks: { showsChange: "yes" },
};
const checks = (more: Verified["checks"]): Verified => ({ ...good, checks: { ...good.checks, ...more } });

it.each<[string, Verified, RegExp | null]>([
  ["everything is good", good, null],
  ["nobody can tell a criterion", { ...good, proof: [{ ...met, verdict: "cannot_tell" }] }, null],
  ["QA's test passes", checks({ qaTests: [{ path: "t", status: "passed", showsChange: "no" }] }), null],
  ["QA's test was left out", checks({ qaTests: [{ path: "t", status: "left_out", showsChange: "unknown" }] }), null],
  ["a refactoring", checks({ showsChange: "not_asked" }), null],
  ["it could not be told whether anything shows it", checks({ showsChange: "unknown" }), null],
  ["the old tests pass", checks({ originals: passed }), null],
  ["an output from before there were checks", { tests: passed, proof: [met], commands: [], notes: "" }, null],
  ["red", { ...good, tests: failed }, /red tests \(npm test\)$/],
  ["red before", { ...checks({ redBefore: true }), tests: failed }, /red without the change, too/],
  ["flaky", { ...good, tests: { ...failed, flaky: true } }, /flaky tests \(npm test\)/],
  ["not run", { ...good, tests: { ...passed, status: "not_run", detail: "no sandbox" } }, /runs the tests: no sandbox/],
  [
    "the old tests fail",
    { ...checks({ originals: { ...failed, failures: ["adds up", "refuses"] } }), tests: failed },
    /original tests, which fail on the changed code \(npm test\): adds up; refuses/,
  ],
  [
    "weakened",
    checks({ weakened: Array.from({ length: 7 }, (_, i) => ({ path: `t${i}`, problem: "is skipped" })) }),
    /weakened: t0: is skipped; .* and 2 more/,
  ],
  ["QA's test fails", checks({ qaTests: [{ path: "t", status: "failed", showsChange: "unknown" }] }), /t fails/],
  ["not met", { ...good, proof: [met, { ...met, verdict: "not_met" }] }, /1 criteria that are not met/],
  ["nothing shows it", checks({ showsChange: "no" }), /nothing that was run fails without it/],
  [
    "a rule wants a person",
    checks({ findings: [{ rule: "binaries", action: "park", path: "a.bin", problem: "is a binary file" }] }),
    /policy asks about: a\.bin is a binary file/,
  ],
])("%s", (_name, output, expected) => {
  const needs = needsOf(verified.output.parse(output));
  if (expected === null) expect(needs).toBeNull();
  else expect(needs).toMatch(expected);
});

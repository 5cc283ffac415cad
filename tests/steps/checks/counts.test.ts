/** Reports and closing lines of test runners, as they look in the wild. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countTests, readJunit, readTap } from "../../../src/steps/checks/counts.ts";

const junit = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
<testsuites name="all" tests="5">
  <testsuite name="cart" tests="3">
    <testcase classname="cart" name="adds &lt;up&gt;" time="0.1"/>
    <testcase classname="cart" name="refuses"><failure message="no">expected 1 &b;</failure></testcase>
    <testsuite name="inner"><testcase name="later"><skipped/></testcase></testsuite>
  </testsuite>
  <testsuite name="codes"><testcase name="breaks"><error/></testcase><testcase name="works"/></testsuite>
</testsuites>`;

describe("JUnit", () => {
  it("is counted case by case, whatever the totals say", () => {
    expect(readJunit(junit)).toEqual({
      total: 5,
      passed: 2,
      failed: 2,
      skipped: 1,
      failures: ["cart › refuses", "breaks"],
    });
  });
  it("may have a single suite at the top, or none", () => {
    expect(readJunit('<testsuite tests="1"><testcase name="a"/></testsuite>')).toMatchObject({ total: 1, passed: 1 });
    expect(readJunit("<testsuites/>")).toMatchObject({ total: 0 });
  });
  it.each(["", "no xml", "<html></html>", "<testsuites><testsuite", "\0"])("%j says nothing", (text) => {
    expect(readJunit(text)).toBeNull();
  });
});

describe("TAP", () => {
  it("counts what was run, not what sums it up", () => {
    const tap = [
      "TAP version 13",
      "# Subtest: cart",
      "    # Subtest: adds up",
      "    ok 1 - adds up",
      "    not ok 2 - refuses",
      "      ---",
      "      error: no",
      "      ...",
      "    ok 3 - later # SKIP not now",
      "    1..3",
      "not ok 1 - cart",
      "ok 2 - alone",
      "not ok 3 - some day # TODO",
      "1..3",
    ].join("\n");
    expect(readTap(tap)).toEqual({ total: 5, passed: 2, failed: 1, skipped: 2, failures: ["refuses"] });
  });
  it("needs a plan", () => expect(readTap("ok, that is fine")).toBeNull());
});

describe("closing lines", () => {
  it.each([
    ["vitest", " Test Files  1 failed (1)\n      Tests  1 failed | 5 passed | 2 skipped (8)\n", [5, 1, 2]],
    ["jest", "Tests:       1 failed, 1 skipped, 5 passed, 7 total\nSnapshots:   0 total\n", [5, 1, 1]],
    ["pytest", "FAILED tests/test_a.py::test_b - x\n==== 1 failed, 3 passed, 1 skipped in 0.12s ====\n", [3, 1, 1]],
    ["pytest, quiet", ".....\n5 passed in 0.01s\n", [5, 0, 0]],
    ["pytest without tests", "==== no tests ran in 0.00s ====\n", [0, 0, 0]],
    ["unittest", "FAIL: test_a (t.A)\n\nRan 4 tests in 0.001s\n\nFAILED (failures=1, skipped=1)\n", [2, 1, 1]],
    [
      "cargo",
      "test a ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n\ntest result: ok. 2 passed; 0 failed; 3 ignored\n",
      [3, 1, 3],
    ],
  ] as const)("%s", (_name, output, [passed, failed, skipped]) => {
    expect(countTests(output, undefined)).toMatchObject({ passed, failed, skipped });
  });
  it("of an unknown runner say nothing", () => expect(countTests("all good", undefined)).toBeNull());
  it("a report goes before them", () => expect(countTests("5 passed in 0.01s", junit)).toMatchObject({ failed: 2 }));
});

describe("node --test, for real", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-counts-"));
    writeFileSync(
      path.join(directory, "a.test.mjs"),
      'import { test } from "node:test";\ntest("good", () => {});\ntest("bad", () => { throw new Error("x"); });\ntest.skip("later", () => {});\n',
    );
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  it.each(["tap", "spec"])("%s", (reporter) => {
    let output = "";
    try {
      execFileSync(process.execPath, ["--test", `--test-reporter=${reporter}`, "--test-reporter-destination=stdout"], {
        cwd: directory,
        encoding: "utf8",
        env: {},
        stdio: "pipe",
      });
    } catch (error) {
      output = String((error as { stdout: string }).stdout);
    }
    expect(countTests(output, undefined)).toEqual({ total: 3, passed: 1, failed: 1, skipped: 1, failures: ["bad"] });
  });
});

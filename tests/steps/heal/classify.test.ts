/** What rules make of a failed job, and of a repair. */
import { describe, expect, it } from "vitest";
import { classByRule, failedTests, failsThere, lineWith, madeWorse } from "../../../src/steps/heal/classify.ts";
import { decide } from "../../../src/steps/heal/diagnose.ts";
import { believe } from "../../../src/steps/heal/investigate.ts";
import type { FailedJob } from "../../../src/steps/heal/outputs.ts";

const tap = "TAP version 13\nnot ok 1 - the total is the sum\nok 2 - codes\n1..2\n# tests 2\n# pass 1\n# fail 1\n";

describe("by rule", () => {
  it.each([
    ["runner_system_failure", "", { class: "infrastructure", by: "reason", retry: true }],
    ["stuck_or_timeout_failure", "", { class: "infrastructure", by: "reason", retry: true }],
    ["server_timeout_running", "", { class: "infrastructure", by: "reason", retry: true }],
    ["runner_system_failure", tap, { class: "infrastructure", by: "reason", retry: true }],
    ["ci_quota_exceeded", "", { class: "infrastructure", by: "reason", retry: false }],
    ["no_matching_runner", "", { class: "infrastructure", by: "reason", retry: false }],
    [
      "script_failure",
      "$ npm ci\nnpm error code ECONNRESET\nnpm error network aborted\nERROR: Job failed: exit code 1",
      { class: "infrastructure", by: "log", evidence: "npm error code ECONNRESET", retry: true },
    ],
    [
      "script_failure",
      "fatal: unable to access 'https://gitlab.example/': Could not resolve host: gitlab.example",
      { class: "infrastructure", by: "log", retry: true },
    ],
    ["script_failure", "write error: No space left on device", { class: "infrastructure", by: "log", retry: true }],
    // A test that speaks of networks is a test.
    ["script_failure", `${tap}connect ECONNREFUSED 127.0.0.1:5432\n`, null],
    // So is what stands far above the end.
    ["script_failure", `retried after ECONNRESET\n${"line\n".repeat(80)}src/cart.js:3 error`, null],
    ["script_failure", "src/cart.js:3:1 error Unexpected token", null],
    ["job_execution_timeout", "still running", null],
    ["unknown_failure", "", null],
    ["", "", null],
  ])("%s and %j", (failureReason, log, expected) => {
    const found = classByRule({ failureReason }, log);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });
});

it("finds the names of failed tests", () => {
  expect(failedTests(tap)).toEqual(["the total is the sum"]);
  expect(failedTests("error: no such file")).toEqual([]);
});

it.each([
  [["a"], ["a", "b"], true],
  [["a", "b"], ["a"], false],
  [["a"], [], false],
  [[], [], true],
  // It did not even come to tests here: that is another fault.
  [[], ["a"], false],
] as const)("what fails here (%j) fails there (%j): %s", (here, there, expected) => {
  expect(failsThere(here, there)).toBe(expected);
});

describe("what an agent quotes", () => {
  const log = "$ npm run lint\n  src/cart.js:3:1\terror   Unexpected token\n1 problem\n";
  it.each([
    ["src/cart.js:3:1 error Unexpected token", "src/cart.js:3:1 error Unexpected token"],
    ["Unexpected  token", "src/cart.js:3:1 error Unexpected token"],
    ["src/cart.js:4:1 error Unexpected token", null],
    ["src/cart.js:3:1 error\n1 problem", null],
    ["1", null],
    ["", null],
  ])("%j is in the log: %j", (quoted, line) => {
    expect(lineWith(log, quoted)).toBe(line);
  });

  const said = { job: "lint", class: "flaky", cause: "Sometimes", evidence: "Unexpected token" } as const;
  it("counts only with a line of the log", () => {
    expect(believe(said, { log, again: false })).toMatchObject({ class: "flaky", by: "agent", retry: true });
    expect(believe({ ...said, evidence: "ECONNRESET" }, { log, again: false })).toMatchObject({
      ...{ class: "ours", by: "nothing", cause: "", retry: false },
    });
    expect(believe(undefined, { log, again: false })).toMatchObject({ class: "ours", by: "nothing" });
  });

  it("is no excuse for what failed twice", () => {
    expect(believe(said, { log, again: true })).toMatchObject({ class: "ours", by: "nothing" });
    const infrastructure = { ...said, class: "infrastructure" } as const;
    expect(believe(infrastructure, { log, again: true })).toMatchObject({ class: "infrastructure", retry: false });
  });
});

describe("a repair made it worse", () => {
  const before = [
    { name: "build", status: "success" },
    { name: "test", status: "failed" },
    { name: "deploy", status: "skipped" },
  ];
  it.each([
    [["test"], []],
    [[], []],
    [["build"], ["build"]],
    [["build", "test"], ["build"]],
    // It comes further than before: a job that had to wait for the one that is green now is no harm done.
    [["deploy"], []],
    [["test", "deploy"], []],
    [["test", "new"], ["new"]],
    [["new"], []],
  ])("when these are red: %j, for %j", (red, worse) => {
    expect(madeWorse(before, red)).toEqual(worse);
  });
});

describe("what is done", () => {
  const job = (more: Partial<FailedJob>): FailedJob => ({
    ...{ id: 1, name: "test", url: "", class: "ours", by: "agent", cause: "", evidence: "" },
    ...{ retry: false, again: false, tests: [], tail: "" },
    ...more,
  });
  const flaky = job({ class: "flaky", retry: true });
  const foreign = job({ class: "not_ours", by: "target" });
  it.each([
    ["ours", [job({})], 0, "repair"],
    ["ours, for the last time", [job({})], 2, "repair"],
    ["ours, once too often", [job({})], 3, "handover"],
    ["flaky", [flaky], 3, "retry"],
    ["flaky and foreign", [foreign, flaky], 0, "retry"],
    // The pipeline after the repair runs it again anyway.
    ["ours and flaky", [job({}), flaky], 0, "repair"],
    ["foreign", [foreign], 0, "explain"],
    ["a runner that broke twice", [job({ class: "infrastructure", by: "reason", again: true })], 0, "explain"],
    ["no job at all", [], 0, "explain"],
  ] as const)("%s", (_name, failed, used, verdict) => {
    expect(decide(failed, { used, most: 3 })).toBe(verdict);
  });
});

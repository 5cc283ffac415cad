/** What a run of the test command shows. The sandbox is played by the test: commands end here as they do nowhere reliably. */
import { describe, expect, it } from "vitest";
import type { DependencyState } from "../../../src/domain/dependencies.ts";
import type { CommandResult, Sandbox } from "../../../src/domain/ports.ts";
import { Policy } from "../../../src/platform/policy.ts";
import { commandFor } from "../../../src/steps/checks/own-tests.ts";
import { judgeRun, runSuite } from "../../../src/steps/checks/suite.ts";
import { anyOf, citedCommands } from "../../../src/steps/checks/without-change.ts";
import type { StepContext } from "../../../src/steps/step.ts";

const ended = (exitCode: number | null, stdout = "", more: Partial<CommandResult> = {}): CommandResult => ({
  ...{ argv: ["npm", "test"], exitCode, timedOut: false, stdout, stderr: "", durationMs: 1200 },
  ...more,
});

describe("one run", () => {
  it.each([
    ["exit 0", ended(0), undefined, "passed", "exit 0 after 1.2 s"],
    [
      "exit 0 with counts",
      ended(0, "5 passed, 1 skipped in 0.1s"),
      undefined,
      "passed",
      "exit 0 after 1.2 s; 5 passed, 1 skipped",
    ],
    ["exit 1", ended(1, "2 failed, 3 passed in 0.1s"), undefined, "failed", "exit 1 after 1.2 s; 3 passed, 2 failed"],
    ["killed", ended(null), undefined, "failed", "exit by signal after 1.2 s"],
    ["out of time", ended(null, "", { timedOut: true }), undefined, "failed", "stopped after 1.2 s"],
    [
      "exit 0 without a test",
      ended(0, "no tests ran in 0.00s"),
      undefined,
      "failed",
      "exit 0 after 1.2 s, but no test was run",
    ],
    [
      "everything skipped",
      ended(0, "3 skipped in 0.01s"),
      undefined,
      "failed",
      "exit 0 after 1.2 s, but all 3 tests were skipped",
    ],
    [
      "exit 0, but the report knows better",
      ended(0, "fine"),
      '<testsuite><testcase name="a"><failure/></testcase></testsuite>',
      "failed",
      "exit 0 after 1.2 s, but its report has 1 failed tests",
    ],
    ["words do not make it green", ended(1, "5 passed in 0.1s"), undefined, "failed", "exit 1 after 1.2 s; 5 passed"],
  ])("%s", (_name, result, junit, status, detail) => {
    expect(judgeRun("npm test", result, junit)).toMatchObject({ status, detail, flaky: false });
  });
});

describe("a suite", () => {
  function contextOf(
    results: CommandResult[],
    reports?: object,
    packages: DependencyState = { kind: "none" },
  ): { context: StepContext; asked: unknown[] } {
    const asked: unknown[] = [];
    const sandbox: Sandbox = {
      status: async () => ({ kind: "process", reason: "a test" }),
      async run(command) {
        asked.push(command.collect);
        const result = results.shift();
        if (result === undefined) throw new Error("one run too many");
        return result;
      },
    };
    const policy = Policy.parse({
      projects: { SHOP: { repository: "acme/shop", reports } },
      people: { start: {} },
    });
    const context = {
      ...{ run: { target: { project: "SHOP" } }, project: policy.projects.SHOP },
      ...{
        services: { sandbox, policy, dependencies: { install: async () => packages } },
        signal: new AbortController().signal,
      },
    };
    return { context: context as unknown as StepContext, asked };
  }

  it("that passes runs once", async () => {
    const { context } = contextOf([ended(0)]);
    expect((await runSuite(context, "/tree", ["npm", "test"])).result.status).toBe("passed");
  });
  it("that fails runs twice", async () => {
    const { context } = contextOf([ended(1, "one"), ended(1, "two")]);
    const { result, output } = await runSuite(context, "/tree", ["npm", "test"]);
    expect(result).toMatchObject({ status: "failed", flaky: false });
    expect(output).toBe("two");
  });
  it("that fails without its packages says so", async () => {
    const missing = { kind: "missing", file: "package-lock.json", reason: "nobody allows it" } as const;
    const { context } = contextOf([ended(1), ended(1)], undefined, missing);
    const { detail } = (await runSuite(context, "/tree", ["npm", "test"])).result;
    expect(detail).toBe("exit 1 after 1.2 s; the packages of package-lock.json are not installed: nobody allows it");
  });
  it("that fails and then passes is flaky, and failed", async () => {
    const { context } = contextOf([ended(1), ended(0)]);
    expect((await runSuite(context, "/tree", ["npm", "test"])).result).toMatchObject({
      ...{ status: "failed", flaky: true },
      detail: "flaky: exit 1 after 1.2 s, then exit 0 after 1.2 s on the same code",
    });
  });
  it("that runs out of time is not run again", async () => {
    const { context } = contextOf([ended(null, "", { timedOut: true })]);
    expect((await runSuite(context, "/tree", ["npm", "test"])).result.status).toBe("failed");
  });
  it("brings its reports along where they are configured", async () => {
    const report = '<testsuite><testcase name="a"/></testsuite>';
    const files = { "out/junit.xml": report, "lcov.info": "SF:a.js\nDA:1,1\n" };
    const { context, asked } = contextOf([ended(0, "", { files })], { junit: "out/junit.xml", coverage: "lcov.info" });
    const { result, coverage } = await runSuite(context, "/tree", ["npm", "test"]);
    expect(asked).toEqual([["out/junit.xml", "lcov.info"]]);
    expect(result.detail).toBe("exit 0 after 1.2 s; 1 passed");
    expect(coverage).toContain("SF:a.js");
  });
  it("without a command is not run, and says what to set", async () => {
    const { context } = contextOf([]);
    const { result } = await runSuite(context, "/tree", null);
    expect(result).toMatchObject({ status: "not_run", detail: expect.stringContaining("projects.SHOP.test") });
  });
});

describe("one test file", () => {
  it.each([
    [["node", "--test"], "test/a.test.js", ["node", "--test", "test/a.test.js"]],
    [["python3", "-m", "pytest", "-q"], "tests/test_a.py", ["python3", "-m", "pytest", "-q", "tests/test_a.py"]],
    [["pytest"], "tests/test_a.py", ["pytest", "tests/test_a.py"]],
    [["npx", "vitest", "run"], "src/a.test.ts", ["npx", "vitest", "run", "src/a.test.ts"]],
    [["go", "test", "./..."], "shop/a_test.go", ["go", "test", "./shop"]],
    [["npm", "test"], "test/a.test.js", null],
    [["make", "check"], "test/a.c", null],
  ])("%j takes %s", (argv, file, expected) => expect(commandFor(argv, file)).toEqual(expected));
});

describe("what is run on the old code", () => {
  const finding = (command: number | null, verdict: "met" | "not_met" = "met") => ({
    ...{ criterion: 1, verdict, command, evidence: "x" },
  });
  it("is each successful command that is cited for something met, once", () => {
    const commands = [ended(0), ended(1), ended(0, "", { argv: ["x"] }), ended(0)];
    const criteria = [finding(1), finding(2), finding(3, "not_met"), finding(4), finding(9), finding(null), finding(1)];
    expect(citedCommands({ criteria, notes: "" }, commands)).toEqual([commands[0]]);
  });
  it.each([
    [["no", "yes", "unknown"], "yes"],
    [["no", "unknown"], "unknown"],
    [["no"], "no"],
    [[], "no"],
  ] as const)("%j means %s", (answers, expected) => expect(anyOf(answers)).toBe(expected));
});

/**
 * Code judges the change and runs its tests, the old ones included; what is red goes back to the developer. QA shows for
 * each criterion a command that proves it, and adds tests. Facts come from exit codes.
 */

import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { doubted, judgeQa } from "../agents/judge.ts";
import { qa } from "../agents/qa.ts";
import type { QaReport } from "../domain/handoff.ts";
import type { CommandResult, Workspace } from "../domain/ports.ts";
import { isTestFile } from "../domain/test-file.ts";
import { render } from "../platform/template.ts";
import { hindranceTo } from "./amend/hindrance.ts";
import { parsePatch } from "./change/patch.ts";
import { type Assessment, isRefused } from "./checks/assess.ts";
import { newlyRed, testsShow } from "./checks/compare.ts";
import { coverageOfChange, readCoverage } from "./checks/coverage.ts";
import { settle } from "./checks/mend.ts";
import { commandFor, judgeOwnTests, type OwnTest, type OwnTests } from "./checks/own-tests.ts";
import { runLint } from "./checks/own-tools.ts";
import { runSuite } from "./checks/suite.ts";
import { closeTrees, openTree } from "./checks/trees.ts";
import { type Answer, anyOf, citedCommands, failsWithout, hasInlineTests } from "./checks/without-change.ts";
import { commandOf } from "./conversation/command.ts";
import { looked } from "./conversation/outputs.ts";
import { developedOf } from "./developed.ts";
import { groundOf } from "./ground.ts";
import { type Checks, noteCommand, type TestResult, verified } from "./outputs.ts";
import { refusal } from "./refusal.ts";
import { guideSection } from "./rules/guide.ts";
import { runAgent } from "./run-agent.ts";
import type { Step, StepContext } from "./step.ts";
import { testCommand } from "./test-command.ts";

type Verified = z.infer<typeof verified.output>;

interface Shown {
  readonly report: QaReport;
  readonly commands: readonly CommandResult[];
  readonly own: OwnTests;
}

const nothingShown: Shown = {
  report: { criteria: [], notes: "" },
  commands: [],
  own: { tests: [], kept: null },
};

/**
 * Commands whose work QA could not judge better than code does: new tests are run on the code without the merge request's change, prose
 * and comments are told from code, and a merge has the tests of both sides.
 */
const withoutQa: ReadonlySet<string | null> = new Set(["test", "docs", "changelog", "conflicts"]);

/** Has QA look at the change. Without a sandbox it could run nothing, so it could show nothing: not worth a model call. */
async function askQa(context: StepContext, workspace: Workspace, assessment: Assessment): Promise<Shown> {
  if ((await context.services.sandbox.status()).kind === "none") return nothingShown;
  const { understanding, ticket } = groundOf(context);
  const { tests, change } = assessment;
  const written = new Set<string>();
  const { output: report, commands } = await runAgent(context, qa, {
    workspace,
    written,
    task: render("prompts/tasks/qa.md", {
      key: ticket.key,
      criteria: dataSection(
        "Criteria",
        understanding.acceptanceCriteria.map((text, index) => `${index + 1}. ${text}`).join("\n"),
      ),
      changed: dataSection("Changed files", change.changed.map((file) => `${file.status} ${file.path}`).join("\n")),
      tests: tests.command === "" ? null : `${tests.command}: ${tests.status}, ${tests.detail}`,
      guide: guideSection(context),
    }),
  });
  return { report, commands, own: await judgeOwnTests(context, workspace, assessment, [...written]) };
}

/** Runs what shows the change on the old code as well. */
async function compareWithOld(
  context: StepContext,
  assessment: Assessment,
  { report, commands, own }: Shown,
): Promise<{ showsChange: Checks["showsChange"]; qaTests: OwnTest[] }> {
  const { understanding } = groundOf(context);
  const isAsked = understanding.kind !== "chore" && assessment.tests.status === "passed";
  if (!isAsked) {
    return { showsChange: understanding.kind === "chore" ? "not_asked" : "unknown", qaTests: [...own.tests] };
  }
  const { patch } = own.kept?.change ?? assessment.change;
  if (commandOf(context) === "test") return { showsChange: await testsShow(context, patch), qaTests: [...own.tests] };
  const oldCode = await openTree(context, "old-code", patch);
  const inline = hasInlineTests(assessment.files);
  const fails = (argv: readonly string[]): Promise<Answer> => failsWithout(context, oldCode, argv, inline);
  const suite = await testCommand(context.project, oldCode.root);
  const qaTests: OwnTest[] = [];
  for (const test of own.tests) {
    const command = suite === null || test.status !== "passed" ? null : commandFor(suite, test.path);
    qaTests.push(command === null ? test : { ...test, showsChange: await fails(command) });
  }
  const answers = qaTests.filter(({ status }) => status === "passed").map((test) => test.showsChange);
  const rest = citedCommands(report, commands).map(({ argv }) => argv);
  if (suite !== null && parsePatch(patch).some(({ path }) => isTestFile(path))) rest.push(suite);
  for (const argv of rest) {
    // One that shows it is enough.
    if (answers.includes("yes")) break;
    answers.push(await fails(argv));
  }
  return { showsChange: anyOf(answers), qaTests };
}

/** How the tests end without the change. Only asked when they are red with it; null otherwise. */
async function testsBefore(context: StepContext, { tests }: Assessment): Promise<TestResult | null> {
  if (tests.status !== "failed" || tests.flaky) return null;
  const base = await openTree(context, "old-code", "");
  return (await runSuite(context, base.root, await testCommand(context.project, base.root))).result;
}

/** Whether QA is asked. What does not get to a person's branch anyway needs no proof. */
function wantsQa(context: StepContext, { tests, weakened, findings }: Assessment, before: TestResult | null): boolean {
  if (withoutQa.has(commandOf(context))) return false;
  if (!context.has(looked)) return true;
  const red = { redBefore: before?.status === "failed", newlyRed: newlyRed(tests, before) };
  const checks = verified.output.shape.checks.parse({ weakened, findings, ...red });
  return hindranceTo(false, { tests, proof: [], checks }) === null;
}

/** What is kept where nobody changed anything, or what was changed may not be pushed anyway. */
function unverified(findings: Checks["findings"], rounds: number): Verified {
  return verified.output.parse({
    tests: { status: "not_run", command: "", detail: "" },
    proof: [],
    commands: [],
    notes: "",
    checks: { findings, rounds, showsChange: "not_asked" },
    change: null,
  });
}

async function verifyChange(context: StepContext): Promise<Verified> {
  const first = developedOf(context);
  if (first.patch === "" && first.merge === null) return unverified([], 0);
  const { assessment, workspace, rounds, rolledBack } = await settle(context, first);
  if (isRefused(assessment)) {
    // On a merge request it is said in the thread where it was asked for.
    if (context.has(looked)) return unverified([...assessment.findings], rounds);
    throw refusal(assessment.findings);
  }
  const before = await testsBefore(context, assessment);
  const isAsked = wantsQa(context, assessment, before);
  const shown = isAsked ? await askQa(context, workspace, assessment) : nothingShown;
  const { kept } = shown.own;
  const change = kept?.change ?? assessment.change;
  const tests = kept?.suite.result ?? assessment.tests;
  const report = kept?.suite.coverage ?? assessment.coverage;
  const coverage = report === null ? null : readCoverage(report);
  const { acceptanceCriteria } = groundOf(context).understanding;
  const proof = isAsked ? judgeQa(shown.report, acceptanceCriteria, shown.commands) : [];
  const isDoubtful = assessment.weakened.length > 0 || assessment.originals?.status === "failed";
  return {
    tests,
    proof: [...(isDoubtful ? doubted(proof, "the tests that should show it were weakened") : proof)],
    commands: shown.commands.map(noteCommand),
    notes: shown.report.notes,
    checks: {
      originals: assessment.originals,
      weakened: [...assessment.weakened],
      ...(await compareWithOld(context, assessment, shown)),
      coverage: coverage === null ? null : coverageOfChange(assessment.files, coverage),
      findings: [...assessment.findings],
      redBefore: before?.status === "failed",
      newlyRed: newlyRed(tests, before),
      lint: await runLint(context, workspace.root),
      rolledBack,
      rounds,
    },
    change: change.patch === first.patch ? null : change,
  };
}

export const verify: Step<Verified> = {
  ...verified,

  async execute(context) {
    try {
      return { output: await verifyChange(context), effects: [], next: { kind: "continue" } };
    } finally {
      await closeTrees(context);
    }
  },
};

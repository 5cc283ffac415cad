/** What code finds out about a change before anybody is asked: rules, weakened tests, its tests, and the tests as they were. */
import type { Workspace } from "../../domain/ports.ts";
import type { RuleFinding } from "../change/diff-policy.ts";
import type { FileChange, Weakening } from "../change/file-change.ts";
import { decidesAboutTests } from "../change/sabotage.ts";
import { mergeOf } from "../developed.ts";
import type { Change, TestResult } from "../outputs.ts";
import type { StepContext } from "../step.ts";
import { testCommand } from "../test-command.ts";
import { judge } from "./judge.ts";
import { runSuite, type SuiteRun } from "./suite.ts";
import { openTree, touchesOldTests } from "./trees.ts";

export interface Assessment {
  readonly change: Change;
  readonly files: readonly FileChange[];
  /** The change's tests, run on it. Failed, too, when the tests as they were fail. */
  readonly tests: TestResult;
  readonly originals: TestResult | null;
  readonly weakened: readonly Weakening[];
  readonly findings: readonly RuleFinding[];
  /** What the failing command printed; empty when nothing failed. */
  readonly output: string;
  /** The coverage report of the change's tests. */
  readonly coverage: string | null;
}

async function runOriginals(
  context: StepContext,
  change: Change,
  files: readonly FileChange[],
): Promise<SuiteRun | null> {
  // Old tests know nothing of the code that a merge brings.
  if (mergeOf(context) !== null) return null;
  const besides = decidesAboutTests(files);
  // Tests that were left alone ran with the others.
  if (!touchesOldTests(files, besides)) return null;
  const tree = await openTree(context, "old-tests", change.patch, besides);
  return runSuite(context, tree.root, await testCommand(context.project, tree.root));
}

/** "Passed" needs the old tests to pass as well. */
function together(tests: TestResult, originals: TestResult | null): TestResult {
  if (tests.status !== "passed" || originals?.status !== "failed") return tests;
  return { ...originals, detail: `the original tests fail: ${originals.detail}` };
}

/** Judges a change and runs its tests. `workspace` holds the change. */
export async function assess(context: StepContext, change: Change, workspace: Workspace): Promise<Assessment> {
  const { files, weakened, findings } = await judge(context, change, workspace.root);
  const suite = await runSuite(context, workspace.root, await testCommand(context.project, workspace.root));
  const originals = suite.result.status === "passed" ? await runOriginals(context, change, files) : null;
  const tests = together(suite.result, originals?.result ?? null);
  const failed = suite.result.status === "failed" ? suite : originals?.result.status === "failed" ? originals : null;
  return {
    change,
    files,
    tests,
    originals: originals?.result ?? null,
    weakened,
    findings,
    output: failed?.output ?? "",
    coverage: suite.coverage,
  };
}

/** Whether a rule forbids that the change is pushed. */
export function isRefused({ findings }: Pick<Assessment, "findings">): boolean {
  return findings.some(({ action }) => action === "refuse");
}

/** How good a change is, for comparing two states of it: a mended one is not always better. */
export function rank(assessment: Assessment): number {
  if (isRefused(assessment)) return 0;
  if (assessment.tests.status === "failed") return 1;
  return assessment.weakened.length > 0 ? 2 : 3;
}

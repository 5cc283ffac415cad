/** Test results side by side. */
import { Permanent } from "../../domain/errors.ts";
import type { Workspace } from "../../domain/ports.ts";
import { withoutFiles } from "../change/patch.ts";
import { looked } from "../conversation/outputs.ts";
import { groundOf } from "../ground.ts";
import type { TestResult } from "../outputs.ts";
import type { StepContext } from "../step.ts";
import { testCommand } from "../test-command.ts";
import { mostFailures } from "./counts.ts";
import { runSuite } from "./suite.ts";
import { isOfTests } from "./trees.ts";
import type { Answer } from "./without-change.ts";

/** Whether the names of failed tests are all of them. */
function areKnown({ status, failures }: TestResult): boolean {
  return status === "failed" && failures.length > 0 && failures.length < mostFailures;
}

/** Tests that fail now and did not before. Null when that cannot be told: one of the two was not red, or names are missing. */
export function newlyRed(now: TestResult, before: TestResult | null): string[] | null {
  if (before === null || !areKnown(now) || !areKnown(before)) return null;
  const known = new Set(before.failures);
  return now.failures.filter((name) => !known.has(name));
}

/** What follows for new tests from how the suite ends without and with them, on code that lacks what they should test. */
export function judgeNewTests(without: TestResult, together: TestResult): Answer {
  if (without.status === "not_run" || together.status === "not_run" || without.flaky || together.flaky)
    return "unknown";
  if (together.status === "passed") return "no";
  if (without.status === "passed") return "yes";
  const fresh = newlyRed(together, without);
  return fresh === null || fresh.length === 0 ? "unknown" : "yes";
}

/**
 * Whether tests that were added to a merge request fail without what it changes: then they test that. `patch` has the new tests. The
 * code is the merge request's, with all that it changes but tests taken back.
 */
export async function testsShow(context: StepContext, patch: string): Promise<Answer> {
  const { run, services } = context;
  const { repository: project, base } = groundOf(context);
  const { refs } = context.output(looked);
  const open = (more: string): Promise<Workspace> =>
    services.workspaces.open({ runId: `${run.id}.old-code`, project, base, patch: more });
  const suiteOn = async (more: string): Promise<TestResult> => {
    const { root } = await open(more);
    return (await runSuite(context, root, await testCommand(context.project, root))).result;
  };
  try {
    const undone = withoutFiles(await services.workspaces.compare({ project, from: base, to: refs.base }), isOfTests);
    // It changes nothing but tests: there is nothing to do without.
    if (undone === "") return "unknown";
    return judgeNewTests(await suiteOn(undone), await suiteOn(`${undone}${patch}`));
  } catch (error) {
    // The commit is not there any more, or the two patches do not go together.
    if (error instanceof Permanent) return "unknown";
    throw error;
  }
}

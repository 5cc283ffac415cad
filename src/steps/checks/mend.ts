/** Red, refused or weakened: the developer gets another round on its own tree, with what was found as data. */

import { dataSection } from "../../agents/data.ts";
import { developer } from "../../agents/developer.ts";
import { Permanent, UserError } from "../../domain/errors.ts";
import type { Workspace } from "../../domain/ports.ts";
import { render } from "../../platform/template.ts";
import { findingText } from "../change/diff-policy.ts";
import { mergeOf } from "../developed.ts";
import { groundOf } from "../ground.ts";
import type { Change } from "../outputs.ts";
import { guideSection } from "../rules/guide.ts";
import { runAgent } from "../run-agent.ts";
import type { StepContext } from "../step.ts";
import { takeChange } from "../take-change.ts";
import { type Assessment, assess, isRefused, rank } from "./assess.ts";
import { openTree } from "./trees.ts";

/** A change as the developer handed it over, and the patch of the last state in which it saw the tests pass, if that is another one. */
export type Developed = Change & { readonly lastGood: string | null };

/** Whether another round could help. Flaky tests are no fault of the change that it could mend. */
function isMendable(assessment: Assessment): boolean {
  const { tests, weakened } = assessment;
  return isRefused(assessment) || (tests.status === "failed" && !tests.flaky) || weakened.length > 0;
}

async function mendOnce(context: StepContext, workspace: Workspace, last: Assessment): Promise<Change | null> {
  const { understanding, ticket } = groundOf(context);
  const { tests, weakened, findings, output, change } = last;
  const remarks = [
    ...weakened.map(({ path, problem }) => `${path}: ${problem}`),
    ...findings.filter(({ action }) => action === "refuse").map(findingText),
  ];
  try {
    const { output: claim } = await runAgent(context, developer, {
      workspace,
      task: render("prompts/tasks/mend.md", {
        key: ticket.key,
        understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
        guide: guideSection(context),
        changed: dataSection(
          "Files that you changed",
          change.changed.map((file) => `${file.status} ${file.path}`).join("\n"),
        ),
        tests: tests.status === "failed" ? `${tests.command}: ${tests.detail}` : null,
        output: tests.status === "failed" ? dataSection("What it printed", output) : "",
        remarks: remarks.length === 0 ? "" : dataSection("Not accepted", remarks.join("\n")),
      }),
    });
    const mended = await takeChange(context, workspace, claim, mergeOf(context));
    return mended.patch === change.patch ? null : mended;
  } catch (error) {
    // The model gave up. What there is is red, and is shown as such.
    if (!(error instanceof Permanent)) throw error;
    context.log.warn("the developer could not mend the change", { error });
    return null;
  }
}

/** The state in which the developer saw the tests pass, if it is better than what came of going on from there. */
async function lastGood(
  context: StepContext,
  { lastGood: patch, claim }: Developed,
  best: Assessment,
): Promise<Assessment | null> {
  if (patch === null || best.tests.status !== "failed") return null;
  const workspace = await openTree(context, "changed", patch);
  try {
    const good = await assess(context, await takeChange(context, workspace, claim, mergeOf(context)), workspace);
    return rank(good) > rank(best) ? good : null;
  } catch (error) {
    // It may not be pushed (a secret, say): then what there is has to do.
    if (error instanceof UserError) return null;
    throw error;
  }
}

/**
 * Judges a change and has it mended, at most `policy.rounds` times. When it stays red, it is taken back to the developer's last good state. Returns the best state of it, and the workspace with exactly
 * that state.
 */
export async function settle(
  context: StepContext,
  first: Developed,
): Promise<{ assessment: Assessment; workspace: Workspace; rounds: number; rolledBack: boolean }> {
  let workspace = await openTree(context, "changed", first.patch);
  let last = await assess(context, first, workspace);
  let best = last;
  let rounds = 0;
  while (isMendable(last) && rounds < context.services.policy.policy.rounds) {
    rounds += 1;
    const mended = await mendOnce(context, workspace, last);
    if (mended === null) break;
    last = await assess(context, mended, workspace);
    if (rank(last) >= rank(best)) best = last;
  }
  const good = await lastGood(context, first, best);
  // A round that failed or made it worse is taken back.
  workspace = await openTree(context, "changed", (good ?? best).change.patch);
  return { assessment: good ?? best, workspace, rounds, rolledBack: good !== null };
}

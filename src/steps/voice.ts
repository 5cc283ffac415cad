/** Where a run says how it is going: in the one status comment of its ticket, or where it was asked on a merge request. */
import type { EffectDraft } from "../domain/effect.ts";
import { render } from "../platform/template.ts";
import { answer } from "./conversation/answer.ts";
import { type StatusLine, statusComment } from "./status.ts";
import type { StepContext } from "./step.ts";

/** @param name of the effect within its step */
export function tell(context: StepContext, name: string, line: StatusLine): EffectDraft {
  const { ticket, mergeRequest } = context.run.target;
  if (mergeRequest === undefined) {
    return { name, effect: { kind: "jira.status", ticket, body: statusComment(context, line) } };
  }
  const body = render("gitlab/standing.md", {
    state: line.state,
    headline: line.headline,
    needs: line.needs ?? null,
    hints: line.hints ?? null,
    step: line.step ?? null,
    costUsd: context.spent().costUsd,
    runId: context.run.id,
  });
  // Not in the note in which the workflow tells its results: they still hold.
  return answer(context, body.trim(), name, `standing:${context.run.workflow}`);
}

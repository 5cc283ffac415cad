/** The verified change becomes one commit on the merge request's branch: added, never in the place of anything. */
import type { z } from "zod";
import type { Effect } from "../../domain/effect.ts";
import { ticketOf } from "../../domain/run.ts";
import { render } from "../../platform/template.ts";
import { looked } from "../conversation/outputs.ts";
import { mergeOf } from "../developed.ts";
import { verified } from "../outputs.ts";
import type { Step, StepContext } from "../step.ts";
import { changeOf } from "../take-change.ts";
import { hindranceTo } from "./hindrance.ts";
import { amended, type Hindrance } from "./outputs.ts";

/** What happened on the merge request while the run was at work. The writer looks once more, right before it pushes. */
async function meanwhile(context: StepContext): Promise<Hindrance | null> {
  const { mergeRequest } = context.output(looked);
  const at = { repository: context.run.target.repository, iid: mergeRequest.iid };
  const now = await context.services.reviews.readMergeRequest(at);
  if (now.state !== "opened") return { kind: "closed", details: [] };
  return now.sha === mergeRequest.sha ? null : { kind: "moved", details: [] };
}

function commit(context: StepContext): Effect {
  const { run, services } = context;
  const { repository, base, mergeRequest, ticket } = context.output(looked);
  const { claim, patch } = changeOf(context);
  const merge = mergeOf(context);
  const { request } = run.target;
  const message = render("gitlab/amend-message.txt", {
    key: ticketOf(run.target),
    title: claim.title,
    summary: claim.summary,
    merge: merge === null ? null : { from: merge.branch, into: mergeRequest.sourceBranch },
    ticketUrl: ticketOf(run.target) === null ? null : ticket.url,
    request: request === undefined ? mergeRequest.url : `${mergeRequest.url}#note_${request.noteId}`,
    runId: run.id,
  });
  return {
    kind: "gitlab.branch",
    repository: repository.path,
    branch: mergeRequest.sourceBranch,
    base,
    patch,
    message,
    author: services.policy.author,
    date: run.createdAt.toISOString(),
    appendOnly: true,
    ...(merge === null ? {} : { mergeOf: merge.of }),
  };
}

export const amend: Step<z.infer<typeof amended.output>> = {
  ...amended,

  async execute(context) {
    const isEmpty = changeOf(context).patch === "" && mergeOf(context) === null;
    const hindrance = hindranceTo(isEmpty, context.output(verified)) ?? (await meanwhile(context));
    return {
      output: { hindrance },
      effects: hindrance === null ? [{ name: "branch", effect: commit(context) }] : [],
      next: { kind: "continue" },
    };
  },
};

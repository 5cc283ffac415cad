/** Last step: the ticket gets its links, its status and the truth about the result. */
import type { z } from "zod";
import type { EffectDraft } from "../domain/effect.ts";
import { needsOf } from "./needs.ts";
import { documented, published, reported, understood, verified } from "./outputs.ts";
import { statusComment } from "./status.ts";
import type { Step } from "./step.ts";

export const report: Step<z.infer<typeof reported.output>> = {
  ...reported,

  async execute(context) {
    const { ticket, repository } = context.output(understood);
    const mergeRequest = context.ref("publish", "mergeRequest");
    const page = context.ref("document", "page");
    const needs = needsOf(context.output(verified));
    const green = needs === null;
    const effects: EffectDraft[] = [];
    if (mergeRequest !== null) {
      effects.push({
        name: "linkMergeRequest",
        effect: {
          kind: "jira.remoteLink",
          ticket: ticket.key,
          globalId: `gitlab:${repository.id}:mr:${mergeRequest.id}`,
          url: mergeRequest.url,
          title: `Merge request !${mergeRequest.id}: ${context.output(published).title}`.slice(0, 255),
          relationship: "merge request",
        },
      });
    }
    if (page !== null) {
      effects.push({
        name: "linkPage",
        effect: {
          kind: "jira.remoteLink",
          ticket: ticket.key,
          globalId: `confluence:page:${page.id}`,
          url: page.url,
          title: (context.output(documented)?.title ?? "Page").slice(0, 255),
          relationship: "documentation",
        },
      });
    }
    const review = context.services.policy.statuses.review;
    if (green && review !== null) {
      effects.push({ name: "review", effect: { kind: "jira.transition", ticket: ticket.key, status: review } });
    }
    effects.push({
      name: "result",
      effect: {
        kind: "jira.status",
        ticket: ticket.key,
        body: statusComment(context, {
          state: green ? "done" : "needs_human",
          headline: green
            ? "The merge request is ready for your review"
            : "There is a draft merge request, but it is not good yet",
          needs,
        }),
      },
    });
    return {
      output: { green },
      effects,
      next: green ? { kind: "continue" } : { kind: "end", state: "needs_human", reason: needs ?? "" },
    };
  },
};

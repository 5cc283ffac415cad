/** Fifth step: the change goes to its branch, and a draft merge request is opened (or brought up to date). */
import type { z } from "zod";
import { render } from "../platform/template.ts";
import { checkList } from "./check-list.ts";
import { needsOf } from "./needs.ts";
import { planned, published, understood, verified } from "./outputs.ts";
import { refusal } from "./refusal.ts";
import { openRemarks } from "./self-review.ts";
import type { Step } from "./step.ts";
import { changeOf } from "./take-change.ts";

/** One branch per ticket, the same in every attempt. */
export function branchOf(ticket: string): string {
  return `ticketsmith/${ticket}`;
}

export const publish: Step<z.infer<typeof published.output>> = {
  ...published,

  async execute(context) {
    const { run, services } = context;
    const { repository, base, ticket, targetBranch } = context.output(understood);
    const { claim, patch, disagreements, suspicions } = changeOf(context);
    const { tests, proof, checks } = context.output(verified);
    if (checks.findings.some(({ action }) => action === "refuse")) throw refusal(checks.findings);
    const needs = needsOf(context.output(verified));
    const { approach, risks } = context.output(planned);
    const branch = branchOf(ticket.key);
    // A title is read where the proof is not: only what was shown may be said there in the model's words.
    const title = `${ticket.key}: ${needs === null ? claim.title : ticket.summary}`;
    const body = render("gitlab/merge-request.md", {
      ticket,
      claim: { summary: claim.summary },
      plan: { approach },
      proof,
      tests,
      needs,
      checks: checkList(context),
      risks: [...openRemarks(context), ...risks, ...suspicions],
      disagreements,
      runId: run.id,
      runUrl: services.publicUrl === "" ? null : `${services.publicUrl.replace(/\/+$/, "")}/runs/${run.id}`,
      costUsd: context.spent().costUsd,
      minutes: context.minutes,
      page: null,
    });
    return {
      output: { branch, title },
      effects: [
        {
          name: "branch",
          effect: {
            kind: "gitlab.branch",
            repository: repository.path,
            branch,
            base,
            patch,
            message: render("gitlab/commit-message.txt", {
              ticket: { key: ticket.key, url: ticket.url },
              title: claim.title,
              summary: claim.summary,
              runId: run.id,
            }),
            author: services.policy.author,
            date: run.createdAt.toISOString(),
          },
        },
        {
          name: "mergeRequest",
          effect: {
            kind: "gitlab.mergeRequest",
            repository: repository.path,
            sourceBranch: branch,
            targetBranch,
            title,
            body,
            draft: true,
            labels: ["ticketsmith"],
          },
        },
      ],
      next: { kind: "continue" },
    };
  },
};

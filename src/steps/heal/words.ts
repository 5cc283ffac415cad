/** What people hear about a pipeline: one note on the merge request, and one comment on its ticket when something is settled. */
import type { z } from "zod";
import type { EffectDraft } from "../../domain/effect.ts";
import { ticketOf } from "../../domain/run.ts";
import { render } from "../../platform/template.ts";
import { answer } from "../conversation/answer.ts";
import { looked } from "../conversation/outputs.ts";
import type { StepContext } from "../step.ts";
import type { Diagnosed, proved } from "./outputs.ts";
import type { Attempt, Past } from "./past.ts";

/** The repair of this run; null before it was tried. */
export interface Outcome
  extends Pick<z.infer<typeof proved.output>, "hindrance" | "title" | "summary" | "tests" | "remarks"> {
  readonly kind: "repair" | "rollback";
  /** Null: nothing was pushed. */
  readonly commit: string | null;
}

function triedOf({ commit, made }: Attempt) {
  return { commit, kind: made?.kind ?? "repair", title: made?.title ?? "", summary: made?.summary ?? "" };
}

function facts(context: StepContext, output: Diagnosed, past: Past) {
  const pushed = past.tries.filter(({ commit }) => commit !== null);
  return {
    verdict: output.verdict,
    pipeline: output.pipeline,
    sha: context.output(looked).mergeRequest.sha,
    repairs: pushed.filter(({ made }) => made?.kind === "repair").length,
    rollbacks: pushed.filter(({ made }) => made?.kind === "rollback").length,
    retried: [...past.retried],
  };
}

/** The note on the merge request; it is edited in place, so it says how things are now. */
export function healNote(
  context: StepContext,
  output: Diagnosed,
  past: Past,
  outcome: Outcome | null = null,
): EffectDraft {
  const { mergeRequest } = context.output(looked);
  const body = render("gitlab/healed.md", {
    ...facts(context, output, past),
    failed: output.failed,
    others: output.jobs.filter(({ status }) => status === "failed").length - output.failed.length,
    worse: output.worse,
    outcome,
    why: outcome?.hindrance == null ? "" : render("gitlab/heal-why.md", { hindrance: outcome.hindrance }).trim(),
    tried: past.tries.toReversed().map(triedOf),
    number: past.used + 1,
    most: context.services.policy.mergeRequests.heal.tries,
    target: mergeRequest.targetBranch,
    runId: context.run.id,
  });
  return answer(context, body.trim());
}

/** The comment on the ticket; nothing where there is no ticket. */
export function ticketNote(
  context: StepContext,
  output: Diagnosed,
  past: Past,
  outcome: Outcome | null = null,
): EffectDraft[] {
  const ticket = ticketOf(context.run.target);
  const { ticketText, mergeRequest } = context.output(looked);
  if (ticket === null || ticketText === null) return [];
  const body = render("jira/pipeline.md", {
    ...facts(context, output, past),
    mergeRequest: { title: `!${mergeRequest.iid} ${mergeRequest.title}`, url: mergeRequest.url },
    red: output.failed.map(({ name }) => name),
    why: outcome?.hindrance?.kind ?? null,
  });
  return [{ name: "ticket", effect: { kind: "jira.note", ticket, subject: "pipeline", body: body.trim() } }];
}

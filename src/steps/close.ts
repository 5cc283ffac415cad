/** What the ticket hears when a run stops before its last step: one short comment with the reason and the way on. */
import type { EffectDraft } from "../domain/effect.ts";
import type { EndState } from "../domain/run.ts";
import type { StepContext } from "./step.ts";
import { tell } from "./voice.ts";

const headlines: Readonly<Record<EndState, string>> = {
  done: "Finished",
  cancelled: "I stopped",
  needs_human: "I cannot go on alone",
  failed: "I could not finish",
  timed_out: "I waited too long",
  over_budget: "A limit is reached",
};

/** The last effects of a run that ends with `reason` (for people). */
export function closingEffects(context: StepContext, state: EndState, reason: string): EffectDraft[] {
  const onMergeRequest = context.run.target.mergeRequest !== undefined;
  // Who did not ask for it, and is told nothing of what was begun, need not hear that it stopped.
  if (onMergeRequest && context.run.target.request === undefined && state === "cancelled") return [];
  const labels = Object.keys(context.services.policy.triggers.labels).map((label) => `\`${label}\``);
  const line = {
    state,
    headline: `${headlines[state]}: ${reason}`,
    step: context.run.step,
    hints: onMergeRequest ? null : `To start anew, take the label ${labels.join(" or ")} off and put it on again.`,
  };
  return [tell(context, "closed", line)];
}

/** What the ticket hears when a limit of the budget is reached, and when its run goes on after that. */
import type { Shortage } from "../domain/budget.ts";
import type { EffectDraft } from "../domain/effect.ts";
import type { Gate } from "../domain/run.ts";
import { render } from "../platform/template.ts";
import { asUsd } from "../platform/template-text.ts";
import { shortageWords } from "./budget-words.ts";
import type { StepContext } from "./step.ts";
import { tell } from "./voice.ts";

/** US dollars that the ask names: enough for the next call. */
const usualRaiseUsd = 2;

/** When there is room again, whoever does what. */
function opening(shortages: readonly Shortage[]): "settled" | "day" | "month" {
  const spent = shortages.filter(({ passing }) => !passing);
  if (spent.length === 0) return "settled";
  return spent.some(({ kind }) => kind === "total") ? "month" : "day";
}

/** The comment that asks for more. */
export function parkingEffects(context: StepContext, shortages: readonly Shortage[], gate: Gate): EffectDraft[] {
  const { raiseUsd, patienceDays } = context.services.policy.budgets;
  const needed = shortages.map(({ measure, needed: amount }) => (measure === "usd" ? amount : 0));
  const usd = Math.min(Math.max(usualRaiseUsd, Math.ceil(Math.max(...needed))), raiseUsd);
  const line = {
    state: "waiting" as const,
    headline: shortages.map(shortageWords).join(" "),
    step: context.run.step,
    needs: "More budget, or the word to stop",
    hints: render("jira/limit.md", {
      usd: String(usd),
      amount: asUsd(usd),
      most: asUsd(raiseUsd),
      step: context.run.step,
      opens: gate.afterwards === "resume" ? opening(shortages) : null,
      days: patienceDays,
    }).trim(),
  };
  return [tell(context, "parked", line)];
}

/** The comment that takes the ask back. */
export function resumingEffects(context: StepContext): EffectDraft[] {
  return [tell(context, "resumed", { state: "working", headline: "I go on", step: context.run.step })];
}

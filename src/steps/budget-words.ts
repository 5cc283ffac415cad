/** How the budget reads on a ticket, in a log and on the dashboard. */
import type { Measure, Nearing, Shortage } from "../domain/budget.ts";
import { asMinutes, asUsd } from "../platform/template-text.ts";

/** Whose limit it is, e.g. `this run`; `pot` is the name of a pot. */
export function ownerOf({ pot, kind }: Pick<Shortage, "pot" | "kind">): string {
  const [, subject = "", day = ""] = pot.split(" ");
  switch (kind) {
    case "run":
      return "this run";
    case "ticket":
      return `ticket ${subject}`;
    case "project":
      return `project ${subject} on ${day} (UTC)`;
    case "total":
      return `everything in ${subject} (UTC)`;
  }
}

function count(amount: number): string {
  return Math.round(amount).toLocaleString("en-US");
}

/** An amount with its unit, e.g. `$4.10` or `2,000 tokens`. */
function amountWords(amount: number, measure: Measure): string {
  switch (measure) {
    case "usd":
      return asUsd(amount);
    case "tokens":
      return `${count(amount)} tokens`;
    case "turns":
      return `${count(amount)} model calls`;
    case "minutes":
      return asMinutes(amount);
  }
}

/** One sentence: which limit is reached, and what is left of it. */
export function shortageWords(shortage: Shortage): string {
  const { measure, limit, spent, reserved, needed } = shortage;
  const held = reserved > 0 ? `, ${amountWords(reserved, measure)} held for calls under way` : "";
  const next = needed > 0 && measure !== "turns" ? `, and the next call may take ${amountWords(needed, measure)}` : "";
  return `The budget of ${amountWords(limit, measure)} for ${ownerOf(shortage)} is used up: ${amountWords(spent, measure)} spent${held}${next}.`;
}

/** One sentence: how much of which limit is used. */
export function nearingWords(nearing: Nearing): string {
  const { measure, limit, spent } = nearing;
  const share = Math.floor((spent / limit) * 100 + 1e-9);
  return `${share} % of the budget for ${ownerOf(nearing)} is used: ${measure === "usd" ? asUsd(spent) : count(spent)} of ${amountWords(limit, measure)}.`;
}

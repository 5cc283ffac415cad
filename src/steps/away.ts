/** What the ticket hears while an outside system is away. That its run goes on afterwards is said as after any other wait, see `park.ts`. */
import type { EffectDraft } from "../domain/effect.ts";
import { LockedOut, type SystemAway } from "../domain/errors.ts";
import { ticketOf } from "../domain/run.ts";
import { render } from "../platform/template.ts";
import { statusComment } from "./status.ts";
import type { StepContext } from "./step.ts";

/** The comment that names who is waited for. Nothing for a run that belongs to no ticket. */
export function awayEffects(context: StepContext, away: SystemAway): EffectDraft[] {
  const ticket = ticketOf(context.run.target);
  if (ticket === null) return [];
  const { system } = away;
  const lockedOut = away instanceof LockedOut;
  const body = statusComment(context, {
    state: "paused",
    headline: lockedOut ? away.message : `${system} does not answer at the moment`,
    step: context.run.step,
    hints: render("jira/away.md", { system, lockedOut }).trim(),
  });
  return [{ name: "away", effect: { kind: "jira.status", ticket, body } }];
}

/** What the work of a run stands on: repository, commit, rules and what is wanted, from the ticket or from a merge request. */
import type { z } from "zod";
import { looked } from "./conversation/outputs.ts";
import { findDeveloped } from "./developed.ts";
import { understood } from "./outputs.ts";
import type { StepContext } from "./step.ts";

export type Ground = z.infer<typeof understood.output>;

/** Throws when neither `understand` nor `look` has run. */
export function groundOf(context: StepContext): Ground {
  if (!context.has(looked)) return context.output(understood);
  const ground = context.output(looked);
  return { ...ground, understanding: findDeveloped(context)?.wanted ?? ground.understanding };
}

/** Where a run's change comes from: the one step of its workflow in which a developer worked. */
import { addressed } from "./amend/outputs.ts";
import { repaired } from "./heal/outputs.ts";
import { type Developed, implemented, type Merging } from "./outputs.ts";
import { selfReviewed } from "./review/outputs.ts";
import type { StepContext } from "./step.ts";

/** What the developer handed over; null before that. */
export function findDeveloped(context: Pick<StepContext, "has" | "output">): Developed | null {
  if (context.has(addressed)) return context.output(addressed);
  if (context.has(repaired)) return context.output(repaired);
  const mended = context.has(selfReviewed) ? context.output(selfReviewed).change : null;
  return mended ?? (context.has(implemented) ? context.output(implemented) : null);
}

/** The same. Throws when no developer has worked yet. */
export function developedOf(context: Pick<StepContext, "has" | "output">): Developed {
  const developed = findDeveloped(context);
  if (developed === null) throw new Error("no developer has worked in this run yet");
  return developed;
}

/** The merge that the run's change completes; null when it is a change of its own. */
export function mergeOf(context: Pick<StepContext, "has" | "output">): Merging | null {
  return findDeveloped(context)?.merge ?? null;
}

import type { StepContext } from "../step.ts";

/** Commands that ask for a commit. */
export const changeCommands = ["fix", "test", "docs", "changelog", "conflicts"] as const;
export type ChangeCommand = (typeof changeCommands)[number];

/** What a person asked to be changed on a merge request; null for every other run. */
export function commandOf({ run }: Pick<StepContext, "run">): ChangeCommand | null {
  if (run.workflow !== "change") return null;
  return changeCommands.find((name) => name === run.target.request?.command) ?? null;
}

import { render } from "../platform/template.ts";
import { groundOf } from "./ground.ts";
import { verified } from "./outputs.ts";
import type { StepContext } from "./step.ts";
import { changeOf } from "./take-change.ts";

/** What code found out about the run's change besides the result of its tests, as a Markdown list; empty when there is nothing to say. */
export function checkList(context: StepContext): string {
  const { checks } = context.output(verified);
  const { contradicted } = changeOf(context).claim;
  const { ignored } = groundOf(context).rules;
  return render("gitlab/checks.md", { checks, contradicted, ignored }).trim();
}

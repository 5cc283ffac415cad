/** Second step: how the change is to be made. Only read, so that a person (and a later gate) can judge it before code exists. */

import { dataSection } from "../agents/data.ts";
import { planner } from "../agents/planner.ts";
import type { Plan } from "../domain/handoff.ts";
import { render } from "../platform/template.ts";
import { planned, understood } from "./outputs.ts";
import { runAgent } from "./run-agent.ts";
import type { Step } from "./step.ts";

export const plan: Step<Plan> = {
  ...planned,

  async execute(context) {
    const { understanding, repository, base, ticket } = context.output(understood);
    const workspace = await context.services.workspaces.open({ runId: context.run.id, project: repository, base });
    const { output } = await runAgent(context, planner, {
      workspace,
      task: render("prompts/tasks/planner.md", {
        key: ticket.key,
        understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
      }),
    });
    return { output, effects: [], next: { kind: "continue" } };
  },
};

/** Third step: the developer edits a checkout and runs the tests. What leaves it is a patch, checked against what is claimed. */

import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { developer } from "../agents/developer.ts";
import { render } from "../platform/template.ts";
import { salvage, watchForGood } from "./good-state.ts";
import { groundOf } from "./ground.ts";
import { implemented, noteCommand, planned } from "./outputs.ts";
import { installPackages, missingPackages } from "./packages.ts";
import { guideSection } from "./rules/guide.ts";
import { runAgent } from "./run-agent.ts";
import type { Step } from "./step.ts";
import { takeChange } from "./take-change.ts";
import { testCommand } from "./test-command.ts";

export const implement: Step<z.infer<typeof implemented.output>> = {
  ...implemented,

  async execute(context) {
    const { run, services, project } = context;
    const { understanding, repository, base, ticket } = groundOf(context);
    const workspace = await services.workspaces.open({ runId: run.id, project: repository, base });
    const tests = await testCommand(project, workspace.root);
    const packages = missingPackages(await installPackages(context, workspace.root));
    const good = watchForGood(workspace, services.sandbox, tests);
    const developed = runAgent(context, developer, {
      workspace,
      sandbox: good.sandbox,
      task: render("prompts/tasks/developer.md", {
        key: ticket.key,
        understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
        plan: dataSection("Plan", JSON.stringify(context.output(planned), null, 1)),
        tests: tests === null ? null : JSON.stringify(tests),
        packages,
        guide: guideSection(context),
      }),
    });
    const { output: claim, commands } = await developed.catch(async (error: unknown) => ({
      output: await salvage(error, good, workspace, ticket.summary),
      commands: [],
    }));
    const change = await takeChange(context, workspace, claim);
    return {
      output: { ...change, commands: commands.map(noteCommand), lastGood: await good.patch() },
      effects: [],
      next: { kind: "continue" },
    };
  },
};

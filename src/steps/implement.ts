/** The developer edits a checkout and runs the tests. What leaves it is a patch, checked against what is claimed. */

import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { developer } from "../agents/developer.ts";
import { render } from "../platform/template.ts";
import { develop, openHead } from "./amend/develop.ts";
import { implementRequest } from "./amend/implement-request.ts";
import { looked } from "./conversation/outputs.ts";
import { groundOf } from "./ground.ts";
import { implemented, planned } from "./outputs.ts";
import { guideSection } from "./rules/guide.ts";
import type { Step } from "./step.ts";

export const implement: Step<z.infer<typeof implemented.output>> = {
  ...implemented,

  async execute(context) {
    if (context.has(looked)) return implementRequest(context);
    const { understanding, ticket } = groundOf(context);
    const { developed } = await develop(context, {
      agent: developer,
      workspace: await openHead(context),
      task: (conditions) =>
        render("prompts/tasks/developer.md", {
          key: ticket.key,
          understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
          plan: dataSection("Plan", JSON.stringify(context.output(planned), null, 1)),
          ...conditions,
          guide: guideSection(context),
        }),
    });
    return { output: developed, effects: [], next: { kind: "continue" } };
  },
};

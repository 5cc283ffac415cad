/** Sixth step: a page about the change, for those who will use or run it. Skipped where the project has no space. */
import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { writer } from "../agents/writer.ts";
import { render } from "../platform/template.ts";
import { documented, published, understood, verified } from "./outputs.ts";
import { runAgent } from "./run-agent.ts";
import type { Step } from "./step.ts";
import { changeOf } from "./take-change.ts";

/** Longest part of the diff that the writer is shown. */
const diffLength = 20_000;

export const document: Step<z.infer<typeof documented.output>> = {
  ...documented,

  async execute(context) {
    const { run, services } = context;
    const { space, parentPage } = run.target;
    if (space === undefined || services.pages === null) {
      return { output: null, effects: [], next: { kind: "continue" } };
    }
    const { understanding, repository, base, ticket } = context.output(understood);
    const { claim, patch } = changeOf(context);
    const { tests, proof } = context.output(verified);
    const mergeRequest = context.ref("publish", "mergeRequest");
    const workspace = await services.workspaces.open({ runId: run.id, project: repository, base, patch });
    const { output: draft } = await runAgent(context, writer, {
      workspace,
      task: render("prompts/tasks/writer.md", {
        key: ticket.key,
        understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
        claim: dataSection("What the developer says", JSON.stringify(claim, null, 1)),
        diff: dataSection("Diff", patch.slice(0, diffLength)),
      }),
    });
    const title = `${ticket.key}: ${draft.title}`;
    return {
      output: { title },
      effects: [
        {
          name: "page",
          effect: {
            kind: "confluence.page",
            space,
            parentTitle: parentPage ?? null,
            subject: ticket.key,
            title,
            body: render("confluence/page.md", {
              ticket,
              mergeRequest:
                mergeRequest === null ? null : { title: context.output(published).title, url: mergeRequest.url },
              commit: context.ref("publish", "branch")?.id ?? null,
              tests,
              summary: draft.summary,
              sections: draft.sections,
              proof,
              runId: run.id,
            }),
            labels: ["ticketsmith"],
            versionMessage: `Ticketsmith run ${run.id}`,
          },
        },
      ],
      next: { kind: "continue" },
    };
  },
};

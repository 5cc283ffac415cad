/** Steps that only say something about a merge request: an answer, a description, how it could be split. */
import { z } from "zod";
import type { Agent } from "../../agents/agent.ts";
import { answerer, describer, splitter } from "../../agents/answerer.ts";
import type { FileDiff } from "../../domain/merge-request.ts";
import { render } from "../../platform/template.ts";
import { answer } from "../conversation/answer.ts";
import { looked } from "../conversation/outputs.ts";
import { runAgent } from "../run-agent.ts";
import type { Step, StepContext } from "../step.ts";
import { adviceTask } from "./task.ts";

async function consult<Output>(
  context: StepContext,
  task: Parameters<typeof adviceTask>[1],
  agent: Agent<Output>,
): Promise<{ output: Output; files: readonly FileDiff[] }> {
  const { run, services } = context;
  const { repository, mergeRequest, base } = context.output(looked);
  const files = await services.reviews.readDiff({ repository: repository.path, iid: mergeRequest.iid });
  const workspace = await services.workspaces.open({ runId: run.id, project: repository, base });
  const { output } = await runAgent(context, agent, {
    workspace,
    task: await adviceTask(context, task, workspace, files),
  });
  return { output, files };
}

const Nothing = z.object({});

/** Answers a question where it was asked. */
export const ask: Step<z.infer<typeof Nothing>> = {
  name: "ask",
  output: Nothing,
  async execute(context) {
    const { output } = await consult(context, "ask", answerer);
    return { output: {}, effects: [answer(context, output.answer)], next: { kind: "continue" } };
  },
};

/** Writes our part of the description; what people wrote there stays. */
export const describe: Step<z.infer<typeof Nothing>> = {
  name: "describe",
  output: Nothing,
  async execute(context) {
    const { output, files } = await consult(context, "describe", describer);
    const { repository, mergeRequest } = context.output(looked);
    const body = render("gitlab/description.md", {
      ...output,
      withheld: files.filter(({ withheld }) => withheld).length,
      sha: mergeRequest.sha,
      runId: context.run.id,
      costUsd: context.spent().costUsd,
    });
    return {
      output: {},
      effects: [
        {
          name: "description",
          effect: {
            kind: "gitlab.description",
            repository: repository.path,
            iid: mergeRequest.iid,
            subject: "describe",
            body,
          },
        },
        answer(context, render("gitlab/described.md", { sha: mergeRequest.sha }).trim()),
      ],
      next: { kind: "continue" },
    };
  },
};

/** Says how the merge request could be made smaller. Files that are not in the diff are left out of what the model says. */
export const split: Step<z.infer<typeof Nothing>> = {
  name: "split",
  output: Nothing,
  async execute(context) {
    const { output, files } = await consult(context, "split", splitter);
    const paths = new Set(files.flatMap(({ oldPath, newPath }) => [oldPath, newPath]));
    const parts = output.parts
      .map((part) => ({ ...part, files: part.files.filter((path) => paths.has(path)) }))
      .filter((part) => part.files.length > 0);
    const placed = new Set(parts.flatMap((part) => part.files));
    const left = files.map(({ newPath }) => newPath).filter((path) => !placed.has(path));
    const body = render("gitlab/parts.md", { worthIt: output.worthIt, why: output.why, parts, left });
    return { output: {}, effects: [answer(context, body.trim())], next: { kind: "continue" } };
  },
};

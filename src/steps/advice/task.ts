/** What an agent is told that looks at a merge request in order to say something about it. */
import { dataSection } from "../../agents/data.ts";
import type { FileDiff } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import { render } from "../../platform/template.ts";
import { linesAround } from "../conversation/lines-around.ts";
import { looked } from "../conversation/outputs.ts";
import { guideSection } from "../rules/guide.ts";
import type { StepContext } from "../step.ts";
import { diffSection } from "./diff-text.ts";

/** Of the code around the selected line. */
const shown = { around: 8, bytes: 512 * 1024 } as const;

/** The lines around the one that a request in a diff is about; empty when it is about the whole, or the line is gone. */
async function selectionSection(context: StepContext, workspace: Workspace): Promise<string> {
  const { selection } = context.output(looked);
  if (selection === null || selection.line === null) return "";
  const { path, line } = selection;
  const lines = await linesAround(workspace.root, path, line, shown);
  return lines === null ? "" : dataSection(`Selected line ${line} of ${path}`, lines);
}

/** The task for `ask`, `describe` and `split`. */
export async function adviceTask(
  context: StepContext,
  task: "ask" | "describe" | "split",
  workspace: Workspace,
  files: readonly FileDiff[],
): Promise<string> {
  const { mergeRequest, ticket, ticketText, threadText } = context.output(looked);
  const { request } = context.run.target;
  const about = [
    mergeRequest.title,
    mergeRequest.body,
    ...(ticketText === null ? [] : [`Ticket ${ticket.key}:`, ticketText]),
  ];
  return render("prompts/tasks/on-merge-request.md", {
    task,
    iid: mergeRequest.iid,
    key: ticket.key,
    request: dataSection("What was asked", request?.argument === "" ? "(nothing more)" : (request?.argument ?? "")),
    selection: await selectionSection(context, workspace),
    thread: threadText === "" ? "" : dataSection("The thread so far", threadText, { markdown: true }),
    about: dataSection("The merge request", about.join("\n\n"), { markdown: true }),
    diff: diffSection(files),
    guide: guideSection(context),
  });
}

/** What an agent is told that looks at a merge request in order to say something about it. */
import { dataSection } from "../../agents/data.ts";
import type { FileDiff } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import { render } from "../../platform/template.ts";
import { Refusal } from "../../workspace/paths.ts";
import { readInside } from "../../workspace/tree.ts";
import { looked } from "../conversation/outputs.ts";
import { guideSection } from "../rules/guide.ts";
import type { StepContext } from "../step.ts";
import { diffSection } from "./diff-text.ts";

/** Lines shown on either side of a selected one. */
const around = 8;

/** The lines around the one that a request in a diff is about; empty when it is about the whole, or the line is gone. */
export async function selectionSection(context: StepContext, workspace: Workspace): Promise<string> {
  const { selection } = context.output(looked);
  if (selection === null || selection.line === null) return "";
  try {
    const text = (await readInside(workspace.root, selection.path, 512 * 1024)).toString("utf8");
    const first = Math.max(1, selection.line - around);
    const lines = text.split("\n").slice(first - 1, selection.line + around);
    const shown = lines.map((line, index) => {
      const number = first + index;
      return `${number === selection.line ? ">" : " "} ${number} ${line}`;
    });
    return dataSection(`Selected line ${selection.line} of ${selection.path}`, shown.join("\n"));
  } catch (error) {
    if (error instanceof Refusal) return "";
    throw error;
  }
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

/** What a person asked for on a merge request, with everything that it refers to: as data for the developer. */
import { capped, dataSection } from "../../agents/data.ts";
import type { FileDiff, Thread } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import { linesAround } from "../conversation/lines-around.ts";
import { looked } from "../conversation/outputs.ts";
import { threadText } from "../conversation/thread-text.ts";
import type { StepContext } from "../step.ts";

const bytes = { diff: 16_000, file: 4_000, thread: 6_000, text: 4_000 } as const;
/** Of the code around the line that is meant. */
const shown = { around: 12, bytes: 1024 * 1024 } as const;

/** The code that a thread is about. Empty when it is about none. */
export async function selectionSection(
  position: Thread["position"],
  workspace: Workspace,
  title = "The code that it is about",
): Promise<string> {
  if (position === null) return "";
  const { path, line, oldPath, oldLine } = position;
  if (line === null) return dataSection(title, `a removed line: line ${oldLine ?? "?"} of ${oldPath} as it was before`);
  const code = await linesAround(workspace.root, path, line, shown);
  const place = `${path}, line ${line}`;
  if (code === null) return dataSection(title, place);
  const moved = position.head === workspace.base ? "" : ", as counted at an older commit";
  return dataSection(`${title}: ${place}${moved}`.replace(/\s+/g, " "), code);
}

/** The diff of a merge request, as much of it as fits; which files there are is always said. */
export function diffText(files: readonly FileDiff[]): string {
  const list = files.map(({ status, newPath }) => `${status} ${newPath}`).join("\n");
  let left = bytes.diff;
  const parts: string[] = [];
  for (const { oldPath, newPath, patch, withheld } of files) {
    if (patch === "" || withheld) continue;
    const text = capped(`--- ${oldPath}\n+++ ${newPath}\n${patch.trimEnd()}`, Math.min(bytes.file, left));
    left -= Buffer.byteLength(text);
    if (left <= 0) break;
    parts.push(text);
  }
  return `${capped(list, bytes.file)}\n\n${parts.join("\n")}`.trimEnd();
}

export interface Asked {
  /** The person's own words; empty when neither the command nor its thread says anything. */
  readonly words: string;
  /** Sections for the developer's task. */
  readonly sections: readonly string[];
}

/** Everything about the request of a run. `workspace` is an untouched checkout of the merge request's head. */
export async function readAsked(context: StepContext, workspace: Workspace): Promise<Asked> {
  const { run, services } = context;
  const { mergeRequest, ticketText } = context.output(looked);
  const at = { repository: run.target.repository, iid: mergeRequest.iid };
  const { request } = run.target;
  const argument = request?.argument.trim() ?? "";
  const threads = request?.discussionId == null ? [] : await services.reviews.listThreads(at);
  const thread = threads.find(({ id }) => id === request?.discussionId) ?? null;
  const notes = thread === null ? [] : thread.notes.filter(({ id }) => id !== request?.noteId);
  const said = notes.filter(({ marker }) => marker === null).at(0)?.body ?? notes.at(0)?.body ?? "";
  const diff = await services.reviews.readDiff(at);
  const sections = [
    argument === "" ? "" : dataSection("The request", argument, { markdown: true }),
    notes.length === 0
      ? ""
      : dataSection("The thread of the request", capped(threadText(notes), bytes.thread), { markdown: true }),
    await selectionSection(thread?.position ?? null, workspace),
    dataSection("The merge request", capped(`${mergeRequest.title}\n\n${mergeRequest.body}`.trim(), bytes.text), {
      markdown: true,
    }),
    ticketText === null ? "" : dataSection("Its ticket", capped(ticketText, bytes.text), { markdown: true }),
    dataSection("What the merge request changes so far, in short", diffText(diff)),
  ];
  return { words: argument !== "" ? argument : said, sections: sections.filter((section) => section !== "") };
}

/** Review threads on our own merge request: the developer fixes or rebuts each, in one change. */
import type { z } from "zod";
import { dataSection } from "../../agents/data.ts";
import { addressing } from "../../agents/developer.ts";
import { UserError } from "../../domain/errors.ts";
import type { ThreadReport, Understanding } from "../../domain/handoff.ts";
import type { Workspace } from "../../domain/ports.ts";
import { render } from "../../platform/template.ts";
import { looked } from "../conversation/outputs.ts";
import { guideSection } from "../rules/guide.ts";
import type { Step, StepContext } from "../step.ts";
import { diffText, selectionSection } from "./asked.ts";
import { type Conditions, develop, openHead, unchanged } from "./develop.ts";
import { addressed, type TakenThread } from "./outputs.ts";
import { type OpenThread, openThreads, threadText } from "./threads.ts";

/** More at once is more than one change should hold. The others are told so. */
const mostThreads = 20;

type Addressed = z.infer<typeof addressed.output>;

function taken({ thread, last }: OpenThread): TakenThread {
  return {
    id: thread.id,
    noteId: last.id,
    by: last.author,
    path: thread.position?.path ?? null,
    oldPath: thread.position?.oldPath ?? null,
    asked: last.body.replace(/\s+/g, " ").trim().slice(0, 300),
  };
}

/** What QA is to check: the threads that the developer says are fixed. */
function wantedBy(threads: readonly TakenThread[], reports: readonly ThreadReport[]): Understanding {
  const fixed = reports.filter(({ outcome }) => outcome === "fixed").map(({ thread }) => threads[thread - 1]);
  const criteria = (fixed.length > 0 ? fixed : threads).flatMap((thread) => {
    const asked = thread?.asked ?? "";
    return asked === "" ? [] : [asked];
  });
  return {
    summary: criteria.join("\n").slice(0, 2000) || "review",
    kind: "feature",
    acceptanceCriteria: criteria.length > 0 ? criteria.slice(0, 12) : ["review"],
    outOfScope: [],
    questions: [],
  };
}

async function taskOf(
  context: StepContext,
  threads: readonly OpenThread[],
  workspace: Workspace,
): Promise<(conditions: Conditions) => string> {
  const { ticket, mergeRequest, ticketText } = context.output(looked);
  const at = { repository: context.run.target.repository, iid: mergeRequest.iid };
  const sections: string[] = [];
  for (const [index, open] of threads.entries()) {
    sections.push(dataSection(`Thread ${index + 1}`, threadText(open), { markdown: true }));
    const code = await selectionSection(open.thread.position, workspace, `The code of thread ${index + 1}`);
    if (code !== "") sections.push(code);
  }
  if (ticketText !== null) sections.push(dataSection("The ticket", ticketText.slice(0, 4000), { markdown: true }));
  const diff = await context.services.reviews.readDiff(at);
  sections.push(dataSection("What the merge request changes so far, in short", diffText(diff)));
  return (conditions) =>
    render("prompts/tasks/address.md", {
      key: ticket.key,
      iid: mergeRequest.iid,
      count: threads.length,
      ...conditions,
      sections: sections.join("\n\n"),
      guide: guideSection(context),
    });
}

/** The first report on each thread that there is. */
function oneEach(reports: readonly ThreadReport[], count: number): ThreadReport[] {
  return Array.from({ length: count }, (_, index) => reports.find(({ thread }) => thread === index + 1)).flatMap(
    (report) => (report === undefined ? [] : [report]),
  );
}

export const address: Step<Addressed> = {
  ...addressed,

  async execute(context) {
    if (!context.output(looked).mergeRequest.own) {
      throw new UserError(
        "I work off reviews on my own merge requests only. On others, tell me what to do: fix, test, docs …",
      );
    }
    const found = await openThreads(context);
    const threads = found.map(taken);
    if (found.length === 0) {
      const output: Addressed = { ...unchanged(), threads: [], reports: [] };
      return {
        output,
        effects: [],
        next: { kind: "end", state: "done", reason: "no review thread waits for an answer" },
      };
    }
    const some = found.slice(0, mostThreads);
    const workspace = await openHead(context);
    const { report, developed } = await develop(context, {
      agent: addressing,
      workspace,
      task: await taskOf(context, some, workspace),
      wanted: wantedBy(threads.slice(0, mostThreads), []),
    });
    const reports = oneEach(report?.threads ?? [], some.length);
    const wanted = wantedBy(threads.slice(0, mostThreads), reports);
    return { output: { ...developed, wanted, threads, reports }, effects: [], next: { kind: "continue" } };
  },
};

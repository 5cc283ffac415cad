/** Has the reviewer look at a change, in as many calls as it takes, and puts what it says where it belongs. */
import { dataSection } from "../../agents/data.ts";
import { reviewer } from "../../agents/reviewer.ts";
import { Permanent } from "../../domain/errors.ts";
import type { FileDiff } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import type { Review } from "../../domain/review.ts";
import { render } from "../../platform/template.ts";
import { isFileInside } from "../../workspace/tree.ts";
import { guideSection } from "../rules/guide.ts";
import { runAgent } from "../run-agent.ts";
import type { StepContext } from "../step.ts";
import { type Chunk, chunksOf, type LeftOut, selectFiles } from "./coverage.ts";
import { withoutTwins } from "./dispose.ts";
import { changedLines } from "./lines.ts";
import type { Criterion, Opinion } from "./outputs.ts";
import { type Lines, type Placed, place } from "./place.ts";
import type { OwnThread } from "./threads.ts";

/** What the reviewer is asked about. */
export interface Matter {
  readonly key: string;
  /** `review` for what is wrong, `improve` for what can be committed with a click, `self` for our own work before people see it. */
  readonly focus: "review" | "improve" | "self";
  readonly diff: readonly FileDiff[];
  readonly workspace: Workspace;
  readonly linesOf: Lines;
  /** What the change says of itself. Outside text, Markdown. */
  readonly about: string;
  /** Its acceptance criteria are to be checked. Null: there are none. Outside text, Markdown. */
  readonly ticketText: string | null;
  /** What whoever asked for it wants looked at. Outside text. */
  readonly wish: string;
  /** Threads of earlier reviews that are open. */
  readonly threads: readonly OwnThread[];
}

interface Said {
  readonly findings: readonly Placed[];
  readonly criteria: readonly Criterion[];
  readonly verdicts: Readonly<Record<string, Review["threads"][number]["verdict"]>>;
}

function threadSection(threads: readonly OwnThread[]): string {
  if (threads.length === 0) return "";
  const rows = threads.map(({ path, line, identity, body }, index) => {
    const at = line === null ? "its line is not there any more" : `line ${line}`;
    return `${index + 1}. ${path}, ${at}, ${identity.kind}:\n${body.trim()}`;
  });
  return dataSection("Open threads of yours", rows.join("\n\n"), { markdown: true });
}

/** "met" has to be earned by a file that is there; the other verdicts are taken at their word. */
async function judged(criteria: Review["criteria"], workspace: Workspace): Promise<Criterion[]> {
  const rows: Criterion[] = [];
  for (const { criterion, verdict, evidence, path } of criteria) {
    const shown = verdict !== "met" || (path !== null && (await isFileInside(workspace.root, path)));
    rows.push(
      shown
        ? { criterion, verdict, evidence: path === null ? evidence : `${path}: ${evidence}` }
        : { criterion, verdict: "cannot_tell", evidence: "no file was named that shows it" },
    );
  }
  return rows;
}

/** One call about a part of the change. `asked`: the threads to give a verdict on. */
async function ask(
  context: StepContext,
  matter: Matter,
  part: { readonly chunk: Chunk; readonly number: number; readonly of: number; readonly criteria: boolean },
  asked: readonly OwnThread[],
): Promise<Said> {
  const { output } = await runAgent(context, reviewer, {
    workspace: matter.workspace,
    task: render("prompts/tasks/review.md", {
      key: matter.key,
      focus: matter.focus,
      part: part.of === 1 ? null : `${part.number} of ${part.of}`,
      about: dataSection("What the change says of itself", matter.about, { markdown: true }),
      wish: matter.wish === "" ? "" : dataSection("What was asked for", matter.wish),
      ticket:
        part.criteria && matter.ticketText !== null ? dataSection("Ticket", matter.ticketText, { markdown: true }) : "",
      threads: threadSection(asked),
      diff: dataSection("Diff", part.chunk.text),
      guide: guideSection(context),
    }),
  });
  const { files } = selectFiles(matter.diff);
  return {
    findings: output.findings.map((finding) => place(finding, files, matter.linesOf)),
    criteria: part.criteria ? await judged(output.criteria, matter.workspace) : [],
    verdicts: Object.fromEntries(
      output.threads.flatMap(({ thread, verdict }) => {
        const id = asked[thread - 1]?.id;
        return id === undefined ? [] : [[id, verdict]];
      }),
    ),
  };
}

/** Criteria are about the whole: when it was looked at in parts, they take a call of their own. */
async function askCriteria(context: StepContext, matter: Matter): Promise<readonly Criterion[]> {
  if (matter.ticketText === null) return [];
  const { output } = await runAgent(context, reviewer, {
    workspace: matter.workspace,
    task: render("prompts/tasks/review-criteria.md", {
      key: matter.key,
      about: dataSection("What the change says of itself", matter.about, { markdown: true }),
      ticket: dataSection("Ticket", matter.ticketText, { markdown: true }),
      files: dataSection("Changed files", matter.diff.map(({ status, newPath }) => `${status} ${newPath}`).join("\n")),
    }),
  });
  return judged(output.criteria, matter.workspace);
}

/** A model that cannot cope with one part may cope with the others: what nobody looked at is said. */
async function orNothing<T>(context: StepContext, work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    // With a status it was the model's server that said no, to the other parts as well.
    if (!(error instanceof Permanent) || error.status !== undefined) throw error;
    context.log.warn("the reviewer could not cope with a part of the change", { error });
    return null;
  }
}

/** What the reviewer makes of a change. Not a single call where there is nothing to look at. Throws what the agent throws. */
export async function consult(
  context: StepContext,
  matter: Matter,
): Promise<{ opinion: Opinion; verdicts: Said["verdicts"] }> {
  const selected = selectFiles(matter.diff);
  const { chunks, leftOut } = chunksOf(selected.files);
  const said: Said[] = [];
  const failed: LeftOut[] = [];
  const waiting = new Set(matter.threads);
  for (const [index, chunk] of chunks.entries()) {
    const asked = [...waiting].filter(({ path }) => path !== null && chunk.paths.includes(path));
    for (const thread of asked) waiting.delete(thread);
    const part = { chunk, number: index + 1, of: chunks.length, criteria: chunks.length === 1 };
    const one = await orNothing(context, ask(context, matter, part, asked));
    if (one === null) failed.push(...chunk.paths.map((path) => ({ path, reason: "failed" as const })));
    else said.push(one);
  }
  if (chunks.length > 0 && said.length === 0) {
    throw new Permanent("The reviewer gave no answer that could be used.");
  }
  const late = chunks.length > 1 ? await orNothing(context, askCriteria(context, matter)) : null;
  const unseen = new Set([...leftOut, ...failed].map(({ path }) => path));
  const files = selected.files.filter(({ path }) => !unseen.has(path));
  const notLookedAt = [...selected.leftOut, ...leftOut, ...failed];
  return {
    opinion: {
      findings: withoutTwins(said.flatMap(({ findings }) => findings)),
      criteria: [...(late ?? said.flatMap(({ criteria }) => criteria))],
      files: files.length,
      lines: changedLines(files),
      leftOut: notLookedAt.filter(({ path }, at) => notLookedAt.findIndex((one) => one.path === path) === at),
    },
    verdicts: Object.assign({}, ...said.map(({ verdicts }) => verdicts)) as Said["verdicts"],
  };
}

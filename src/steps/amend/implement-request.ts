/** A change that somebody asked for on a merge request: made on its newest commit. */
import { readdir } from "node:fs/promises";
import { dataSection } from "../../agents/data.ts";
import { developer } from "../../agents/developer.ts";
import { UserError } from "../../domain/errors.ts";
import type { Understanding } from "../../domain/handoff.ts";
import { render } from "../../platform/template.ts";
import { judgeDiff } from "../change/diff-policy.ts";
import { parsePatch } from "../change/patch.ts";
import { answer } from "../conversation/answer.ts";
import { type ChangeCommand, commandOf } from "../conversation/command.ts";
import { looked } from "../conversation/outputs.ts";
import type { Developed, Merging } from "../outputs.ts";
import { guideSection } from "../rules/guide.ts";
import type { StepContext, StepResult } from "../step.ts";
import { readAsked } from "./asked.ts";
import { type Conditions, develop, openHead, unchanged } from "./develop.ts";
import { isChangelog } from "./scope.ts";

/** Ends the run with a word, before a model was asked. `why` is a name that the template knows. */
function stop(context: StepContext, why: string, details: readonly string[] = []): StepResult<Developed> {
  const { targetBranch } = context.output(looked).mergeRequest;
  const words = render("gitlab/not-begun.md", { why, details, targetBranch }).trim();
  const state = why === "conflict-free" || why === "up-to-date" ? "done" : "needs_human";
  return { output: unchanged(), effects: [answer(context, words)], next: { kind: "end", state, reason: words } };
}

const kinds: Readonly<Record<ChangeCommand, Understanding["kind"]>> = {
  fix: "bug",
  test: "feature",
  // Nothing is to behave differently, so nothing could fail without it.
  docs: "chore",
  changelog: "chore",
  conflicts: "chore",
};

/** What is wanted, as the later steps check it. */
function wantedBy(context: StepContext, command: ChangeCommand, words: string): Understanding {
  const { understanding } = context.output(looked);
  const line = words.replace(/\s+/g, " ").trim();
  return {
    summary: (words.trim() === "" ? understanding.summary : words.trim()).slice(0, 2000),
    kind: kinds[command],
    acceptanceCriteria: [line === "" ? command : line.slice(0, 300)],
    outOfScope: [],
    questions: [],
  };
}

async function hasChangelog(root: string): Promise<boolean> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = /^(?:\.changeset|changelog\.d|changes\.d|newsfragments|news\.d|changelogs|releasenotes|docs?)$/i;
  for (const entry of entries) {
    if (entry.isFile() && isChangelog(entry.name)) return true;
    if (!entry.isDirectory() || !folders.test(entry.name)) continue;
    if (!/^docs?$/i.test(entry.name)) return true;
    const inside = await readdir(`${root}/${entry.name}`, { withFileTypes: true });
    if (inside.some((file) => file.isFile() && isChangelog(file.name))) return true;
  }
  return false;
}

/** The merge of the target branch. A text says that there is nothing to solve, or that no agent can. */
async function readMerge(context: StepContext): Promise<Merging | StepResult<Developed>> {
  const { repository, base, mergeRequest } = context.output(looked);
  const branch = mergeRequest.targetBranch;
  const found = await context.services.workspaces.merge({ project: repository, into: base, branch });
  if (found.upToDate || found.base === null) return stop(context, "up-to-date");
  if (found.conflicts.length === 0) return stop(context, "conflict-free");
  const unreadable = found.conflicts.filter(({ kind }) => kind === "other").map(({ path }) => path);
  if (unreadable.length > 0) return stop(context, "unreadable", unreadable);
  const limit = context.services.policy.policy.maxPatchBytes;
  if (Buffer.byteLength(found.patch) > limit) {
    throw new UserError(`The merge brings more than ${limit} bytes (policy.maxPatchBytes), so I leave it to you.`);
  }
  const inConflict = new Set(found.conflicts.map(({ path }) => path));
  const files = parsePatch(found.patch).filter(({ path }) => inConflict.has(path));
  const bare = files.map((file) => ({ ...file, before: null, after: null }));
  const isProtected = judgeDiff(bare, context.services.policy.policy.changes).filter(
    ({ rule, action }) => rule === "protectedPaths" && action === "refuse",
  );
  if (isProtected.length > 0) {
    return stop(
      context,
      "protected",
      isProtected.map(({ path }) => path),
    );
  }
  return { branch, of: found.of, base: found.base, patch: found.patch, conflicts: [...found.conflicts] };
}

function taskOf(
  context: StepContext,
  command: ChangeCommand,
  sections: readonly string[],
  { tests, packages }: Conditions,
): string {
  const { ticket, mergeRequest } = context.output(looked);
  return render("prompts/tasks/amend.md", {
    key: ticket.key,
    iid: mergeRequest.iid,
    command,
    tests,
    packages,
    sections: sections.join("\n\n"),
    guide: guideSection(context),
  });
}

/** The step `implement` of a run about a merge request. */
export async function implementRequest(context: StepContext): Promise<StepResult<Developed>> {
  const command = commandOf(context);
  if (command === null) throw new Error(`run ${context.run.id} names no command that changes code`);
  const merge = command === "conflicts" ? await readMerge(context) : null;
  if (merge !== null && "output" in merge) return merge;
  const workspace = await openHead(context, merge?.patch ?? "");
  if (command === "changelog" && !(await hasChangelog(workspace.root))) return stop(context, "no-changelog");
  const { words, sections } = await readAsked(context, workspace);
  if (command === "fix" && words === "") return stop(context, "no-fault");
  const conflicts =
    merge === null
      ? []
      : [dataSection("Files in conflict", merge.conflicts.map(({ path, kind }) => `${path} (${kind})`).join("\n"))];
  const { developed } = await develop(context, {
    agent: developer,
    workspace,
    task: (conditions) => taskOf(context, command, [...conflicts, ...sections], conditions),
    wanted: wantedBy(context, command, words),
    merge,
  });
  return { output: developed, effects: [], next: { kind: "continue" } };
}

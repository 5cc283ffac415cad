/** Second step of `review` and `improve`: the reviewer reads the merge request. Nothing is said yet. */
import type { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { Thread } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import { looked } from "../conversation/outputs.ts";
import type { Step, StepContext } from "../step.ts";
import { consult } from "./consult.ts";
import { improved, reviewed } from "./outputs.ts";
import type { Lines } from "./place.ts";
import { readSources } from "./sources.ts";
import { dismissersOf, type OwnThread, ownThreads } from "./threads.ts";

type Reviewed = z.infer<typeof reviewed.output>;

/** GitLab's Reporter: whoever has less may talk, but not tell a reviewer to be silent. */
const leastLevel = 20;

/** Of the people who called findings none, those whose word counts: members of the project, and whoever opened the merge request. */
async function whoMayDismiss(context: StepContext, threads: readonly Thread[], selfId: string): Promise<Set<string>> {
  const { repository, mergeRequest } = context.output(looked);
  const allowed = new Set<string>();
  for (const userId of dismissersOf(threads, selfId)) {
    try {
      const person = await context.services.reviews.readPerson({ repository: repository.path, userId });
      const counts = person.level >= leastLevel || userId === mergeRequest.author.id;
      if (counts && !person.bot) allowed.add(userId);
    } catch (error) {
      // Their account is gone.
      if (!(error instanceof Permanent)) throw error;
    }
  }
  return allowed;
}

/** Our threads on the merge request as they stand against the newest diff. */
async function readThreads(context: StepContext, paths: readonly string[], linesOf: Lines): Promise<OwnThread[]> {
  const { repository, mergeRequest } = context.output(looked);
  const { id: selfId } = await context.services.code.whoAmI();
  const threads = await context.services.reviews.listThreads({ repository: repository.path, iid: mergeRequest.iid });
  const mayDismiss = await whoMayDismiss(context, threads, selfId);
  return ownThreads(threads, { selfId, paths, linesOf, mayDismiss });
}

async function openHead(context: StepContext): Promise<Workspace> {
  const { repository, base } = context.output(looked);
  return context.services.workspaces.open({ runId: context.run.id, project: repository, base });
}

async function lookAt(context: StepContext, focus: "review" | "improve"): Promise<Reviewed> {
  const { repository, mergeRequest, ticket, ticketText, selection } = context.output(looked);
  const whole = await context.services.reviews.readDiff({ repository: repository.path, iid: mergeRequest.iid });
  const workspace = await openHead(context);
  const linesOf = await readSources(whole, workspace);
  const paths = whole.map(({ newPath }) => newPath);
  const threads = await readThreads(context, paths, linesOf);
  const selected = whole.filter(
    ({ newPath, oldPath }) => selection !== null && [newPath, oldPath].includes(selection.path),
  );
  const { opinion, verdicts } = await consult(context, {
    key: ticket.key,
    focus,
    // Asked for on a line, improvements are wanted there.
    diff: focus === "improve" && selected.length > 0 ? selected : whole,
    workspace,
    linesOf,
    about: `${mergeRequest.title}\n\n${mergeRequest.body}`.trim(),
    ticketText: focus === "review" ? ticketText : null,
    wish: context.run.target.request?.argument ?? "",
    threads: focus === "review" ? threads.filter(({ open, closedByUs }) => open && !closedByUs) : [],
  });
  return { ...opinion, threads, verdicts: { ...verdicts } };
}

export const review: Step<Reviewed> = {
  ...reviewed,
  async execute(context) {
    return { output: await lookAt(context, "review"), effects: [], next: { kind: "continue" } };
  },
};

/** Like a review, but only of what can be committed with a click. */
export const improve: Step<Reviewed> = {
  ...improved,
  async execute(context) {
    const seen = await lookAt(context, "improve");
    const findings = seen.findings.filter(({ suggestion, position }) => suggestion !== null && position !== null);
    return { output: { ...seen, findings }, effects: [], next: { kind: "continue" } };
  },
};

/**
 * Between the developer and the tests: the reviewer reads the change before people see it, and what is grave goes back to the developer
 * once. One call of the model where there is nothing to say.
 */
import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { developer } from "../agents/developer.ts";
import { Permanent, UserError } from "../domain/errors.ts";
import { render } from "../platform/template.ts";
import { develop, openHead } from "./amend/develop.ts";
import { parsePatch } from "./change/patch.ts";
import { developedOf } from "./developed.ts";
import { groundOf } from "./ground.ts";
import type { Developed } from "./outputs.ts";
import { consult } from "./review/consult.ts";
import { isSure, isTrivial, worthOf } from "./review/dispose.ts";
import { type Opinion, selfReviewed } from "./review/outputs.ts";
import { diffOfPatch } from "./review/patch-diff.ts";
import type { Placed } from "./review/place.ts";
import { readSources } from "./review/sources.ts";
import { locate } from "./review/threads.ts";
import { guideSection } from "./rules/guide.ts";
import type { Step, StepContext } from "./step.ts";

type SelfReviewed = z.infer<typeof selfReviewed.output>;

/** What the reviewer makes of a change; null when the model gave nothing that could be used. Its silence must not stop the work. */
async function opinionOn(context: StepContext, { claim, patch }: Developed): Promise<Opinion | null> {
  const { understanding, ticket } = groundOf(context);
  const diff = diffOfPatch(parsePatch(patch));
  const workspace = await openHead(context, patch);
  try {
    const { opinion } = await consult(context, {
      key: ticket.key,
      focus: "self",
      diff,
      workspace,
      linesOf: await readSources(diff, workspace),
      about: [
        claim.title,
        claim.summary,
        "Acceptance criteria:",
        ...understanding.acceptanceCriteria.map((text) => `- ${text}`),
      ].join("\n"),
      ticketText: null,
      wish: "",
      threads: [],
    });
    return opinion;
  } catch (error) {
    // With a status it was the model's server that said no: the next agent would hear the same.
    if (!(error instanceof Permanent) || error.status !== undefined) throw error;
    context.log.warn("nobody reviewed the change before its tests", { error });
    return null;
  }
}

function findingText({ path, line, severity, kind, title, explanation }: Placed, index: number): string {
  return `${index + 1}. ${path}:${line} (${severity}, ${kind}) ${title}\n${explanation}`;
}

/** Has the developer look at what was found. Null when the change stays as it was. */
async function mend(context: StepContext, first: Developed, findings: readonly Placed[]): Promise<Developed | null> {
  const { understanding, ticket } = groundOf(context);
  try {
    const { developed } = await develop(context, {
      agent: developer,
      workspace: await openHead(context, first.patch),
      task: (conditions) =>
        render("prompts/tasks/self-review-mend.md", {
          key: ticket.key,
          findings: dataSection("What the reviewer found", findings.map(findingText).join("\n\n")),
          understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
          ...conditions,
          guide: guideSection(context),
        }),
    });
    if (developed.patch === first.patch || developed.patch === "") return null;
    // Should the mended change turn out red, the one before it may be better.
    return { ...developed, lastGood: developed.lastGood ?? first.patch, wanted: first.wanted, merge: first.merge };
  } catch (error) {
    // The model gave up, or what it made may not be pushed: then what there is has to do.
    if (error instanceof UserError || (error instanceof Permanent && error.status === undefined)) {
      context.log.warn("the developer could not mend what the reviewer found", { error });
      return null;
    }
    throw error;
  }
}

/** Of the findings those whose line and neighbours are as they were. */
async function stillOpen(
  context: StepContext,
  findings: readonly Placed[],
  change: Developed | null,
): Promise<readonly Placed[]> {
  if (change === null) return findings;
  const diff = diffOfPatch(parsePatch(change.patch));
  const linesOf = await readSources(diff, await openHead(context, change.patch));
  return findings.flatMap((finding) => {
    const { state, line } = locate(finding.identity, linesOf(finding.path, finding.side), finding.line);
    return state === "same" && line !== null ? [{ ...finding, line }] : [];
  });
}

async function reviewSelf(context: StepContext): Promise<SelfReviewed> {
  const first = developedOf(context);
  const opinion = first.patch === "" ? null : await opinionOn(context, first);
  if (opinion === null) return { opinion, sent: 0, change: null, open: [] };
  const { comments, confidence } = context.services.policy.mergeRequests.review;
  const told = opinion.findings
    .filter((finding) => finding.position !== null && isSure(finding, { comments, confidence }) && !isTrivial(finding))
    .toSorted((a, b) => worthOf(b) - worthOf(a))
    .slice(0, comments);
  const grave = told.filter(({ severity }) => severity === "blocker" || severity === "major");
  const change = grave.length === 0 ? null : await mend(context, first, grave);
  return { opinion, sent: grave.length, change, open: [...(await stillOpen(context, told, change))] };
}

export const selfReview: Step<SelfReviewed> = {
  ...selfReviewed,
  async execute(context) {
    return { output: await reviewSelf(context), effects: [], next: { kind: "continue" } };
  },
};

/** What the reviewer found and nobody mended, one line each, for people; empty where there was no such review. */
export function openRemarks(context: StepContext): string[] {
  if (!context.has(selfReviewed)) return [];
  const { opinion, open } = context.output(selfReviewed);
  if (opinion === null)
    return developedOf(context).patch === "" ? [] : [render("gitlab/remark.md", { finding: null }).trim()];
  return open.map((finding) => render("gitlab/remark.md", { finding }).trim());
}

/** Last step of `review` and `improve`: what is new is said, what is done is closed, and the summary tells where things stand. */
import type { z } from "zod";
import type { EffectDraft } from "../../domain/effect.ts";
import { ticketOf } from "../../domain/run.ts";
import { render } from "../../platform/template.ts";
import { answer } from "../conversation/answer.ts";
import { looked } from "../conversation/outputs.ts";
import type { Step, StepContext } from "../step.ts";
import type { Dismissal } from "./dismissals.ts";
import { type Closing, closings, type Disposed, dispose } from "./dispose.ts";
import { printIdentity } from "./identity.ts";
import { improved, posted, reviewed } from "./outputs.ts";
import type { Placed } from "./place.ts";
import { closingSubject, type OwnThread, ownThreads } from "./threads.ts";

type Posted = z.infer<typeof posted.output>;
type Reviewed = z.infer<typeof reviewed.output>;

/** Everything that the words of a review are made from. */
interface Outcome {
  readonly seen: Reviewed;
  readonly disposed: Disposed;
  readonly closed: readonly Closing[];
  /** Threads of earlier reviews that wait for somebody: what people called no fault does not. */
  readonly open: readonly OwnThread[];
  readonly dismissals: readonly Dismissal[];
}

const summarySubject = "review";

function placeOf(context: StepContext): { repository: string; iid: number } {
  const { repository, mergeRequest } = context.output(looked);
  return { repository: repository.path, iid: mergeRequest.iid };
}

/** What nobody wants to hear again: shown by threads now, or known to an earlier review (a thread tells only as long as its line is there). */
async function dismissalsOf(context: StepContext, threads: readonly OwnThread[]): Promise<Dismissal[]> {
  const earlier = (await context.earlier("review")).filter((run) => run.has(posted));
  const told = threads
    .filter(({ dismissed }) => dismissed)
    .map(({ identity: { kind, path, around } }) => ({ kind, path, around }));
  const all = [...told, ...earlier.flatMap((run) => run.output(posted).dismissals)];
  return all.filter(
    ({ kind, path, around }, at) =>
      all.findIndex((one) => one.kind === kind && one.path === path && one.around === around) === at,
  );
}

/** Threads that another run opened while this one was reading. */
async function newThreads(context: StepContext, known: readonly OwnThread[]): Promise<OwnThread[]> {
  const threads = await context.services.reviews.listThreads(placeOf(context));
  const fresh = threads.filter(({ id }) => !known.some((thread) => thread.id === id));
  const positions = new Map(fresh.map(({ id, position }) => [id, position]));
  const { id: selfId } = await context.services.code.whoAmI();
  const seen = { selfId, paths: [], linesOf: () => null, mayDismiss: new Set<string>() };
  return ownThreads(fresh, seen).map((thread) => {
    const at = positions.get(thread.id);
    return { ...thread, path: at?.path ?? null, line: at?.line ?? at?.oldLine ?? null };
  });
}

async function decide(context: StepContext, seen: Reviewed): Promise<Outcome> {
  const { comments, confidence } = context.services.policy.mergeRequests.review;
  const dismissals = await dismissalsOf(context, seen.threads);
  const known = [...seen.threads, ...(await newThreads(context, seen.threads))];
  const closed = closings(seen.threads, new Map(Object.entries(seen.verdicts)));
  const done = new Set(closed.map(({ thread }) => thread.id));
  return {
    seen,
    disposed: dispose(seen.findings, { known, dismissals }, { comments, confidence }),
    closed,
    open: known.filter(({ open, dismissed, id }) => open && !dismissed && !done.has(id)),
    dismissals,
  };
}

function reviewEffect(context: StepContext, findings: readonly Placed[]): EffectDraft[] {
  const placed = findings.flatMap((finding) =>
    finding.position === null ? [] : [{ ...finding, at: finding.position }],
  );
  if (placed.length === 0) return [];
  const { refs } = context.output(looked);
  return [
    {
      name: "review",
      effect: {
        kind: "gitlab.review",
        ...placeOf(context),
        refs,
        findings: placed.map(({ identity, at, suggestion, severity, kind, title, explanation, movedFrom }) => ({
          identity: printIdentity(identity),
          position: at,
          body: render("gitlab/finding.md", { severity, kind, title, explanation, movedFrom }).trim(),
          suggestion,
        })),
      },
    },
  ];
}

/** A word, and the thread is closed. */
function closingEffects(context: StepContext, closed: readonly Closing[]): EffectDraft[] {
  const { sha } = context.output(looked).mergeRequest;
  return closed.flatMap(({ thread: { id }, why }): EffectDraft[] => [
    {
      name: `word:${id}`,
      effect: {
        kind: "gitlab.note",
        ...placeOf(context),
        discussionId: id,
        subject: closingSubject(id),
        body: render("gitlab/review-closed.md", { why, sha }).trim(),
        mentions: [],
      },
    },
    { name: `resolve:${id}`, effect: { kind: "gitlab.resolve", ...placeOf(context), discussionId: id } },
  ]);
}

function summaryEffect(context: StepContext, outcome: Outcome): EffectDraft {
  const { seen, disposed, closed, open } = outcome;
  const { mergeRequest, ticket } = context.output(looked);
  const grave = [...disposed.threads, ...disposed.surplus, ...disposed.elsewhere, ...open].map(
    ({ severity }) => severity,
  );
  const count = (why: Closing["why"]): number => closed.filter((each) => each.why === why).length;
  const body = render("gitlab/review.md", {
    worst: (["blocker", "major", "minor"] as const).find((severity) => grave.includes(severity)) ?? null,
    counts: { fresh: disposed.threads.length, open: open.length, fixed: count("fixed"), outdated: count("outdated") },
    threads: disposed.threads,
    elsewhere: disposed.elsewhere,
    surplus: disposed.surplus,
    trivia: disposed.trivia,
    dismissed: disposed.left.dismissed,
    ticket: ticketOf(context.run.target) === null ? null : ticket,
    criteria: seen.criteria,
    files: seen.files,
    lines: seen.lines,
    leftOut: seen.leftOut,
    sha: mergeRequest.sha,
    costUsd: context.spent().costUsd,
    runId: context.run.id,
  }).trim();
  return {
    name: "summary",
    effect: {
      kind: "gitlab.note",
      ...placeOf(context),
      discussionId: null,
      subject: summarySubject,
      body,
      mentions: [],
    },
  };
}

/** One line for whoever asked. */
function answerEffect(context: StepContext, { disposed, closed, open, seen }: Outcome): EffectDraft[] {
  if (context.run.target.request === undefined) return [];
  const body = render("gitlab/review-answer.md", {
    what: context.has(improved) ? "improve" : "review",
    fresh: disposed.threads.length,
    closed: closed.length,
    open: open.length,
    elsewhere: disposed.elsewhere.length + disposed.surplus.length + disposed.trivia.length,
    partial: seen.leftOut.length > 0,
  });
  return [answer(context, body.trim())];
}

/** Whether the merge request still is what was read: of an older state nothing is said, the newer one has a review of its own. */
async function hasMoved(context: StepContext): Promise<boolean> {
  const { state, sha } = await context.services.reviews.readMergeRequest(placeOf(context));
  return state !== "opened" || sha !== context.output(looked).mergeRequest.sha;
}

function nothingSaid(context: StepContext): { output: Posted; effects: EffectDraft[]; reason: string } {
  const reason = render("gitlab/obstacle.md", { why: "moved" }).trim();
  const effects = context.run.target.request === undefined ? [] : [answer(context, reason)];
  return { output: { opened: 0, fixed: 0, outdated: 0, repeated: 0, dismissals: [] }, effects, reason };
}

export const post: Step<Posted> = {
  ...posted,
  async execute(context) {
    if (await hasMoved(context)) {
      const { output, effects, reason } = nothingSaid(context);
      return { output, effects, next: { kind: "end", state: "cancelled", reason } };
    }
    const isReview = context.has(reviewed);
    const outcome = await decide(context, context.output(isReview ? reviewed : improved));
    const { disposed, closed, dismissals } = outcome;
    return {
      output: {
        opened: disposed.threads.length,
        fixed: closed.filter(({ why }) => why === "fixed").length,
        outdated: closed.filter(({ why }) => why === "outdated").length,
        repeated: disposed.left.repeated,
        dismissals: [...dismissals],
      },
      effects: [
        ...reviewEffect(context, disposed.threads),
        ...(isReview ? closingEffects(context, closed) : []),
        ...(isReview ? [summaryEffect(context, outcome)] : []),
        ...answerEffect(context, outcome),
      ],
      next: { kind: "continue" },
    };
  },
};

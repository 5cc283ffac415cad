/** Code disposes: which findings become threads, which lines of the summary, and which are not said at all. Pure. */
import type { Severity } from "../../domain/review.ts";
import type { Dismissal } from "./dismissals.ts";
import { sameIdentity } from "./identity.ts";
import type { Placed } from "./place.ts";
import type { OwnThread } from "./threads.ts";

export interface Limits {
  /** Most threads that one review opens. */
  readonly comments: number;
  /** How sure the reviewer has to be of a major finding, 0 to 1. */
  readonly confidence: number;
}

export interface Disposed {
  /** Become threads; the gravest first. */
  readonly threads: readonly Placed[];
  /** Told in the summary only: hardly worth a word, about nothing in the diff, or one too many. */
  readonly trivia: readonly Placed[];
  readonly elsewhere: readonly Placed[];
  readonly surplus: readonly Placed[];
  /** Not told. */
  readonly left: { readonly unsure: number; readonly repeated: number; readonly dismissed: number };
}

const weight: Readonly<Record<Severity, number>> = { blocker: 4, major: 3, minor: 2, trivia: 1 };
/** A false alarm about something grave costs less than silence; one about a trifle costs more. */
const leeway: Readonly<Record<Severity, number>> = { blocker: -0.1, major: 0, minor: 0.1, trivia: 0.1 };

/** How much a finding is worth: what is at stake times how likely it is. */
export function worthOf({ severity, confidence }: Pick<Placed, "severity" | "confidence">): number {
  return weight[severity] * confidence;
}

/** Whether the reviewer is sure enough of a finding for it to be told. */
export function isSure({ severity, confidence }: Pick<Placed, "severity" | "confidence">, limits: Limits): boolean {
  return confidence >= Math.min(0.95, limits.confidence + leeway[severity]);
}

/** Two faults of one kind as near as this are one fault, said twice. */
const nearby = 3;

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]{4,}/gu) ?? []);
}

/** Whether a title says what a text says already. */
function saysTheSame(title: string, text: string): boolean {
  const words = wordsOf(title);
  const known = wordsOf(text);
  const shared = [...words].filter((word) => known.has(word)).length;
  return words.size > 0 && shared / words.size >= 0.6;
}

function isTwin(a: Placed, b: Placed): boolean {
  if (a.path !== b.path || a.side !== b.side) return false;
  if (sameIdentity(a.identity, b.identity)) return true;
  const distance = Math.abs(a.line - b.line);
  if (a.kind === b.kind && distance <= nearby) return true;
  return distance <= nearby && saysTheSame(a.title, `${b.title} ${b.explanation}`);
}

/** Each fault once. Of twins the one that is worth more stays, with a suggestion where either has one for the same line. */
export function withoutTwins(findings: readonly Placed[]): Placed[] {
  const kept: Placed[] = [];
  for (const finding of findings.toSorted((a, b) => worthOf(b) - worthOf(a))) {
    if (!kept.some((other) => isTwin(finding, other))) kept.push(finding);
  }
  return kept;
}

/** Whether a finding was told before, in a thread that is open or closed. */
function isRepeated(finding: Placed, thread: OwnThread): boolean {
  const { identity } = finding;
  if (sameIdentity(identity, thread.identity)) return true;
  if (identity.path !== thread.identity.path || finding.side !== thread.side) return false;
  const distance = thread.line === null ? Number.POSITIVE_INFINITY : Math.abs(finding.line - thread.line);
  const sameLine = identity.line === thread.identity.line && distance <= nearby;
  if (sameLine && (identity.kind === thread.identity.kind || saysTheSame(finding.title, thread.body))) return true;
  if (!thread.open) return false;
  // The line of an open thread was edited: what is said of the file in the same words is said of its successor.
  if (thread.line === null) return identity.kind === thread.identity.kind && saysTheSame(finding.title, thread.body);
  return distance <= nearby && (identity.kind === thread.identity.kind || saysTheSame(finding.title, thread.body));
}

function isDismissed({ identity }: Placed, { kind, path, around }: Dismissal): boolean {
  return kind === identity.kind && (path === identity.path || around === identity.around);
}

/** Matters of taste are no threads, unless they are grave. */
export function isTrivial({ severity, kind }: Placed): boolean {
  return severity === "trivia" || (severity === "minor" && kind === "style");
}

/** Decides about every finding. `known` are the threads of earlier reviews, `dismissals` what nobody wants to hear again. */
export function dispose(
  findings: readonly Placed[],
  { known, dismissals }: { readonly known: readonly OwnThread[]; readonly dismissals: readonly Dismissal[] },
  limits: Limits,
): Disposed {
  const sure = findings.filter((finding) => isSure(finding, limits));
  const distinct = withoutTwins(sure);
  const dismissed = distinct.filter((finding) => dismissals.some((each) => isDismissed(finding, each)));
  const wanted = distinct.filter((finding) => !dismissed.includes(finding));
  const fresh = wanted.filter((finding) => !known.some((thread) => isRepeated(finding, thread)));
  const placed = fresh.filter((finding) => !isTrivial(finding) && finding.position !== null);
  return {
    threads: placed.slice(0, limits.comments),
    trivia: fresh.filter(isTrivial),
    elsewhere: fresh.filter((finding) => !isTrivial(finding) && finding.position === null),
    surplus: placed.slice(limits.comments),
    left: {
      unsure: findings.length - sure.length,
      repeated: wanted.length - fresh.length,
      dismissed: dismissed.length,
    },
  };
}

export interface Closing {
  readonly thread: OwnThread;
  /** `fixed`: the reviewer says so and the code there changed. `outdated`: there is nothing left that it is about. */
  readonly why: "fixed" | "outdated";
}

/**
 * Which of our open threads have done their work. The word of the reviewer alone closes none: its lines have to have changed. What is
 * still there by its word stays, whatever became of the line.
 */
export function closings(
  threads: readonly OwnThread[],
  verdicts: ReadonlyMap<string, "still_there" | "fixed" | "cannot_tell">,
): Closing[] {
  return threads.flatMap((thread): Closing[] => {
    const verdict = verdicts.get(thread.id) ?? "cannot_tell";
    if (!thread.open || thread.closedByUs || thread.state === "same") return [];
    if (verdict === "fixed") return [{ thread, why: "fixed" }];
    if (thread.state === "touched") return [];
    return verdict === "still_there" && thread.path !== null ? [] : [{ thread, why: "outdated" }];
  });
}

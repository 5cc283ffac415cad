/** What a review was worth: which planted defects were named, what else was said, and what was said twice. Pure. */
import type { Defect, ReviewCase } from "./review-case.ts";
import { lineOf } from "./review-case.ts";

/** A thread that the bot opened, at the commit that it was opened on. */
export interface SaidThread {
  readonly path: string;
  /** Number in the new file; null where it stands on a removed line or on none. */
  readonly line: number | null;
  readonly body: string;
  /** Which push it answered, from 0. */
  readonly push: number;
  readonly resolved: boolean;
}

export interface ReviewOutcome {
  readonly case: string;
  readonly language: string;
  readonly pushes: number;
  /** How the runs ended, other than `done`. */
  readonly trouble: readonly string[];
  readonly defects: number;
  readonly found: number;
  /** What was not found. */
  readonly missed: readonly string[];
  readonly threads: number;
  /** Threads that name a defect. */
  readonly right: number;
  /** Threads on what looks wrong and is right. */
  readonly traps: number;
  /** Threads that say what an earlier one says. */
  readonly repeats: number;
  /** Threads on defects that a later push mended, and how many of them were closed. */
  readonly mended: number;
  readonly closed: number;
  readonly changedLines: number;
  readonly calls: number;
  readonly tokens: number;
  readonly costUsd: number;
}

/** How far from a defect a comment may stand and still be about it. */
const tolerance = 3;

/** How far a thread stands from a place in its file; infinite where the place is not there. */
function distance(thread: SaidThread, place: { path: string; at: string; lines?: number }, given: ReviewCase): number {
  const first = lineOf(given.trees[thread.push]?.[place.path], place.at);
  if (thread.path !== place.path || first === null || thread.line === null) return Number.POSITIVE_INFINITY;
  const last = first + (place.lines ?? 1) - 1;
  return Math.max(0, first - thread.line, thread.line - last);
}

/** Whether a thread names a defect. */
function names(thread: SaidThread, defect: Defect, given: ReviewCase): boolean {
  if (distance(thread, defect, given) > tolerance) return false;
  const said = thread.body.toLowerCase();
  const kind = defect.kinds.some((each) => new RegExp(`· ${each}:`).test(said));
  return kind || defect.words.some((word) => said.includes(word.toLowerCase()));
}

/** The one defect that a thread counts for: of those that it names the nearest. */
export function defectOf(thread: SaidThread, given: ReviewCase): Defect | null {
  const named = given.defects.filter((defect) => names(thread, defect, given));
  const [nearest] = named.sort((a, b) => distance(thread, a, given) - distance(thread, b, given));
  return nearest ?? null;
}

/** The text of the line that a thread stands on. */
function lineText({ path, line, push }: SaidThread, given: ReviewCase): string {
  return (given.trees[push]?.[path] ?? "").split("\n")[(line ?? 0) - 1]?.trim() ?? "";
}

/** Whether a later thread says what an earlier one says: about the same defect, or on the same line of code. */
function repeats(later: SaidThread, earlier: SaidThread, given: ReviewCase): boolean {
  if (later.path !== earlier.path) return false;
  const about = defectOf(later, given);
  if (about !== null && about === defectOf(earlier, given)) return true;
  const text = lineText(later, given);
  return later.push !== earlier.push && text.length > 8 && text === lineText(earlier, given);
}

/** The part of an outcome that is read from the threads. */
export function scoreOf(
  given: ReviewCase,
  threads: readonly SaidThread[],
): Pick<
  ReviewOutcome,
  "defects" | "found" | "missed" | "threads" | "right" | "traps" | "repeats" | "mended" | "closed"
> {
  const about = threads.map((thread) => defectOf(thread, given));
  const missed = given.defects.filter((defect) => !about.includes(defect));
  const last = given.trees.at(-1) ?? {};
  const aboutMended = threads.filter((_, at) => {
    const defect = about[at];
    return defect != null && lineOf(last[defect.path], defect.at) === null;
  });
  return {
    defects: given.defects.length,
    found: given.defects.length - missed.length,
    missed: missed.map(({ path, says }) => `${path}: ${says}`),
    threads: threads.length,
    right: about.filter((defect) => defect !== null).length,
    traps: threads.filter(
      (thread, at) => about[at] === null && given.traps.some((trap) => distance(thread, trap, given) === 0),
    ).length,
    repeats: threads.filter((thread, at) => threads.slice(0, at).some((earlier) => repeats(thread, earlier, given)))
      .length,
    mended: aboutMended.length,
    closed: aboutMended.filter(({ resolved }) => resolved).length,
  };
}

export interface ReviewTotal {
  readonly cases: number;
  readonly defects: number;
  readonly found: number;
  /** 0 to 1; 1 where there was nothing to find. */
  readonly recall: number;
  /** 0 to 1; 1 where nothing was said. */
  readonly precision: number;
  readonly threads: number;
  readonly right: number;
  readonly traps: number;
  readonly repeats: number;
  readonly mended: number;
  readonly closed: number;
  /** Threads per 100 changed lines. */
  readonly noise: number;
  readonly changedLines: number;
  readonly calls: number;
  readonly tokens: number;
  readonly costUsd: number;
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);

/** Threads per 100 changed lines. */
export function noiseOf({ threads, changedLines }: Pick<ReviewOutcome, "threads" | "changedLines">): number {
  return changedLines === 0 ? 0 : (100 * threads) / changedLines;
}

/** The sums over all outcomes. */
export function reviewTotal(outcomes: readonly ReviewOutcome[]): ReviewTotal {
  const sum = (of: (outcome: ReviewOutcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const [defects, found, threads, right] = [
    sum((one) => one.defects),
    sum((one) => one.found),
    sum((one) => one.threads),
    sum((one) => one.right),
  ];
  const changedLines = sum((one) => one.changedLines);
  return {
    cases: outcomes.length,
    defects,
    found,
    recall: ratio(found, defects),
    precision: ratio(right, threads),
    threads,
    right,
    traps: sum((one) => one.traps),
    repeats: sum((one) => one.repeats),
    mended: sum((one) => one.mended),
    closed: sum((one) => one.closed),
    noise: noiseOf({ threads, changedLines }),
    changedLines,
    calls: sum((one) => one.calls),
    tokens: sum((one) => one.tokens),
    costUsd: sum((one) => one.costUsd),
  };
}

/** What was done before about the pipelines of a merge request, read from the runs that did it. */
import { looked } from "../conversation/outputs.ts";
import type { EarlierRun, StepContext } from "../step.ts";
import { type Diagnosed, diagnosed, proved, repaired } from "./outputs.ts";

/** An earlier run, as far as it matters. */
export interface Attempt {
  /** Head of the merge request when it began. */
  readonly base: string;
  /** What it put on the branch; null when it pushed nothing. */
  readonly commit: string | null;
  readonly diagnosed: Diagnosed;
  /** What it made; null when it made nothing, or did not get that far. */
  readonly made: {
    readonly kind: "repair" | "rollback";
    readonly title: string;
    readonly summary: string;
    readonly patch: string;
  } | null;
  /** A person said `heal`. */
  readonly asked: boolean;
}

export interface Past {
  /** Repairs and rollbacks that led to the head as it is, pushed or not, newest first. */
  readonly tries: readonly Attempt[];
  /** How many of them count: those since a person last asked. */
  readonly used: number;
  /** The try that made the head. */
  readonly last: Attempt | null;
  /** Names of jobs that were run once more at this head. */
  readonly retried: ReadonlySet<string>;
  /** The newest verdict about this head or what led to it. */
  readonly said: Diagnosed["verdict"] | null;
}

const isTry = ({ diagnosed: { verdict } }: Attempt): boolean => verdict === "repair" || verdict === "rollback";

/**
 * Follows the commits of the attempts back from `head`. A commit of anybody else, or of another workflow, ends it: what was before that
 * is another story.
 * @param attempts newest first
 */
export function pastOf(head: string, attempts: readonly Attempt[]): Past {
  const tries: Attempt[] = [];
  const retried = new Set<string>();
  let used: number | null = null;
  let last: Attempt | null = null;
  let said: Past["said"] = null;
  let cursor = head;
  for (const attempt of attempts) {
    const madeIt = attempt.commit === cursor;
    if (!madeIt && (attempt.commit !== null || attempt.base !== cursor)) break;
    said ??= attempt.diagnosed.verdict === "left" ? null : attempt.diagnosed.verdict;
    if (madeIt && cursor === head) last = attempt;
    if (isTry(attempt)) tries.push(attempt);
    if (attempt.base === head && attempt.diagnosed.verdict === "retry") {
      for (const job of attempt.diagnosed.failed) if (job.retry) retried.add(job.name);
    }
    if (attempt.asked) used ??= tries.length;
    cursor = attempt.base;
  }
  return { tries, used: used ?? tries.length, last, retried, said };
}

function attemptOf(earlier: EarlierRun): Attempt[] {
  if (!earlier.has(diagnosed) || !earlier.has(looked)) return [];
  const proof = earlier.has(proved) ? earlier.output(proved) : null;
  return [
    {
      base: earlier.output(looked).mergeRequest.sha,
      commit: earlier.ref(proved.name, "branch")?.id ?? null,
      diagnosed: earlier.output(diagnosed),
      made: proof === null ? null : { ...proof, kind: earlier.output(repaired).kind },
      asked: earlier.run.target.request !== undefined,
    },
  ];
}

/** What led to the head that this run is about. A person who asks begins a new count. */
export async function readPast(context: StepContext, head: string): Promise<Past> {
  const past = pastOf(head, (await context.earlier(context.run.workflow)).flatMap(attemptOf));
  return context.run.target.request === undefined ? past : { ...past, used: 0 };
}

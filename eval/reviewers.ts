/** The scripted reviewers. One knows what is planted; the others do what reviewers really do wrong. */
import type { z } from "zod";
import type { Review } from "../src/domain/review.ts";
import { reviewingBy, type Seen, type SeenLine } from "../src/stand-ins/model/policies/reviewing.ts";
import type { Policy } from "../src/stand-ins/model/policy.ts";
import type { Defect, ReviewCase } from "./review-case.ts";

type Said = z.input<typeof Review>;
type Finding = NonNullable<Said["findings"]>[number];

/** The line of a defect, as far as the reviewer sees it. */
function seenAt({ lines }: Seen, { path, at }: Defect): SeenLine | undefined {
  return lines.find((line) => line.sign !== "-" && line.path === path && line.text.includes(at));
}

function findingOf(defect: Defect, line: number, more: Partial<Finding> = {}): Finding {
  return {
    path: defect.path,
    from: line,
    to: line + defect.lines - 1,
    kind: defect.kinds[0] ?? "correctness",
    severity: defect.severity,
    confidence: 0.9,
    title: defect.says,
    explanation: defect.words.join(", "),
    ...more,
  };
}

function verdictsOn(seen: Seen, { defects }: ReviewCase): NonNullable<Said["threads"]> {
  return seen.threads.map(({ number, path, text }) => {
    const about = defects.find((defect) => defect.path === path && text.includes(defect.says));
    const verdict = about === undefined ? "cannot_tell" : seenAt(seen, about) === undefined ? "fixed" : "still_there";
    return { thread: number, verdict };
  });
}

function gold(seen: Seen, given: ReviewCase): Said {
  const findings = given.defects.flatMap((defect) => {
    const line = seenAt(seen, defect)?.line;
    return line == null ? [] : [findingOf(defect, line)];
  });
  const criteria = given.acceptanceCriteria.map((criterion) => ({
    criterion,
    verdict: "cannot_tell" as const,
    evidence: "It was not run",
  }));
  return { findings, criteria: seen.ticket === null ? [] : criteria, threads: verdictsOn(seen, given) };
}

/** The same finding as nobody would say it twice: other words, the next line, another weight. */
function reworded(finding: Finding, times: number): Finding {
  const titles = [
    "Have a look at this again",
    "As mentioned, this does not work",
    "Still the same problem here",
    "Please fix",
  ];
  return {
    ...finding,
    from: finding.from + (times % 2),
    to: finding.to + (times % 2),
    title: titles[times % titles.length] ?? "Again",
    severity: times % 2 === 0 ? "blocker" : "major",
  };
}

const reviewers: Readonly<Record<string, (given: ReviewCase) => Policy>> = {
  gold: (given) => reviewingBy((seen) => gold(seen, given)),
  blind: () => reviewingBy(() => ({})),
  /** Has something to say on every line, and is sure of it. */
  noisy: () =>
    reviewingBy((seen) => ({
      findings: seen.lines
        .filter(({ sign, text }) => sign === "+" && text.trim() !== "")
        .slice(0, 40)
        .map(({ path, line, text }) => ({
          path,
          from: line ?? 1,
          to: line ?? 1,
          kind: "maintainability" as const,
          severity: "major" as const,
          confidence: 1,
          title: `Consider to write this in another way: ${text.trim()}`.slice(0, 200),
          explanation: "It could be clearer.",
        })),
    })),
  /** Finds everything, says it in every review anew, and thinks that nothing was ever fixed. */
  parrot: (given) => {
    return reviewingBy((seen) => {
      const { findings = [], ...rest } = gold(seen, given);
      const times = seen.threads.length;
      return {
        ...rest,
        findings: times === 0 ? findings : findings.map((finding, index) => reworded(finding, times + index)),
        threads: seen.threads.map(({ number }) => ({ thread: number, verdict: "cannot_tell" })),
      };
    });
  },
};

/** Names of the scripted reviewers, without the `scripted:` in front. */
export const scriptedReviewers: readonly string[] = Object.keys(reviewers);

/** The scripted reviewer `name` on a case; undefined when there is none of that name. */
export function scriptedReviewer(name: string, given: ReviewCase): Policy | undefined {
  return reviewers[name]?.(given);
}

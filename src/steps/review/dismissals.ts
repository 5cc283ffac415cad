/** What people do not want to hear again on a merge request, and how they say so. */
import { z } from "zod";
import { FindingKind } from "../../domain/review.ts";

/** Findings of this kind in this file are not raised again on the merge request, nor are those of this kind on the same line elsewhere. */
export const Dismissal = z.object({
  kind: FindingKind,
  /** Keys of the path, and of the line with its neighbours; see identity.ts. */
  path: z.string(),
  around: z.string(),
});
export type Dismissal = z.infer<typeof Dismissal>;

const dismissals = [
  /\bwon[’']?t\s*fix\b|\bwontfix\b/,
  /\bnot (?:really )?an? (?:real )?(?:problem|issue|bug|concern)\b|\bno (?:problem|issue) here\b|\bnon-?issue\b/,
  /\b(?:as )?intended\b|\bintentional(?:ly)?\b|\bon purpose\b|\bdeliberate(?:ly)?\b/,
  /\bby design\b|\bas designed\b/,
  /\bfalse (?:positive|alarm)\b/,
  /\bnot (?:relevant|applicable|needed|necessary)\b|\birrelevant\b/,
  /\b(?:that|this|it)(?:[’']s| is) (?:fine|ok|okay|correct|right|expected)\b/,
  /\bignore (?:this|that|it)\b|\bleave (?:it|this|that)(?: as is| alone)?\b/,
  /\bdisagree\b|\byou(?:[’']re| are) wrong\b/,
  /👎|:-1:|:thumbsdown:/,
];
/** "this is not intended", "never by design", "I don't disagree". */
const denial =
  /\b(?:not|never|no longer|isn[’']?t|wasn[’']?t|aren[’']?t|don[’']?t|doesn[’']?t|hardly)\s+(?:\w+\s+){0,2}$/;

/** Whether a note says that a finding is none. Quoted lines and questions say nothing. */
export function isDismissal(body: string): boolean {
  const own = body
    .split("\n")
    .filter((line) => !/^\s*>/.test(line))
    .join("\n")
    .toLowerCase();
  const sentences = own.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => !sentence.trim().endsWith("?"));
  return sentences.some((sentence) =>
    dismissals.some((pattern) => {
      const found = pattern.exec(sentence);
      return found !== null && !denial.test(sentence.slice(0, found.index));
    }),
  );
}

/** What the reviewer hands over. A model fills it in; code decides what of it is said, and where. */
import { z } from "zod";

/** What a fault is about. A closed list: findings are told apart by it from one push to the next. */
export const findingKinds = [
  "correctness",
  "security",
  "data-loss",
  "concurrency",
  "error-handling",
  "performance",
  "api",
  "tests",
  "docs",
  "maintainability",
  "style",
] as const;
export const FindingKind = z.enum(findingKinds);
export type FindingKind = z.infer<typeof FindingKind>;

/** From what must not be merged to what is hardly worth a word. */
export const severities = ["blocker", "major", "minor", "trivia"] as const;
export const Severity = z.enum(severities);
export type Severity = z.infer<typeof Severity>;

const line = z.string().trim().min(1).max(300);

export const ReviewFinding = z.object({
  path: line,
  side: z.enum(["new", "old"]).default("new").describe("old only for removed lines"),
  from: z.number().int().min(1).describe("First line, by the numbers of that side"),
  to: z.number().int().min(1).describe("Last line"),
  kind: FindingKind,
  severity: Severity,
  confidence: z.number().min(0).max(1),
  title: z.string().trim().min(1).max(200).describe("What is wrong, in one sentence"),
  explanation: z.string().trim().min(1).max(2000).describe("When it goes wrong, and what to do"),
  suggestion: z
    .string()
    .max(4000)
    .nullable()
    .default(null)
    .describe("Whole new lines for from..to, indented as they must be; null without"),
});
export type ReviewFinding = z.infer<typeof ReviewFinding>;

export const threadVerdicts = ["still_there", "fixed", "cannot_tell"] as const;

export const Review = z.object({
  findings: z.array(ReviewFinding).max(40).default([]),
  criteria: z
    .array(
      z.object({
        criterion: line.describe("As the ticket says it"),
        verdict: z.enum(["met", "not_met", "cannot_tell"]),
        path: line.nullable().default(null).describe("File that shows it"),
        evidence: line.describe("What in the code shows it"),
      }),
    )
    .max(12)
    .default([]),
  threads: z
    .array(z.object({ thread: z.number().int().min(1), verdict: z.enum(threadVerdicts) }))
    .max(60)
    .default([])
    .describe("One for each open thread in the task, by its number"),
});
export type Review = z.infer<typeof Review>;

/**
 * Typed hand-offs: what one agent gives to the next. A model fills them in; code checks them and decides what they are worth.
 * Every text is capped so that no agent can smuggle a page of instructions to another one.
 */
import { z } from "zod";

const line = z.string().trim().min(1).max(300);
const paragraph = z.string().trim().min(1).max(2000);

/** The analyst's reading of a ticket. */
export const Understanding = z.object({
  summary: paragraph.describe("What is wanted and why, in two or three sentences"),
  kind: z.enum(["feature", "bug", "chore"]),
  acceptanceCriteria: z.array(line).min(1).max(12).describe("Each one checkable by running something"),
  outOfScope: z.array(line).max(12).default([]),
  questions: z.array(line).max(8).default([]).describe("Only what makes the work impossible when unanswered"),
});
export type Understanding = z.infer<typeof Understanding>;

/** How the developer means to do it. */
export const Plan = z.object({
  approach: paragraph,
  files: z.array(z.object({ path: line, change: line })).max(40),
  tests: z.array(line).max(20).default([]),
  risks: z.array(line).max(10).default([]),
});
export type Plan = z.infer<typeof Plan>;

/** What the developer says was done. Code compares it with the diff. */
export const ChangeClaim = z.object({
  title: z.string().trim().min(1).max(120).describe("The change in one imperative sentence, without ticket key"),
  summary: paragraph,
  files: z.array(line).max(200).describe("Every path that was changed"),
  tests: z.array(line).max(40).default([]).describe("Paths of test files added or changed"),
  shownBy: z
    .array(line)
    .max(12)
    .default([])
    .describe("For each criterion, in order, the path of the test that shows it, or none"),
  contradicted: z.array(line).max(20).default([]).describe("Old tests that a criterion contradicts, and which"),
});
export type ChangeClaim = z.infer<typeof ChangeClaim>;

/** The developer's word on one review thread. Whether anything was fixed is for code to see. */
export const ThreadReport = z.object({
  thread: z.number().int().min(1).describe("Number of the thread, starting at 1"),
  outcome: z
    .enum(["fixed", "rebutted", "question"])
    .describe("fixed: the code was changed. rebutted: it stays as it is, and why. question: you cannot decide it"),
  words: paragraph.describe("Reply to the reviewer: what was changed, why not, or what you need to know. No greeting"),
});
export type ThreadReport = z.infer<typeof ThreadReport>;

/** What the developer says about a round of review: one report per thread, and the change as in any claim. */
export const AddressReport = ChangeClaim.extend({
  threads: z.array(ThreadReport).max(40).default([]),
});
export type AddressReport = z.infer<typeof AddressReport>;

/** QA's finding per acceptance criterion. `command` cites a command that QA ran; code looks up how it really ended. */
export const QaReport = z.object({
  criteria: z
    .array(
      z.object({
        /** 1-based number of the criterion in the understanding. */
        criterion: z.number().int().min(1).describe("Number of the criterion, starting at 1"),
        verdict: z.enum(["met", "not_met", "cannot_tell"]),
        command: z.number().int().min(1).nullable().describe("Number of the command that shows it, or null"),
        evidence: line.describe("What in its output shows it"),
      }),
    )
    .max(12),
  notes: z.string().trim().max(2000).default(""),
});
export type QaReport = z.infer<typeof QaReport>;

/** Why jobs of a pipeline failed. Code looks the evidence up in the log. */
export const Diagnosis = z.object({
  jobs: z
    .array(
      z.object({
        job: z.string().trim().min(1).max(300).describe("Name of the job"),
        class: z
          .enum(["ours", "flaky", "infrastructure"])
          .describe(
            "ours: the code is at fault. flaky: it fails now and then on the same code. infrastructure: runner, network",
          ),
        cause: line.describe("What went wrong, in one sentence for a person"),
        evidence: line.describe("The line of the log that shows it, copied exactly"),
      }),
    )
    .max(20),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** The writer's page: prose only, the facts around it are rendered by code. */
export const PageDraft = z.object({
  title: z.string().trim().min(1).max(120),
  summary: paragraph,
  sections: z
    .array(z.object({ heading: line, markdown: z.string().trim().min(1).max(6000) }))
    .min(1)
    .max(10),
});
export type PageDraft = z.infer<typeof PageDraft>;

/**
 * What the steps found out, read from their outputs as they lie in the database. Tolerant on purpose: rows may be years old or
 * of a workflow that this version does not know, and a page that shows less is better than none.
 */
import { z } from "zod";
import type { StepRow } from "../../store/steps.ts";

const texts = z.array(z.string()).catch([]);

const Understood = z.object({
  understanding: z.object({
    summary: z.string(),
    kind: z.string().catch(""),
    acceptanceCriteria: texts,
    outOfScope: texts,
    questions: texts,
  }),
  ticket: z.object({ summary: z.string(), url: z.string().catch("") }),
  targetBranch: z.string().catch(""),
  base: z.string().catch(""),
});

const Planned = z.object({
  approach: z.string(),
  files: z.array(z.object({ path: z.string(), change: z.string() })).catch([]),
  risks: texts,
});

const Implemented = z.object({
  claim: z.object({ title: z.string(), summary: z.string() }),
  patch: z.string(),
  disagreements: z.array(z.object({ path: z.string(), problem: z.string() })).catch([]),
});

const Verified = z.object({
  tests: z.object({ status: z.enum(["passed", "failed", "not_run"]), command: z.string(), detail: z.string() }),
  proof: z
    .array(
      z.object({
        criterion: z.string(),
        verdict: z.enum(["met", "not_met", "cannot_tell"]),
        command: z.string().nullable(),
        exitCode: z.number().nullable(),
        evidence: z.string(),
      }),
    )
    .catch([]),
  notes: z.string().catch(""),
});

export interface Findings {
  readonly understood: z.infer<typeof Understood> | null;
  readonly planned: z.infer<typeof Planned> | null;
  readonly implemented: z.infer<typeof Implemented> | null;
  readonly verified: z.infer<typeof Verified> | null;
}

/** Reads what is there; null for what is missing or has another shape. */
export function readFindings(steps: readonly StepRow[]): Findings {
  const read = <T>(step: string, schema: z.ZodType<T>): T | null =>
    schema.safeParse(steps.find((row) => row.step === step)?.output).data ?? null;
  return {
    understood: read("understand", Understood),
    planned: read("plan", Planned),
    // As it is now: a review or `verify` may have had it mended, and QA adds tests.
    implemented:
      read("verify", z.object({ change: Implemented }))?.change ??
      read("self-review", z.object({ change: Implemented }))?.change ??
      read("address", Implemented) ??
      read("implement", Implemented),
    verified: read("verify", Verified),
  };
}

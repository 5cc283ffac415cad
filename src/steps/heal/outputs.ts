/** What the steps that heal a pipeline keep, for each other and for later runs on the same merge request. */
import { z } from "zod";
import { Developed, TestResult } from "../outputs.ts";

/** `infrastructure`: runner, network, settings of the CI. `not_ours`: it fails without the merge request, too. */
export const JobClass = z.enum(["ours", "flaky", "infrastructure", "not_ours"]);
export type JobClass = z.infer<typeof JobClass>;

/**
 * What a class rests on.
 *   reason    what GitLab gives as the reason
 *   log       lines that runners and networks write
 *   target    the same job is red on the target branch
 *   before    the same tests are red without the merge request
 *   sandbox   the same tests fail and pass on the same code
 *   agent     the agent, with a line that is in the log
 *   nothing   nobody could tell: taken as ours
 */
export const Ground = z.enum(["reason", "log", "target", "before", "sandbox", "agent", "nothing"]);
export type Ground = z.infer<typeof Ground>;

/** A failed job, and why it failed. What comes from the log has its secrets taken out. */
export const FailedJob = z.object({
  id: z.number().int(),
  name: z.string(),
  url: z.string(),
  class: JobClass,
  by: Ground,
  /** GitLab's reason, or the agent's words; may be empty. */
  cause: z.string(),
  /** A line of the log; may be empty. Outside text. */
  evidence: z.string(),
  /** Another try may help. */
  retry: z.boolean(),
  /** It was run once more at this commit, and failed again. */
  again: z.boolean(),
  /** Failed tests, as far as the log names them. Outside text. */
  tests: z.array(z.string()),
  /** The end of the log. Outside text. */
  tail: z.string(),
});
export type FailedJob = z.infer<typeof FailedJob>;

/**
 * What is to be done about a pipeline.
 *   left      nothing: it is not our turn, or there is no verdict yet
 *   green     it succeeded
 *   retry     jobs are run once more
 *   explain   it is not for us to mend
 *   repair    the developer tries
 *   rollback  our last repair made it worse and is taken back
 *   handover  we have tried often enough
 */
export const Verdict = z.enum(["left", "green", "retry", "explain", "repair", "rollback", "handover"]);
export type Verdict = z.infer<typeof Verdict>;

export const diagnosed = {
  name: "diagnose",
  output: z.object({
    verdict: Verdict,
    pipeline: z.object({ id: z.number().int(), url: z.string(), status: z.string() }).nullable(),
    /** Every job that counts, for comparison with the pipeline after a repair. */
    jobs: z.array(z.object({ name: z.string(), status: z.string() })),
    failed: z.array(FailedJob),
    /** Tries before this one, since a person last pushed or asked. */
    tries: z.number().int(),
    /** Jobs that are red because of our last repair. */
    worse: z.array(z.string()),
  }),
};
export type Diagnosed = z.infer<typeof diagnosed.output>;

/** A repair, or the patch that takes one back. The patch is empty when there is nothing to push. */
export const repaired = { name: "repair", output: Developed.extend({ kind: z.enum(["repair", "rollback"]) }) };

/** Why a repair was not pushed; null: it was. `moved`: somebody pushed or closed first. `details` are names, or outside text. */
export const Hindrance = z.object({
  kind: z.enum(["nothing", "refused", "red", "weakened", "moved"]),
  details: z.array(z.string()),
});

/** The newest state of the repair, as it was judged by code. */
export const proved = {
  name: "prove",
  output: z.object({
    hindrance: Hindrance.nullable(),
    title: z.string(),
    summary: z.string(),
    /** What was pushed, against the head that it was made on; empty when nothing was. */
    patch: z.string(),
    /** Null: they were not asked, since the tree is one that was there before. */
    tests: TestResult.nullable(),
    /** What a person should look at. */
    remarks: z.array(z.string()),
  }),
};

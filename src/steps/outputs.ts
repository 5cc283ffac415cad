/** What each step of a run keeps for the later ones: name and shape, as it lies in the database. */
import { z } from "zod";
import { ChangeClaim, Plan, Understanding } from "../domain/handoff.ts";
import type { CommandResult } from "../domain/ports.ts";
import { redact } from "../platform/redact.ts";
import { RepositoryRules } from "./rules/ticketsmith-file.ts";

/** A command that was run, as outputs keep it. */
export const CommandNote = z.object({
  command: z.string(),
  /** null when it was killed. */
  exitCode: z.number().int().nullable(),
  timedOut: z.boolean(),
  durationMs: z.number(),
  /** Processor time of all its processes, and the most memory that was seen; null when not known. */
  cpuMs: z.number().nullable().default(null),
  peakBytes: z.number().nullable().default(null),
  /** Last part of what it printed. */
  tail: z.string(),
});
export type CommandNote = z.infer<typeof CommandNote>;

/** Shortens a command's result for keeping. */
export function noteCommand(result: CommandResult): CommandNote {
  const printed = [result.stdout, result.stderr].filter((text) => text.trim() !== "").join("\n");
  return {
    command: redact(result.argv.join(" ")),
    exitCode: result.exitCode,
    timedOut: result.timedOut,
    durationMs: result.durationMs,
    cpuMs: result.usage?.cpuMs ?? null,
    peakBytes: result.usage?.peakBytes ?? null,
    // Before it is cut: half a secret has no shape any more.
    tail: redact(printed).slice(-2000),
  };
}

export const TestResult = z.object({
  status: z.enum(["passed", "failed", "not_run"]),
  command: z.string(),
  /** How it ended, or why it was not run, for people. */
  detail: z.string(),
  /** Failed and passed on the same code. Counts as failed. */
  flaky: z.boolean().default(false),
  /** Names of failed tests, as far as the runner told. */
  failures: z.array(z.string()).default([]),
});
export type TestResult = z.infer<typeof TestResult>;

const Proof = z.object({
  criterion: z.string(),
  verdict: z.enum(["met", "not_met", "cannot_tell"]),
  command: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  evidence: z.string(),
});
export type Proof = z.infer<typeof Proof>;

export const understood = {
  name: "understand",
  output: z.object({
    understanding: Understanding,
    ticket: z.object({ key: z.string(), url: z.string(), summary: z.string() }),
    repository: z.object({
      id: z.number(),
      path: z.string(),
      url: z.string(),
      cloneUrl: z.string(),
      defaultBranch: z.string(),
    }),
    /** Branch that the merge request goes to, and its head when the run began: everything is built on that commit. */
    targetBranch: z.string(),
    base: z.string(),
    /** What the repository says about itself: settings of its default branch, and the `AGENTS.md` at its root. */
    rules: RepositoryRules.prefault({}),
    guide: z.string().default(""),
  }),
};

export const planned = { name: "plan", output: Plan };

/** A change as it left the developer's workspace. */
export const Change = z.object({
  claim: ChangeClaim,
  /** Against the run's base commit. */
  patch: z.string(),
  changed: z.array(z.object({ path: z.string(), status: z.string() })),
  disagreements: z.array(z.object({ path: z.string(), problem: z.string() })),
  /** What a reviewer should look at because it may be a secret. */
  suspicions: z.array(z.string()).default([]),
});
export type Change = z.infer<typeof Change>;

/** A merge that a change completes: what git made of it, and where somebody has to decide. */
export const Merging = z.object({
  /** The branch that is merged, its commit, and the commit that both sides come from. */
  branch: z.string(),
  of: z.string(),
  base: z.string(),
  /** Against the run's base commit, conflicts marked. */
  patch: z.string(),
  conflicts: z.array(z.object({ path: z.string(), kind: z.enum(["contents", "deleted", "other"]) })),
});
export type Merging = z.infer<typeof Merging>;

/** What comes out of a developer's work. On a merge request its patch may be empty: then nothing was to be changed, and the claim says why. */
export const Developed = Change.extend({
  commands: z.array(CommandNote),
  /** Patch of the last state in which the developer saw the tests pass. Null: there was none, or it is the change itself. */
  lastGood: z.string().nullable().default(null),
  /** What the developer was asked for, where that is more than the first step of the run could know. */
  wanted: Understanding.nullable().default(null),
  merge: Merging.nullable().default(null),
});
export type Developed = z.infer<typeof Developed>;

export const implemented = { name: "implement", output: Developed };

const Remark = z.object({ path: z.string(), problem: z.string() });

/** What code found out about a change, besides whether its tests pass. */
export const Checks = z.object({
  /** The tests as they were before, run on the changed code. Null: the change touches none of them, so they ran anyway. */
  originals: TestResult.nullable().default(null),
  /** Ways in which the tests say less than before. */
  weakened: z.array(Remark).default([]),
  /** Tests that QA wrote. Those that passed are part of the change. */
  qaTests: z
    .array(
      z.object({
        path: z.string(),
        status: z.enum(["passed", "failed", "left_out"]),
        /** Whether it fails without the change. */
        showsChange: z.enum(["yes", "no", "unknown"]),
      }),
    )
    .default([]),
  /** Whether anything that was run fails without the change. `not_asked` where behaviour is to stay as it is. */
  showsChange: z.enum(["yes", "no", "unknown", "not_asked"]).default("unknown"),
  /** Of the changed lines that can be executed, those that the tests did execute. */
  coverage: z
    .object({ covered: z.number(), total: z.number(), missing: z.array(z.string()).readonly() })
    .nullable()
    .default(null),
  /** What the rules of the policy are about. */
  findings: z.array(Remark.extend({ rule: z.string(), action: z.enum(["refuse", "park"]) })).default([]),
  /** The tests are red without the change, too. */
  redBefore: z.boolean().default(false),
  /** Of the tests that are red, those that are not without the change. Null: not known, or none was red before. */
  newlyRed: z.array(z.string()).nullable().default(null),
  /** The developer's last edits made the tests fail and were taken back. */
  rolledBack: z.boolean().default(false),
  /** How the repository's own linter ended on the change. Null: it has none that is known. */
  lint: TestResult.nullable().default(null),
  /** How often the developer was asked to mend the change. */
  rounds: z.number().int().default(0),
});
export type Checks = z.infer<typeof Checks>;

export const verified = {
  name: "verify",
  output: z.object({
    tests: TestResult,
    proof: z.array(Proof),
    commands: z.array(CommandNote),
    notes: z.string(),
    checks: Checks.prefault({}),
    /** The change as it is now: mended, and with QA's tests. Null: as the developer handed it over. */
    change: Change.nullable().default(null),
  }),
};

export const published = { name: "publish", output: z.object({ branch: z.string(), title: z.string() }) };

/** Null when no page was wanted. */
export const documented = { name: "document", output: z.object({ title: z.string() }).nullable() };

export const reported = { name: "report", output: z.object({ green: z.boolean() }) };

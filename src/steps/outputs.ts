/** What each step of a run keeps for the later ones: name and shape, as it lies in the database. */
import { z } from "zod";
import { ChangeClaim, Plan, Understanding } from "../domain/handoff.ts";
import type { CommandResult } from "../domain/ports.ts";
import { redact } from "../platform/redact.ts";

/** A command that was run, as outputs keep it. */
export const CommandNote = z.object({
  command: z.string(),
  /** null when it was killed. */
  exitCode: z.number().int().nullable(),
  timedOut: z.boolean(),
  durationMs: z.number(),
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
    // Before it is cut: half a secret has no shape any more.
    tail: redact(printed).slice(-2000),
  };
}

export const TestResult = z.object({
  status: z.enum(["passed", "failed", "not_run"]),
  command: z.string(),
  /** How it ended, or why it was not run, for people. */
  detail: z.string(),
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
  }),
};

export const planned = { name: "plan", output: Plan };

export const implemented = {
  name: "implement",
  output: z.object({
    claim: ChangeClaim,
    /** Against the run's base commit. */
    patch: z.string(),
    changed: z.array(z.object({ path: z.string(), status: z.string() })),
    disagreements: z.array(z.object({ path: z.string(), problem: z.string() })),
    /** What a reviewer should look at because it may be a secret. */
    suspicions: z.array(z.string()).default([]),
    commands: z.array(CommandNote),
  }),
};

export const verified = {
  name: "verify",
  output: z.object({ tests: TestResult, proof: z.array(Proof), commands: z.array(CommandNote), notes: z.string() }),
};

export const published = { name: "publish", output: z.object({ branch: z.string(), title: z.string() }) };

/** Null when no page was wanted. */
export const documented = { name: "document", output: z.object({ title: z.string() }).nullable() };

export const reported = { name: "report", output: z.object({ green: z.boolean() }) };

/** Tests that QA wrote: run by code, and kept only when they pass on the changed code without weakening anything. */
import type { Workspace } from "../../domain/ports.ts";
import { judgeDiff } from "../change/diff-policy.ts";
import { findSabotage } from "../change/sabotage.ts";
import type { Change, Checks } from "../outputs.ts";
import type { StepContext } from "../step.ts";
import { testCommand } from "../test-command.ts";
import type { Assessment } from "./assess.ts";
import { runSuite, type SuiteRun } from "./suite.ts";
import { readChange } from "./trees.ts";

export type OwnTest = Checks["qaTests"][number];

/** Runners that take the files to run behind their command. */
const takesFiles: readonly RegExp[] = [
  /^node --test(?: --[\w=-]+)*$/,
  /^(?:python3? -m )?pytest(?: -\S+)*$/,
  /^npx (?:vitest run|jest|mocha)(?: --[\w=-]+)*$/,
];

/** The command that runs one test file only, or null where the runner is not known to take files. */
export function commandFor(argv: readonly string[], file: string): readonly string[] | null {
  const command = argv.join(" ");
  if (takesFiles.some((known) => known.test(command))) return [...argv, file];
  if (/^go test(?: -\S+)* \.\/\.\.\.$/.test(command)) {
    return [...argv.slice(0, -1), `./${file.split("/").slice(0, -1).join("/")}`];
  }
  return null;
}

export interface OwnTests {
  readonly tests: readonly OwnTest[];
  /** The change with those that passed; null when none was kept. */
  readonly kept: { readonly change: Change; readonly suite: SuiteRun } | null;
}

/** Judges QA's files in `workspace` (the changed tree, with them in it). `written` are their paths. */
export async function judgeOwnTests(
  context: StepContext,
  workspace: Workspace,
  before: Assessment,
  written: readonly string[],
): Promise<OwnTests> {
  const all = (status: OwnTest["status"]): OwnTest[] =>
    written.map((path) => ({ path, status, showsChange: "unknown" }));
  if (written.length === 0) return { tests: [], kept: null };
  // On red code nothing can be said about new tests.
  if (before.tests.status !== "passed") return { tests: all("left_out"), kept: null };
  const patch = await workspace.diff();
  const files = (await readChange(patch, workspace.root)).filter(({ path }) => written.includes(path));
  const faults = [...findSabotage(files), ...judgeDiff(files, context.services.policy.policy.changes)];
  const isTooLarge = Buffer.byteLength(patch) > context.services.policy.policy.maxPatchBytes;
  if (faults.length > 0 || isTooLarge) return { tests: all("left_out"), kept: null };
  const argv = await testCommand(context.project, workspace.root);
  const suite = await runSuite(context, workspace.root, argv);
  if (suite.result.status !== "passed") return { tests: all("failed"), kept: null };
  const change = { ...before.change, patch, changed: await workspace.changedFiles() };
  return { tests: all("passed"), kept: { change, suite } };
}

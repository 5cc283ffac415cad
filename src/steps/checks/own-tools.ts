/** The repository's own linter and formatter, run by code in the sandbox. What the linter says is a fact for people, not a judge. */

import { z } from "zod";
import type { CommandResult, Workspace } from "../../domain/ports.ts";
import { Refusal } from "../../workspace/paths.ts";
import { readInside, writeInside } from "../../workspace/tree.ts";
import { groundOf } from "../ground.ts";
import type { TestResult } from "../outputs.ts";
import type { StepContext } from "../step.ts";

const Scripts = z.object({ scripts: z.object({ lint: z.string() }) });

/** The lint command: what the repository's settings say, else a script of that name. Null when there is none. */
async function lintCommand(context: StepContext, root: string): Promise<readonly string[] | null> {
  const { rules } = groundOf(context);
  if (rules.lint !== undefined) return rules.lint;
  try {
    const manifest: unknown = JSON.parse((await readInside(root, "package.json", 1_000_000)).toString("utf8"));
    return Scripts.safeParse(manifest).success ? ["npm", "run", "--silent", "lint"] : null;
  } catch (error) {
    // No manifest, or one that is no JSON: then it names no linter.
    if (error instanceof Refusal || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function runInSandbox(
  context: StepContext,
  root: string,
  argv: readonly string[],
  collect: readonly string[] = [],
): Promise<CommandResult | null> {
  const { sandbox, policy } = context.services;
  if ((await sandbox.status()).kind === "none") return null;
  const timeoutMs = policy.policy.commandSeconds * 1000;
  return sandbox.run({
    directory: root,
    argv,
    timeoutMs,
    signal: context.signal,
    ...(collect.length === 0 ? {} : { collect }),
  });
}

/** 126 and 127 are the shell's words for a program that is not there; linters are often installed with the dependencies. */
const isMissing = (result: CommandResult): boolean => result.exitCode === 126 || result.exitCode === 127;

/** Runs the repository's linter on a tree. Null when it has none that is known, or nothing can be run. */
export async function runLint(context: StepContext, root: string): Promise<TestResult | null> {
  const argv = await lintCommand(context, root);
  const result = argv && (await runInSandbox(context, root, argv));
  if (argv === null || result === null) return null;
  const about = { command: argv.join(" "), flaky: false, failures: [] };
  const seconds = `${(result.durationMs / 1000).toFixed(1)} s`;
  if (isMissing(result)) return { ...about, status: "not_run", detail: "the program is not installed" };
  if (result.timedOut) return { ...about, status: "failed", detail: `stopped after ${seconds}` };
  const ended = `exit ${result.exitCode ?? "by signal"} after ${seconds}`;
  return { ...about, status: result.exitCode === 0 ? "passed" : "failed", detail: ended };
}

/** Files that are brought back from one run of the formatter. */
const mostFormatted = 100;

/**
 * Runs the repository's formatter on a copy of the tree and takes over what it made of the changed files; all others stay as they are.
 * Nothing happens when no formatter is set, or it fails.
 */
export async function formatChange(context: StepContext, workspace: Workspace): Promise<void> {
  const { format } = groundOf(context).rules;
  if (format === undefined) return;
  const changed = (await workspace.changedFiles()).filter(({ status }) => status !== "D").map((file) => file.path);
  if (changed.length === 0 || changed.length > mostFormatted) return;
  const result = await runInSandbox(context, workspace.root, format, changed);
  if (result === null || result.exitCode !== 0) {
    if (result !== null) context.log.info("the repository's formatter failed", { exitCode: result.exitCode });
    return;
  }
  for (const [file, text] of Object.entries(result.files ?? {})) {
    const before = (await readInside(workspace.root, file, Number.MAX_SAFE_INTEGER)).toString("utf8");
    if (before !== text) await writeInside(workspace.root, file, text);
  }
}

/** Whether what was run says anything about the change: the same commands on the old code, with the new tests laid over it. */

import type { QaReport } from "../../domain/handoff.ts";
import type { CommandResult, Workspace } from "../../domain/ports.ts";
import { isTestFile } from "../../domain/test-file.ts";
import type { ChangedFile } from "../change/patch.ts";
import type { Checks } from "../outputs.ts";
import type { StepContext } from "../step.ts";

/** Whether something fails without the change. */
export type Answer = Checks["qaTests"][number]["showsChange"];

/** The commands that are cited for "met", each once. */
export function citedCommands(report: QaReport, commands: readonly CommandResult[]): readonly CommandResult[] {
  const numbers = report.criteria.flatMap(({ verdict, command }) =>
    verdict === "met" && command !== null ? [command] : [],
  );
  const cited = [...new Set(numbers)].flatMap((number) => commands[number - 1] ?? []);
  const seen = new Set<string>();
  return cited.filter(({ argv, exitCode }) => {
    const key = JSON.stringify(argv);
    return exitCode === 0 && !seen.has(key) && seen.add(key);
  });
}

/** Whether the change has tests within code files, as in Rust: they are not on the old code, so nothing can be told from its success. */
export function hasInlineTests(files: readonly ChangedFile[]): boolean {
  return files.some(
    (file) =>
      !isTestFile(file.path) && file.added.some(({ text }) => /#\[(?:\w+::)*test\b|#\[cfg\(test\)\]/.test(text)),
  );
}

/** How a command ends on the old code: "yes" when it fails there, so that its success is due to the change. */
export async function failsWithout(
  context: StepContext,
  oldCode: Workspace,
  argv: readonly string[],
  inlineTests: boolean,
): Promise<Answer> {
  const result = await context.services.sandbox.run({
    directory: oldCode.root,
    argv,
    timeoutMs: context.services.policy.policy.commandSeconds * 1000,
    signal: context.signal,
  });
  if (result.timedOut || result.exitCode === null) return "unknown";
  if (result.exitCode !== 0) return "yes";
  return inlineTests ? "unknown" : "no";
}

/** "yes" when anything shows the change, "no" when nothing that was run does, or nothing was run. */
export function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes("yes")) return "yes";
  return answers.includes("unknown") ? "unknown" : "no";
}

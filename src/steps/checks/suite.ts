/** Runs tests by code. What comes out is decided by exit codes; what the runner prints can only make it worse. */
import type { CommandResult } from "../../domain/ports.ts";
import { redact } from "../../platform/redact.ts";
import type { TestResult } from "../outputs.ts";
import { installPackages, missingPackages } from "../packages.ts";
import type { StepContext } from "../step.ts";
import { countTests, readJunit, type TestCounts } from "./counts.ts";

export interface SuiteRun {
  readonly result: TestResult;
  /** What the last run printed: its end, where runners say what failed. */
  readonly output: string;
  /** The coverage report as the runner left it, if one is configured and was written. */
  readonly coverage: string | null;
}

const mostOutput = 6000;

function seconds(result: CommandResult): string {
  return `${(result.durationMs / 1000).toFixed(1)} s`;
}

function howItEnded(result: CommandResult): string {
  if (result.timedOut) return `stopped after ${seconds(result)}`;
  return `exit ${result.exitCode ?? "by signal"} after ${seconds(result)}`;
}

function tally(counts: TestCounts | null): string {
  if (counts === null || counts.total === 0) return "";
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  const failed = counts.failed === 0 ? "" : `, ${counts.failed} failed`;
  return `; ${counts.passed} passed${failed}${skipped}`;
}

/** What one run of the test command shows. */
export function judgeRun(command: string, result: CommandResult, junit: string | undefined): TestResult {
  const counts = countTests(`${result.stdout}\n${result.stderr}`, junit);
  const ended = howItEnded(result);
  const about = { command, flaky: false, failures: [...(counts?.failures ?? [])] };
  if (result.timedOut || result.exitCode !== 0)
    return { status: "failed", detail: `${ended}${tally(counts)}`, ...about };
  // A command may end with 0 although tests failed (`|| true`): its report knows. And a run without tests shows nothing.
  const reported = junit === undefined ? null : readJunit(junit);
  if (reported !== null && reported.failed > 0) {
    return { status: "failed", detail: `${ended}, but its report has ${reported.failed} failed tests`, ...about };
  }
  if (counts !== null && counts.passed + counts.failed === 0) {
    const what = counts.skipped > 0 ? `all ${counts.skipped} tests were skipped` : "no test was run";
    return { status: "failed", detail: `${ended}, but ${what}`, ...about };
  }
  return { status: "passed", detail: `${ended}${tally(counts)}`, ...about, failures: [] };
}

async function runOnce(context: StepContext, directory: string, argv: readonly string[]) {
  const { policy, sandbox } = context.services;
  const reports = context.project.reports ?? {};
  const collect = [reports.junit, reports.coverage].filter((path) => path !== undefined);
  const result = await sandbox.run({
    directory,
    argv,
    timeoutMs: policy.policy.commandSeconds * 1000,
    signal: context.signal,
    ...(collect.length === 0 ? {} : { collect }),
  });
  const file = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : result.files?.[path];
  return {
    ended: howItEnded(result),
    timedOut: result.timedOut,
    judged: judgeRun(argv.join(" "), result, file(reports.junit)),
    output: redact([result.stdout, result.stderr].filter((text) => text.trim() !== "").join("\n")).slice(-mostOutput),
    coverage: file(reports.coverage) ?? null,
  };
}

/**
 * Runs a test command on a copy of `directory`. A failure is looked at a second time: tests that pass the next moment are flaky, which
 * counts as failed. "Not run" when there is no sandbox or no command is known.
 */
export async function runSuite(
  context: StepContext,
  directory: string,
  argv: readonly string[] | null,
): Promise<SuiteRun> {
  const notRun = (command: string, detail: string): SuiteRun => ({
    result: { status: "not_run", command, detail, flaky: false, failures: [] },
    output: "",
    coverage: null,
  });
  if (argv === null) {
    return notRun("", `no test command is known: set projects.${context.run.target.project}.test`);
  }
  const status = await context.services.sandbox.status();
  if (status.kind === "none") return notRun(argv.join(" "), `no sandbox: ${status.reason}`);
  const packages = missingPackages(await installPackages(context, directory));
  const first = await runOnce(context, directory, argv);
  // A run into the time limit is long enough once.
  if (first.judged.status === "passed" || first.timedOut) {
    return { result: first.judged, output: first.output, coverage: first.coverage };
  }
  const second = await runOnce(context, directory, argv);
  if (second.judged.status !== "passed") {
    const { detail } = second.judged;
    const result = { ...second.judged, detail: packages === "" ? detail : `${detail}; ${packages}` };
    return { result, output: second.output, coverage: second.coverage };
  }
  const detail = `flaky: ${first.ended}, then ${second.ended} on the same code`;
  return { result: { ...first.judged, flaky: true, detail }, output: first.output, coverage: second.coverage };
}

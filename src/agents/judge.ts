/** Code's verdict on what agents say: pure functions that compare words with exit codes and with the diff. */
import type { ChangeClaim, QaReport } from "../domain/handoff.ts";
import type { CommandResult } from "../domain/ports.ts";

export type Finding = QaReport["criteria"][number];

/** One acceptance criterion and what shows whether it is met. Goes into tickets, merge requests and pages as it stands. */
export type Proof = {
  readonly criterion: string;
  readonly verdict: Finding["verdict"];
  /** The cited command as one would type it, or null. */
  readonly command: string | null;
  /** null when there is no command or it was killed. */
  readonly exitCode: number | null;
  /** The agent's words, or ours where there were none worth keeping. */
  readonly evidence: string;
};

/** A command as one would type it in a shell. */
export function commandText(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}

/** Of several findings on one criterion the gloomiest counts. */
const gloom: Readonly<Record<Finding["verdict"], number>> = { not_met: 2, cannot_tell: 1, met: 0 };

function gloomiest(findings: readonly Finding[]): Finding | undefined {
  return findings.toSorted((a, b) => gloom[b.verdict] - gloom[a.verdict])[0];
}

/** "met" has to be earned by a command that ended well; the other verdicts are taken at their word. */
function earned(finding: Finding, command: CommandResult | undefined): Pick<Proof, "verdict" | "evidence"> {
  if (finding.verdict !== "met") return finding;
  if (finding.command === null) return { verdict: "cannot_tell", evidence: "no command was named that shows it" };
  if (command === undefined) return { verdict: "cannot_tell", evidence: `there is no command ${finding.command}` };
  if (command.timedOut || command.exitCode === null) {
    return { verdict: "cannot_tell", evidence: "the command that should show it did not finish" };
  }
  if (command.exitCode !== 0) return { verdict: "not_met", evidence: "the command that should show it failed" };
  return finding;
}

/**
 * One proof per acceptance criterion, in their order. `commands` are those that really ran, cited by number from 1.
 * "met" stands only if the cited command exists, finished and exited 0; a criterion that the report leaves out cannot be told.
 */
export function judgeQa(
  report: QaReport,
  criteria: readonly string[],
  commands: readonly CommandResult[],
): readonly Proof[] {
  return criteria.map((criterion, index) => {
    const finding = gloomiest(report.criteria.filter((each) => each.criterion === index + 1));
    if (finding === undefined) {
      return { criterion, verdict: "cannot_tell", command: null, exitCode: null, evidence: "it was not looked at" };
    }
    const command = finding.command === null ? undefined : commands[finding.command - 1];
    const { verdict, evidence } = earned(finding, command);
    return {
      criterion,
      verdict,
      command: command === undefined ? null : commandText(command.argv),
      exitCode: command?.exitCode ?? null,
      evidence,
    };
  });
}

/** The same proofs where what showed them is not to be trusted: nothing is "met" any more, for that reason. */
export function doubted(proof: readonly Proof[], why: string): readonly Proof[] {
  return proof.map((row) => (row.verdict === "met" ? { ...row, verdict: "cannot_tell", evidence: why } : row));
}

/** Something on which the developer's words and the diff differ. */
export type Disagreement = {
  /** A path, or `criterion 2`. */
  readonly path: string;
  readonly problem: string;
};

function normal(path: string): string {
  return path
    .trim()
    .replaceAll("\\", "/")
    .replace(/^(?:\.?\/)+/, "");
}

/** The tests that are claimed to show the criteria, in their order; null where there is none. */
export function claimedTests(claim: ChangeClaim): readonly (string | null)[] {
  return claim.shownBy.map((test) => (/^(?:none|null|-|n\/a)$/i.test(test) ? null : normal(test)));
}

/** What is wrong with them. Silence about a criterion counts only once others are named. */
function checkCriteria(claim: ChangeClaim, count: number, exists: (path: string) => boolean): Disagreement[] {
  const tests = claimedTests(claim);
  if (tests.length === 0) return [];
  return Array.from({ length: Math.max(count, tests.length) }, (_, index) => index).flatMap((index): Disagreement[] => {
    const name = `criterion ${index + 1}`;
    const test = tests[index];
    if (index >= count) return [{ path: name, problem: "claimed, but there is none of that number" }];
    if (test === undefined) return [{ path: name, problem: "not mentioned" }];
    if (test === null) return [{ path: name, problem: "no test shows it" }];
    return exists(test) ? [] : [{ path: test, problem: `said to show ${name}, but is not there` }];
  });
}

/**
 * Compares a claim with what git says changed, and with the tree: claimed paths (files and tests), and the tests that shall show the
 * criteria, of which there are `count`. Sorted by path; empty when they agree.
 */
export function checkClaim(
  claim: ChangeClaim,
  changed: readonly { readonly path: string; readonly status: string }[],
  tree: { readonly count: number; readonly exists: (path: string) => boolean } = { count: 0, exists: () => true },
): readonly Disagreement[] {
  const claimed = new Set([...claim.files, ...claim.tests].map(normal));
  const actual = new Set(changed.map((file) => normal(file.path)));
  const unchanged = [...claimed].filter((path) => !actual.has(path));
  const silent = [...actual].filter((path) => !claimed.has(path));
  return [
    ...unchanged.map((path) => ({ path, problem: "said to be changed, but is not" })),
    ...silent.map((path) => ({ path, problem: "changed, but not mentioned" })),
    ...checkCriteria(claim, tree.count, tree.exists),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

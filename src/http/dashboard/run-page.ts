/** The page of one run. */
import { isEnd, type Run } from "../../domain/run.ts";
import { asCount, asUsd } from "../../platform/template-text.ts";
import type { ProgressRow, TurnRow } from "../../store/steps.ts";
import type { RunRecord } from "../records.ts";
import { type Findings, readFindings } from "./findings.ts";
import { type LedgerLine, readLedger, resultLinks } from "./ledger.ts";
import { type PatchFile, readPatch } from "./patch.ts";
import { type Activity, readActivity, readTimeline, type TimelineStep } from "./timeline.ts";
import { type Conversation, readTranscript } from "./transcript.ts";
import { duration, type Pill, runPills, subjectName, ticketAddress } from "./words.ts";

interface ProofLine {
  readonly criterion: string;
  readonly pill: Pill;
  readonly command: string;
  readonly exit: string;
  readonly evidence: string;
}

export interface RunPage {
  readonly id: string;
  readonly ticket: string;
  readonly ticketUrl: string | null;
  readonly summary: string;
  readonly pill: Pill;
  readonly reason: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly links: readonly { readonly label: string; readonly url: string }[];
  readonly mayStop: boolean;
  readonly stopping: boolean;
  /** Whether there is more to come, so that the page listens. */
  readonly live: boolean;
  /** Id of the newest progress that the page shows. */
  readonly seen: string;
  readonly timeline: readonly TimelineStep[];
  readonly activity: readonly Activity[];
  readonly understanding: NonNullable<Findings["understood"]>["understanding"] | null;
  readonly plan: Findings["planned"];
  readonly tests: { readonly pill: Pill; readonly command: string; readonly detail: string } | null;
  readonly proof: readonly ProofLine[];
  readonly notes: string;
  readonly change: {
    readonly title: string;
    readonly summary: string;
    readonly files: readonly PatchFile[];
    readonly disagreements: readonly { readonly path: string; readonly problem: string }[];
  } | null;
  readonly ledger: readonly LedgerLine[];
  readonly transcript: readonly Conversation[];
  /** Sections that are not there (yet), in words. */
  readonly missing: readonly string[];
}

const testPills = {
  passed: { text: "passed", tone: "good" },
  failed: { text: "failed", tone: "bad" },
  not_run: { text: "not run", tone: "look" },
} as const satisfies Record<string, Pill>;

const proofPills = {
  met: { text: "met", tone: "good" },
  not_met: { text: "not met", tone: "bad" },
  cannot_tell: { text: "not shown", tone: "look" },
} as const satisfies Record<string, Pill>;

function factsOf(run: Run, found: Findings, now: Date): RunPage["facts"] {
  const until = (isEnd(run.state) ? run.endedAt : null) ?? now;
  const { targetBranch = "", base = "" } = found.understood ?? {};
  return [
    { label: "Workflow", value: run.workflow },
    { label: "Repository", value: run.target.repository },
    { label: "Built on", value: [targetBranch, base.slice(0, 8)].filter((part) => part !== "").join(" @ ") },
    { label: isEnd(run.state) ? "Took" : "Running for", value: duration(until.getTime() - run.createdAt.getTime()) },
    { label: "Model cost", value: asUsd(run.costUsd) },
    { label: "Tokens", value: asCount(run.tokens) },
    { label: "Asked for by", value: run.requestedBy },
    { label: "Run", value: run.id },
  ].filter((fact) => fact.value !== "");
}

/** What the page shows, seen from `now`. */
export function runPage(
  { run, steps, effects }: RunRecord,
  turns: readonly TurnRow[],
  progress: readonly ProgressRow[],
  options: { jiraUrl: string; now: Date },
): RunPage {
  const found = readFindings(steps);
  const ended = isEnd(run.state);
  const { tests = null, proof = [], notes = "" } = found.verified ?? {};
  return {
    id: run.id,
    ticket: subjectName(run.target),
    ticketUrl: ticketAddress(options.jiraUrl, run.target),
    summary: found.understood?.ticket.summary ?? "",
    pill: runPills[run.state],
    reason: run.waitingFor?.reason ?? run.reason ?? "",
    facts: factsOf(run, found, options.now),
    links: resultLinks(effects),
    mayStop: !ended && !run.cancelRequested,
    stopping: !ended && run.cancelRequested,
    live: !ended,
    seen: progress.at(-1)?.id ?? "0",
    timeline: readTimeline(run, steps, options.now),
    activity: readActivity(progress, 12, options.now),
    understanding: found.understood?.understanding ?? null,
    plan: found.planned,
    tests: tests === null ? null : { pill: testPills[tests.status], command: tests.command, detail: tests.detail },
    proof: proof.map((row) => ({
      criterion: row.criterion,
      pill: proofPills[row.verdict],
      command: row.command ?? "",
      exit: row.exitCode === null ? "" : `exit ${row.exitCode}`,
      evidence: row.evidence,
    })),
    notes,
    change:
      found.implemented === null
        ? null
        : {
            title: found.implemented.claim.title,
            summary: found.implemented.claim.summary,
            files: readPatch(found.implemented.patch),
            disagreements: found.implemented.disagreements,
          },
    ledger: readLedger(effects),
    transcript: readTranscript(turns),
    missing: [
      found.understood === null ? "understanding" : "",
      found.planned === null ? "plan" : "",
      found.implemented === null ? "patch" : "",
      tests === null ? "test result" : "",
      effects.length === 0 ? "writes to Jira, GitLab or Confluence" : "",
      turns.length === 0 ? "transcript" : "",
    ].filter((section) => section !== ""),
  };
}

/** Why a job failed, as far as rules can tell. Logs are written by whoever changes the code, so they never decide about more than a retry. */
import type { PipelineJob } from "../../domain/merge-request.ts";
import { countTests } from "../checks/counts.ts";
import type { FailedJob } from "./outputs.ts";

export type Judgement = Pick<FailedJob, "class" | "by" | "cause" | "evidence" | "retry">;

/** GitLab's reasons (docs.gitlab.com, "retry:when") that say that another try may do: nothing of the job itself was at fault. */
const passing: ReadonlySet<string> = new Set([
  ...["runner_system_failure", "stuck_or_timeout_failure", "stuck_pending_with_matching_runners", "api_failure"],
  ...["no_updates_running", "no_updates_canceling", "server_timeout_running", "server_timeout_canceling"],
  ...["scheduler_failure", "data_integrity_failure", "stale_schedule", "image_pull_failure"],
  ...["environment_creation_failure"],
]);

/** Those that stay until somebody changes a setting. */
const lasting: ReadonlySet<string> = new Set([
  ...["no_matching_runner", "stuck_pending_no_matching_runners", "runner_unsupported", "ci_quota_exceeded"],
  ...["missing_dependency_failure", "archived_failure", "unmet_prerequisites", "builds_disabled", "user_blocked"],
  ...["forward_deployment_failure", "protected_environment_failure", "insufficient_bridge_permissions"],
  ...["insufficient_upstream_permissions", "secrets_provider_not_found", "deployment_rejected", "project_deleted"],
  ...["ip_restriction_failure", "failed_outdated_deployment_job", "pipeline_loop_detected"],
  ...[
    "downstream_bridge_project_not_found",
    "upstream_bridge_project_not_found",
    "downstream_pipeline_creation_failed",
  ],
  ...["reached_max_descendant_pipelines_depth", "reached_max_pipeline_hierarchy_size", "trace_size_exceeded"],
]);

/** What runners, package managers and git write when a network or a machine is at fault. */
const machinery: readonly RegExp[] = [
  /\b(?:ECONNRESET|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTFOUND|EHOSTUNREACH)\b/,
  /could not resolve (?:host|proxy)|temporary failure in name resolution|no such host/i,
  /connection (?:reset by peer|refused|timed out)|network is unreachable|i\/o timeout|tls handshake timeout/i,
  /\b(?:502 bad gateway|503 service unavailable|504 gateway time-?out|429 too many requests|toomanyrequests)\b/i,
  /no space left on device|cannot connect to the docker daemon|failed to pull image|error pulling image/i,
  /job failed \(system failure\)|prepare environment: .*(?:timed out|exit)/i,
  /the requested url returned error: 5\d\d|rpc failed; (?:http 5|curl)/i,
];

/** Enough of a log to see what went wrong at its end. */
const tailLines = 60;

/** Names of failed tests that a log gives. */
export function failedTests(log: string): string[] {
  return [...new Set(countTests(log, undefined)?.failures ?? [])];
}

/** What GitLab's reason and the last lines of the log say by themselves; null: somebody has to read it. */
export function classByRule(job: Pick<PipelineJob, "failureReason">, log: string): Judgement | null {
  const reason = job.failureReason;
  const about = { class: "infrastructure", cause: reason, evidence: "" } as const;
  if (passing.has(reason)) return { ...about, by: "reason", retry: true };
  if (lasting.has(reason)) return { ...about, by: "reason", retry: false };
  // Tests that fail may well speak of networks.
  if (failedTests(log).length > 0) return null;
  const lines = log.trimEnd().split("\n").slice(-tailLines);
  const line = lines.findLast((each) => machinery.some((pattern) => pattern.test(each)));
  return line === undefined
    ? null
    : { ...about, by: "log", cause: "", evidence: line.trim().slice(0, 300), retry: true };
}

/** Whether all tests that fail here fail there, too. Where neither log names a test, that both jobs failed has to do. */
export function failsThere(here: readonly string[], there: readonly string[]): boolean {
  return here.length === 0 ? there.length === 0 : here.every((name) => there.includes(name));
}

const plain = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The whole line of a log that holds what an agent quotes; null when there is none, or the quotation says too little. */
export function lineWith(log: string, quoted: string): string | null {
  const wanted = plain(quoted);
  if (wanted.replace(/\W/g, "").length < 4) return null;
  const line = log.split("\n").find((each) => plain(each).includes(wanted));
  return line === undefined ? null : plain(line).slice(0, 300);
}

type JobState = { readonly name: string; readonly status: string };

/**
 * Jobs for which a repair is to blame: they were green before it and are red after it, or more of those that ran before are red now.
 * Jobs that did not run before (an earlier stage had failed) say nothing.
 */
export function madeWorse(before: readonly JobState[], redNow: readonly string[]): string[] {
  const was = new Map(before.map(({ name, status }) => [name, status]));
  const green = redNow.filter((name) => was.get(name) === "success");
  const unknown = redNow.filter((name) => !was.has(name));
  const stillRed = redNow.filter((name) => was.get(name) === "failed");
  const redBefore = before.filter(({ status }) => status === "failed").length;
  return green.length + unknown.length + stillRed.length > redBefore ? [...green, ...unknown] : green;
}

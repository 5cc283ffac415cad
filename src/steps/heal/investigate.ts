/** Why jobs failed: rules first, then the target branch, then the tests themselves, and the devops agent for what is left. */
import { capped, dataSection } from "../../agents/data.ts";
import { devops } from "../../agents/devops.ts";
import type { Diagnosis } from "../../domain/handoff.ts";
import type { PipelineJob, PipelineState } from "../../domain/merge-request.ts";
import { redact } from "../../platform/redact.ts";
import { render } from "../../platform/template.ts";
import { diffSection } from "../advice/diff-text.ts";
import { runSuite } from "../checks/suite.ts";
import { closeTrees, openTree } from "../checks/trees.ts";
import { looked } from "../conversation/outputs.ts";
import { runAgent } from "../run-agent.ts";
import type { StepContext } from "../step.ts";
import { testCommand } from "../test-command.ts";
import { classByRule, failedTests, failsThere, type Judgement, lineWith } from "./classify.ts";
import type { FailedJob } from "./outputs.ts";
import type { Past } from "./past.ts";

/** How much of a log is read, and how much of it is shown to an agent and kept, bytes. */
const readBytes = 64 * 1024;
const shownBytes = 6_000;

/** A failed job with its log. `judgement` is null until somebody knows. */
interface Suspect {
  readonly job: PipelineJob;
  readonly log: string;
  readonly tests: readonly string[];
  readonly again: boolean;
  readonly judgement: Judgement | null;
}

const isOpen = ({ judgement }: Suspect): boolean => judgement === null;

/** What fails without the merge request, too. `by` says how that is known. */
const notOurs = (by: "target" | "before", evidence = ""): Judgement => {
  return { class: "not_ours", by, cause: "", evidence, retry: false };
};

/** The last line of a log that names one of its failed tests. */
function lineOfTests(log: string, tests: readonly string[]): string {
  const line = log.split("\n").findLast((each) => tests.some((name) => name !== "" && each.includes(name)));
  return line?.trim().slice(0, 300) ?? "";
}

/** Reads the logs, and settles what rules can settle. */
export async function readSuspects(context: StepContext, jobs: readonly PipelineJob[], past: Past): Promise<Suspect[]> {
  const { repository } = context.run.target;
  const suspects: Suspect[] = [];
  for (const job of jobs) {
    const trace = await context.services.reviews.readTrace({ repository, jobId: job.id, maxBytes: readBytes });
    const log = redact(trace);
    const again = past.retried.has(job.name);
    const found = classByRule(job, log);
    const judgement = found === null ? null : { ...found, retry: found.retry && !again };
    suspects.push({ job, log, tests: failedTests(log), again, judgement });
  }
  return suspects;
}

/** Those that are red on the target branch for the same tests. */
export async function compareWithTarget(context: StepContext, suspects: readonly Suspect[]): Promise<Suspect[]> {
  if (!suspects.some(isOpen)) return [...suspects];
  const { reviews } = context.services;
  const { repository } = context.run.target;
  const { targetBranch } = context.output(looked).mergeRequest;
  const there = await reviews.newestPipeline({ repository, ref: targetBranch });
  const red = there?.jobs.filter(({ status }) => status === "failed") ?? [];
  const compared: Suspect[] = [];
  for (const suspect of suspects) {
    const same = isOpen(suspect) ? red.find(({ name }) => name === suspect.job.name) : undefined;
    if (same === undefined) {
      compared.push(suspect);
      continue;
    }
    const log = await reviews.readTrace({ repository, jobId: same.id, maxBytes: readBytes });
    const isSame = failsThere(suspect.tests, failedTests(redact(log)));
    const evidence = lineOfTests(suspect.log, suspect.tests);
    compared.push(isSame ? { ...suspect, judgement: notOurs("target", evidence) } : suspect);
  }
  return compared;
}

/** Those whose tests also fail without the merge request, or fail and pass on the same code. Nothing happens without a sandbox. */
export async function runTests(context: StepContext, suspects: readonly Suspect[]): Promise<Suspect[]> {
  if (!suspects.some((suspect) => isOpen(suspect) && suspect.tests.length > 0)) return [...suspects];
  const { repository, refs } = context.output(looked);
  const settle = (judgement: Judgement, failures: readonly string[]): Suspect[] =>
    suspects.map((suspect) => {
      const isIt = isOpen(suspect) && suspect.tests.length > 0 && failsThere(suspect.tests, failures);
      return isIt
        ? { ...suspect, judgement: { ...judgement, evidence: lineOfTests(suspect.log, suspect.tests) } }
        : suspect;
    });
  try {
    const head = await openTree(context, "old-code", "");
    const { result: now } = await runSuite(context, head.root, await testCommand(context.project, head.root));
    if (now.status !== "failed") return [...suspects];
    if (now.flaky) {
      const flaky = settle({ class: "flaky", by: "sandbox", cause: "", evidence: "", retry: true }, now.failures);
      // Twice on the machines of others, and now and then here: that is not for another try to mend.
      return flaky.map((suspect) =>
        suspect.again && suspect.judgement?.by === "sandbox" ? { ...suspect, judgement: null } : suspect,
      );
    }
    const base = await context.services.workspaces.open({
      runId: `${context.run.id}.old-tests`,
      project: repository,
      base: refs.base,
    });
    const { result: before } = await runSuite(context, base.root, await testCommand(context.project, base.root));
    return before.status === "failed" && !before.flaky ? settle(notOurs("before"), before.failures) : [...suspects];
  } finally {
    await closeTrees(context);
  }
}

/** What the agent says of one job, as far as it can be believed. */
export function believe(
  said: Diagnosis["jobs"][number] | undefined,
  { log, again }: Pick<Suspect, "log" | "again">,
): Judgement {
  const nothing: Judgement = { class: "ours", by: "nothing", cause: "", evidence: "", retry: false };
  if (said === undefined) return nothing;
  const evidence = lineWith(log, said.evidence);
  if (evidence === null || (said.class === "flaky" && again)) return nothing;
  return {
    class: said.class,
    by: "agent",
    cause: redact(said.cause),
    evidence,
    retry: said.class !== "ours" && !again,
  };
}

/** Asks the devops agent about what nothing else could tell. */
export async function askDevops(context: StepContext, suspects: readonly Suspect[]): Promise<Suspect[]> {
  const open = suspects.filter(isOpen);
  if (open.length === 0) return [...suspects];
  const { services, run } = context;
  const { repository, base, ticket, mergeRequest } = context.output(looked);
  const workspace = await services.workspaces.open({ runId: run.id, project: repository, base });
  const diff = await services.reviews.readDiff({ repository: repository.path, iid: mergeRequest.iid });
  const share = Math.min(shownBytes, Math.floor(30_000 / open.length));
  const { output } = await runAgent(context, devops, {
    workspace,
    task: render("prompts/tasks/heal-diagnose.md", {
      key: ticket.key,
      again: open.filter(({ again }) => again).map(({ job }) => job.name),
      logs: open
        .map(({ job, log }) => dataSection(`Job ${oneLine(job.name)}, end of its log`, endOf(log, share)))
        .join("\n\n"),
      diff: diffSection(diff),
    }),
  });
  return suspects.map((suspect) => {
    if (!isOpen(suspect)) return suspect;
    const said = output.jobs.find(({ job }) => job === suspect.job.name);
    return { ...suspect, judgement: believe(said, suspect) };
  });
}

/** The end of a log, where it says what went wrong, and a little of its beginning. */
function endOf(log: string, bytes: number): string {
  const end = Buffer.from(log)
    .subarray(-bytes)
    .toString("utf8")
    .replace(/^\uFFFD+/, "");
  return capped(end, bytes);
}

/** Names of jobs come from the repository: they must not begin a line of ours. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 100);
}

/** What is kept of a suspect. What nobody could tell is taken as ours. */
export function toFailedJob(suspect: Suspect): FailedJob {
  const { job, log, tests, again } = suspect;
  const judgement = suspect.judgement ?? believe(undefined, suspect);
  const evidence = judgement.evidence === "" ? lineOfTests(log, tests) : judgement.evidence;
  const { id, name, url } = job;
  return { id, name, url, ...judgement, evidence, again, tests: [...tests].map(redact), tail: endOf(log, shownBytes) };
}

/** Failed jobs that count: those that may fail do not make a pipeline red. */
export function failedIn({ jobs }: Pick<PipelineState, "jobs">): PipelineJob[] {
  return jobs.filter(({ status, allowFailure }) => status === "failed" && !allowFailure);
}

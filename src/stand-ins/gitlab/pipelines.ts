/** Pipelines: made for a push when the head has a `.gitlab-ci.yml`, then pending, running and whatever the script says. */
import { setTimeout as sleep } from "node:timers/promises";
import { pipelineBody } from "./hook-bodies.ts";
import { fire } from "./hooks.ts";
import { headOf, inBackground } from "./lookups.ts";
import { printTrace } from "./traces.ts";
import type { Job, Pipeline, PipelineOutcome, Project, World } from "./world.ts";

const CI_FILE = ".gitlab-ci.yml";

/** Starts a pipeline for a commit; undefined when it has no CI configuration. `[skip ci]` in the message makes one that is skipped. */
export async function startPipeline(
  world: World,
  project: Project,
  input: { ref: string; sha: string; source: string; userId: number; mergeRequestIid?: number },
): Promise<Pipeline | undefined> {
  if ((await project.repository.readBlob(input.sha, CI_FILE)) === null) return undefined;
  const [commit] = await project.repository.log(input.sha, { limit: 1 });
  const skipped = input.source === "push" && /\[(?:ci[ -]skip|skip[ -]ci)\]/i.test(commit?.message ?? "");
  const pipeline = createPipeline(world, project, { ...input, status: skipped ? "skipped" : "pending" });
  await announce(world, project, pipeline);
  if (!skipped) inBackground(world, play(world, project, pipeline));
  return pipeline;
}

/** A record of a pipeline, started or not. Commit statuses from outside live in such ones too. */
export function createPipeline(
  world: World,
  project: Project,
  input: { ref: string; sha: string; source: string; userId: number; status: string; mergeRequestIid?: number },
): Pipeline {
  const now = new Date();
  const pipeline: Pipeline = {
    id: world.nextId(),
    iid: project.pipelines.length + 1,
    ref: input.ref,
    sha: input.sha,
    source: input.source,
    mergeRequestIid: input.mergeRequestIid ?? null,
    userId: input.userId,
    status: input.status,
    jobs: [],
    retried: [],
    attempt: 0,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    finishedAt: null,
  };
  project.pipelines.push(pipeline);
  return pipeline;
}

/** Runs a pipeline through its statuses again, with new jobs in place of those that did not succeed. */
export function replay(world: World, project: Project, pipeline: Pipeline): void {
  pipeline.status = "pending";
  pipeline.finishedAt = null;
  inBackground(world, play(world, project, pipeline));
}

async function play(world: World, project: Project, pipeline: Pipeline): Promise<void> {
  pipeline.attempt += 1;
  const outcome: PipelineOutcome = await world.script(
    project.path,
    pipeline.sha,
    await project.repository.files(pipeline.sha),
    { ref: pipeline.ref, attempt: pipeline.attempt },
  );
  await sleep(world.tickMs);
  if (world.closing.signal.aborted || pipeline.status === "canceled") return;
  pipeline.startedAt ??= new Date();
  const jobs = outcome.jobs.map((planned): Job => {
    const old = pipeline.jobs.find((job) => job.name === planned.name);
    const job = newJob(world, planned.name, planned.stage ?? "test", planned.allowFailure ?? false);
    if (old?.status === "success") return old;
    // A retry has made it already; what failed before makes room.
    if (old?.status === "pending") return Object.assign(old, { status: "running", startedAt: job.startedAt });
    if (old !== undefined) pipeline.retried.push(old);
    return job;
  });
  pipeline.jobs.splice(0, pipeline.jobs.length, ...jobs);
  await move(world, project, pipeline, "running");
  await sleep(world.tickMs);
  if (world.closing.signal.aborted || pipeline.status !== "running") return;
  pipeline.finishedAt = new Date();
  for (const [index, job] of jobs.entries()) {
    const planned = outcome.jobs[index];
    if (planned === undefined || job.status === "success") continue;
    job.status = planned.status;
    job.failureReason = planned.status === "failed" ? (planned.failureReason ?? "script_failure") : null;
    job.trace = planned.trace ?? printTrace(`make ${job.name}`, "", planned.status === "success" ? 0 : 1);
    job.finishedAt = pipeline.finishedAt;
  }
  await move(world, project, pipeline, outcome.status);
}

function newJob(world: World, name: string, stage: string, allowFailure: boolean): Job {
  const now = new Date();
  return {
    id: world.nextId(),
    name,
    stage,
    status: "running",
    failureReason: null,
    allowFailure,
    trace: "",
    createdAt: now,
    startedAt: now,
    finishedAt: null,
  };
}

/** Sets the status and tells the hooks. */
export async function move(world: World, project: Project, pipeline: Pipeline, status: string): Promise<void> {
  pipeline.status = status;
  pipeline.updatedAt = new Date();
  await announce(world, project, pipeline);
}

async function announce(world: World, project: Project, pipeline: Pipeline): Promise<void> {
  const [commit] = await project.repository.log(pipeline.sha, { limit: 1 });
  const mergeRequest = project.mergeRequests.find((candidate) => candidate.iid === pipeline.mergeRequestIid);
  fire(world, project, "pipeline_events", pipelineBody(world, project, pipeline, mergeRequest, commit));
}

/** Pipelines of a merge request, newest first: its own ones and those of its source branch's commits. */
export function pipelinesOf(project: Project, mergeRequestIid: number): Pipeline[] {
  const mergeRequest = project.mergeRequests.find((candidate) => candidate.iid === mergeRequestIid);
  if (mergeRequest === undefined) return [];
  const shas = new Set([headOf(mergeRequest).headSha, ...mergeRequest.versions.map((version) => version.headSha)]);
  return project.pipelines
    .filter((pipeline) => pipeline.mergeRequestIid === mergeRequestIid || shas.has(pipeline.sha))
    .reverse();
}

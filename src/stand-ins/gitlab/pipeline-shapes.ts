/** Pipelines, jobs and commit statuses in the shapes of GitLab's REST API v4. */
import { userShapeOf } from "./shapes.ts";
import type { CommitStatus, Job, Pipeline, Project, World } from "./world.ts";

export function pipelineShape(world: World, project: Project, pipeline: Pipeline) {
  return {
    id: pipeline.id,
    iid: pipeline.iid,
    project_id: project.id,
    sha: pipeline.sha,
    ref: pipeline.ref,
    status: pipeline.status,
    source: pipeline.source,
    created_at: pipeline.createdAt.toISOString(),
    updated_at: pipeline.updatedAt.toISOString(),
    web_url: `${world.url}/${project.path}/-/pipelines/${pipeline.id}`,
  };
}

/** Seconds between two moments; null while one is missing. */
export function secondsBetween(from: Date | null, to: Date | null): number | null {
  return from === null || to === null ? null : (to.getTime() - from.getTime()) / 1000;
}

export function fullPipelineShape(world: World, project: Project, pipeline: Pipeline) {
  return {
    ...pipelineShape(world, project, pipeline),
    before_sha: "0000000000000000000000000000000000000000",
    tag: false,
    yaml_errors: null,
    user: userShapeOf(world, pipeline.userId),
    started_at: pipeline.startedAt?.toISOString() ?? null,
    finished_at: pipeline.finishedAt?.toISOString() ?? null,
    committed_at: null,
    duration: secondsBetween(pipeline.startedAt, pipeline.finishedAt),
    queued_duration: secondsBetween(pipeline.createdAt, pipeline.startedAt),
    coverage: null,
    detailed_status: { text: pipeline.status, label: pipeline.status, group: pipeline.status, has_details: true },
  };
}

export function jobShape(world: World, project: Project, pipeline: Pipeline, job: Job) {
  return {
    id: job.id,
    status: job.status,
    stage: job.stage,
    name: job.name,
    ref: pipeline.ref,
    tag: false,
    coverage: null,
    allow_failure: job.allowFailure,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    erased_at: job.trace === null ? job.finishedAt?.toISOString() : null,
    duration: secondsBetween(job.startedAt, job.finishedAt),
    queued_duration: secondsBetween(job.createdAt, job.startedAt),
    user: userShapeOf(world, pipeline.userId),
    pipeline: pipelineShape(world, project, pipeline),
    ...(job.failureReason === null ? {} : { failure_reason: job.failureReason }),
    web_url: `${world.url}/${project.path}/-/jobs/${job.id}`,
    project: { ci_job_token_scope_enabled: false },
    artifacts: [],
    runner: null,
    artifacts_expire_at: null,
    archived: false,
    tag_list: [],
  };
}

export function statusShape(world: World, status: CommitStatus) {
  return {
    id: status.id,
    sha: status.sha,
    ref: status.ref,
    status: status.status,
    name: status.name,
    target_url: status.targetUrl,
    description: status.description,
    created_at: status.createdAt.toISOString(),
    started_at: null,
    finished_at: null,
    allow_failure: false,
    coverage: null,
    pipeline_id: status.pipelineId,
    author: userShapeOf(world, status.authorId),
  };
}

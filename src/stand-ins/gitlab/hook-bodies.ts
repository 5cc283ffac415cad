/** Webhook bodies (docs.gitlab.com/user/project/integrations/webhook_events). */
import { hookCommit, hookLabels, hookProject, hookRepository, hookUser, noCommit, stamp } from "./hook-parts.ts";
import { isDraft, sourceOf, userOf } from "./lookups.ts";
import { areThreadsResolved, detailedStatus, mergeRequestUrl } from "./merge-request-shapes.ts";
import { secondsBetween } from "./pipeline-shapes.ts";
import { rulesFor } from "./protection.ts";
import type { Commit } from "./repository.ts";
import type { MergeRequest, Pipeline, Project, User, World } from "./world.ts";

/** Push Hook. `commits` newest last; at most 20 are carried. */
export function pushBody(
  world: World,
  project: Project,
  user: User,
  push: {
    ref: string;
    before: string;
    after: string;
    commits: readonly Commit[];
    files: Readonly<Record<string, FileLists>>;
  },
) {
  const { git_http_url, git_ssh_url, visibility_level } = hookProject(world, project);
  return {
    object_kind: "push",
    event_name: "push",
    before: push.before,
    after: push.after,
    ref: push.ref,
    ref_protected: rulesFor(project, push.ref.replace(/^refs\/heads\//, "")).length > 0,
    checkout_sha: push.after === noCommit ? null : push.after,
    message: null,
    user_id: user.id,
    user_name: user.name,
    user_username: user.username,
    user_email: "",
    user_avatar: null,
    project_id: project.id,
    project: hookProject(world, project),
    commits: push.commits.slice(-20).map((commit) => ({
      ...hookCommit(world, project, commit),
      ...(push.files[commit.id] ?? { added: [], modified: [], removed: [] }),
    })),
    total_commits_count: push.commits.length,
    push_options: {},
    repository: { ...hookRepository(world, project), git_http_url, git_ssh_url, visibility_level },
  };
}

export interface FileLists {
  readonly added: string[];
  readonly modified: string[];
  readonly removed: string[];
}

/** A merge request as hooks tell of it. */
export function mergeRequestAttributes(
  world: World,
  project: Project,
  mergeRequest: MergeRequest,
  lastCommit: Commit | undefined,
) {
  const labels = hookLabels(world, project, mergeRequest.labels);
  return {
    assignee_id: mergeRequest.assigneeIds[0] ?? null,
    author_id: mergeRequest.authorId,
    created_at: stamp(mergeRequest.createdAt),
    description: mergeRequest.description,
    draft: isDraft(mergeRequest),
    head_pipeline_id: null,
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    last_edited_at: null,
    last_edited_by_id: null,
    merge_commit_sha: mergeRequest.mergeCommitSha,
    merge_error: null,
    merge_params: { force_remove_source_branch: mergeRequest.removeSourceBranch ? "1" : "0" },
    merge_status: mergeRequest.state === "opened" ? "can_be_merged" : "unchecked",
    merge_user_id: mergeRequest.mergedBy,
    merge_when_pipeline_succeeds: false,
    milestone_id: null,
    source_branch: mergeRequest.sourceBranch,
    source_project_id: mergeRequest.sourceProjectId,
    state_id: { opened: 1, closed: 2, merged: 3 }[mergeRequest.state],
    target_branch: mergeRequest.targetBranch,
    target_project_id: project.id,
    time_estimate: 0,
    title: mergeRequest.title,
    updated_at: stamp(mergeRequest.updatedAt),
    updated_by_id: null,
    prepared_at: stamp(mergeRequest.createdAt),
    assignee_ids: mergeRequest.assigneeIds,
    blocking_discussions_resolved: areThreadsResolved(mergeRequest),
    detailed_merge_status: detailedStatus(world, project, mergeRequest),
    first_contribution: false,
    human_time_change: null,
    human_time_estimate: null,
    human_total_time_spent: null,
    labels,
    last_commit: lastCommit === undefined ? null : hookCommit(world, project, lastCommit),
    reviewer_ids: mergeRequest.reviewerIds,
    source: hookProject(world, sourceOf(world, project, mergeRequest)),
    state: mergeRequest.state,
    target: hookProject(world, project),
    time_change: 0,
    total_time_spent: 0,
    url: mergeRequestUrl(world, project, mergeRequest),
    work_in_progress: isDraft(mergeRequest),
  };
}

/** What a merge request hook says besides the merge request. `oldrev` only when commits came. */
export interface MergeRequestChange {
  readonly action:
    | "open"
    | "update"
    | "close"
    | "reopen"
    | "merge"
    /** One person's; `approved` when it was the last one that was missing. */
    | "approval"
    | "approved"
    | "unapproval"
    | "unapproved";
  readonly changes: Readonly<Record<string, { previous: unknown; current: unknown }>>;
  readonly oldrev?: string;
}

export function mergeRequestBody(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  lastCommit: Commit | undefined,
  change: MergeRequestChange,
) {
  const people = (ids: readonly number[]) => ids.map((id) => hookUser(userOf(world, id)));
  return {
    object_kind: "merge_request",
    event_type: "merge_request",
    user: hookUser(user),
    project: hookProject(world, project),
    object_attributes: {
      ...mergeRequestAttributes(world, project, mergeRequest, lastCommit),
      action: change.action,
      ...(change.oldrev === undefined ? {} : { oldrev: change.oldrev }),
    },
    labels: hookLabels(world, project, mergeRequest.labels),
    changes: change.changes,
    repository: hookRepository(world, project),
    ...(mergeRequest.assigneeIds.length === 0 ? {} : { assignees: people(mergeRequest.assigneeIds) }),
    ...(mergeRequest.reviewerIds.length === 0 ? {} : { reviewers: people(mergeRequest.reviewerIds) }),
  };
}

export function pipelineBody(
  world: World,
  project: Project,
  pipeline: Pipeline,
  mergeRequest: MergeRequest | undefined,
  commit: Commit | undefined,
) {
  const user = hookUser(userOf(world, pipeline.userId));
  const time = (date: Date | null): string | null => (date === null ? null : stamp(date));
  return {
    object_kind: "pipeline",
    object_attributes: {
      id: pipeline.id,
      iid: pipeline.iid,
      name: null,
      ref: pipeline.ref,
      tag: false,
      sha: pipeline.sha,
      before_sha: noCommit,
      source: pipeline.source,
      status: pipeline.status,
      detailed_status: pipeline.status === "success" ? "passed" : pipeline.status,
      stages: [...new Set(pipeline.jobs.map((job) => job.stage))],
      created_at: stamp(pipeline.createdAt),
      finished_at: time(pipeline.finishedAt),
      duration: secondsBetween(pipeline.startedAt, pipeline.finishedAt),
      queued_duration: secondsBetween(pipeline.createdAt, pipeline.startedAt),
      protected_ref: rulesFor(project, pipeline.ref).length > 0,
      variables: [],
      url: `${world.url}/${project.path}/-/pipelines/${pipeline.id}`,
    },
    // A branch pipeline does not know its merge request.
    merge_request:
      mergeRequest === undefined
        ? null
        : {
            id: mergeRequest.id,
            iid: mergeRequest.iid,
            title: mergeRequest.title,
            source_branch: mergeRequest.sourceBranch,
            source_project_id: mergeRequest.sourceProjectId,
            target_branch: mergeRequest.targetBranch,
            target_project_id: project.id,
            state: mergeRequest.state,
            merge_status: "can_be_merged",
            detailed_merge_status: detailedStatus(world, project, mergeRequest),
            url: mergeRequestUrl(world, project, mergeRequest),
          },
    user,
    project: hookProject(world, project),
    commit: commit === undefined ? null : hookCommit(world, project, commit),
    builds: pipeline.jobs.map((job) => ({
      id: job.id,
      stage: job.stage,
      name: job.name,
      status: job.status,
      created_at: stamp(job.createdAt),
      started_at: time(job.startedAt),
      finished_at: time(job.finishedAt),
      duration: secondsBetween(job.startedAt, job.finishedAt),
      queued_duration: secondsBetween(job.createdAt, job.startedAt),
      failure_reason: job.failureReason,
      when: "on_success",
      manual: false,
      allow_failure: job.allowFailure,
      user,
      runner: null,
      artifacts_file: { filename: null, size: null },
      environment: null,
    })),
  };
}

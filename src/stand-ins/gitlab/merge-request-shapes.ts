/** Merge requests and what is said on them, in the shapes of GitLab's REST API v4. */
import { approvalsLeft } from "./approvals.ts";
import { headOf, isDraft } from "./lookups.ts";
import { fullPipelineShape, pipelineShape } from "./pipeline-shapes.ts";
import { userShapeOf } from "./shapes.ts";
import { lineCode, suggestionShape, suggestionsOf } from "./suggestions.ts";
import type { Discussion, DraftNote, MergeRequest, Note, Pipeline, Project, World } from "./world.ts";

/** Address of a merge request's page. */
export function mergeRequestUrl(world: World, project: Project, mergeRequest: MergeRequest): string {
  return `${world.url}/${project.path}/-/merge_requests/${mergeRequest.iid}`;
}

/** The newest pipeline of the merge request's head. */
export function headPipeline(project: Project, mergeRequest: MergeRequest): Pipeline | undefined {
  return project.pipelines.findLast((pipeline) => pipeline.sha === headOf(mergeRequest).headSha);
}

/** Whether every thread that can be resolved is. */
export function areThreadsResolved({ discussions }: MergeRequest): boolean {
  const open = discussions.flatMap(({ notes }) => notes).find((note) => note.resolvable && note.resolvedBy === null);
  return open === undefined;
}

/** GitLab's `detailed_merge_status` (docs.gitlab.com/api/merge_requests, "Merge status"). */
export function detailedStatus(world: World, project: Project, mergeRequest: MergeRequest): string {
  const { pipelineMustSucceed, threadsMustBeResolved } = project.settings;
  if (mergeRequest.state !== "opened") return "not_open";
  if (isDraft(mergeRequest)) return "draft_status";
  if (threadsMustBeResolved && !areThreadsResolved(mergeRequest)) return "discussions_not_resolved";
  if (approvalsLeft(world, project, mergeRequest) > 0) return "not_approved";
  if (mergeRequest.conflicts) return "conflict";
  const pipeline = headPipeline(project, mergeRequest)?.status ?? "";
  if (!pipelineMustSucceed || pipeline === "success" || pipeline === "skipped") return "mergeable";
  return ["created", "pending", "running"].includes(pipeline) ? "ci_still_running" : "ci_must_pass";
}

export function mergeRequestShape(world: World, project: Project, mergeRequest: MergeRequest) {
  const draft = isDraft(mergeRequest);
  const head = headOf(mergeRequest);
  const pipeline = headPipeline(project, mergeRequest);
  const reference = `!${mergeRequest.iid}`;
  return {
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    project_id: project.id,
    title: mergeRequest.title,
    description: mergeRequest.description,
    state: mergeRequest.state,
    created_at: mergeRequest.createdAt.toISOString(),
    updated_at: mergeRequest.updatedAt.toISOString(),
    merged_by: userShapeOf(world, mergeRequest.mergedBy),
    merge_user: userShapeOf(world, mergeRequest.mergedBy),
    merged_at: mergeRequest.mergedAt?.toISOString() ?? null,
    closed_by: userShapeOf(world, mergeRequest.closedBy),
    closed_at: mergeRequest.closedAt?.toISOString() ?? null,
    target_branch: mergeRequest.targetBranch,
    source_branch: mergeRequest.sourceBranch,
    user_notes_count: mergeRequest.discussions.flatMap((d) => d.notes).filter((note) => !note.system).length,
    upvotes: 0,
    downvotes: 0,
    author: userShapeOf(world, mergeRequest.authorId),
    assignees: mergeRequest.assigneeIds.map((id) => userShapeOf(world, id)),
    assignee: userShapeOf(world, mergeRequest.assigneeIds[0] ?? null),
    reviewers: mergeRequest.reviewerIds.map((id) => userShapeOf(world, id)),
    source_project_id: mergeRequest.sourceProjectId,
    target_project_id: project.id,
    labels: [...mergeRequest.labels].sort(),
    draft,
    imported: false,
    imported_from: "none",
    work_in_progress: draft,
    milestone: null,
    merge_when_pipeline_succeeds: false,
    merge_status:
      mergeRequest.state !== "opened" ? "unchecked" : mergeRequest.conflicts ? "cannot_be_merged" : "can_be_merged",
    detailed_merge_status: detailedStatus(world, project, mergeRequest),
    merge_after: null,
    sha: head.headSha,
    merge_commit_sha: mergeRequest.mergeCommitSha,
    squash_commit_sha: null,
    discussion_locked: mergeRequest.discussionLocked ? true : null,
    should_remove_source_branch: null,
    force_remove_source_branch: mergeRequest.removeSourceBranch,
    prepared_at: mergeRequest.createdAt.toISOString(),
    reference,
    references: { short: reference, relative: reference, full: `${project.path}${reference}` },
    web_url: mergeRequestUrl(world, project, mergeRequest),
    time_stats: { time_estimate: 0, total_time_spent: 0, human_time_estimate: null, human_total_time_spent: null },
    squash: mergeRequest.squash,
    squash_on_merge: mergeRequest.squash,
    task_completion_status: { count: 0, completed_count: 0 },
    has_conflicts: mergeRequest.conflicts,
    blocking_discussions_resolved: areThreadsResolved(mergeRequest),
    approvals_before_merge: null,
    subscribed: true,
    changes_count: "1",
    latest_build_started_at: pipeline?.startedAt?.toISOString() ?? null,
    latest_build_finished_at: pipeline?.finishedAt?.toISOString() ?? null,
    first_deployed_to_production_at: null,
    pipeline: pipeline === undefined ? null : pipelineShape(world, project, pipeline),
    head_pipeline: pipeline === undefined ? null : fullPipelineShape(world, project, pipeline),
    diff_refs: { base_sha: head.baseSha, head_sha: head.headSha, start_sha: head.startSha },
    merge_error: null,
    first_contribution: false,
    user: { can_merge: false },
  };
}

/** What lists leave out. */
export function listedMergeRequestShape(world: World, project: Project, mergeRequest: MergeRequest) {
  const { diff_refs, head_pipeline, pipeline, user, changes_count, merge_error, subscribed, ...listed } =
    mergeRequestShape(world, project, mergeRequest);
  return listed;
}

export function noteShape(world: World, project: Project, mergeRequest: MergeRequest, note: Note) {
  return {
    id: note.id,
    type: note.type,
    body: note.body,
    author: userShapeOf(world, note.authorId),
    created_at: note.createdAt.toISOString(),
    updated_at: note.updatedAt.toISOString(),
    system: note.system,
    noteable_id: mergeRequest.id,
    noteable_type: "MergeRequest",
    project_id: project.id,
    commit_id: null,
    ...(note.position === null ? {} : { position: { ...note.position, line_range: null } }),
    resolvable: note.resolvable,
    ...(note.resolvable
      ? {
          resolved: note.resolvedBy !== null,
          resolved_by: userShapeOf(world, note.resolvedBy),
          resolved_at: note.resolvedAt?.toISOString() ?? null,
        }
      : {}),
    suggestions: suggestionsOf(note).map(suggestionShape),
    confidential: note.internal,
    internal: note.internal,
    imported: false,
    imported_from: "none",
    noteable_iid: mergeRequest.iid,
    commands_changes: {},
  };
}

export function discussionShape(world: World, project: Project, mergeRequest: MergeRequest, discussion: Discussion) {
  return {
    id: discussion.id,
    individual_note: discussion.individual,
    notes: discussion.notes.map((note) => noteShape(world, project, mergeRequest, note)),
  };
}

export function draftNoteShape(mergeRequest: MergeRequest, draft: DraftNote) {
  return {
    id: draft.id,
    author_id: draft.authorId,
    merge_request_id: mergeRequest.id,
    resolve_discussion: draft.resolveDiscussion,
    discussion_id: draft.discussionId,
    note: draft.note,
    commit_id: draft.commitId,
    line_code: draft.position === null || draft.lost ? null : lineCode(draft.position),
    position: draft.position,
  };
}

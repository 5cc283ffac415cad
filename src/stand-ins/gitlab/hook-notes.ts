/** Webhook bodies about what is said on merge requests (docs.gitlab.com/user/project/integrations/webhook_events). */
import { mergeRequestAttributes } from "./hook-bodies.ts";
import { hookProject, hookRepository, hookUser, stamp } from "./hook-parts.ts";
import { isSince } from "./lookups.ts";
import { mergeRequestUrl } from "./merge-request-shapes.ts";
import type { Commit } from "./repository.ts";
import { lineCode } from "./suggestions.ts";
import type { Award, Discussion, MergeRequest, Note, Project, User, World } from "./world.ts";

/** A note as hooks tell of it. */
function noteAttributes(
  world: World,
  project: Project,
  mergeRequest: MergeRequest,
  discussion: Discussion,
  note: Note,
) {
  return {
    attachment: null,
    author_id: note.authorId,
    change_position: null,
    commit_id: null,
    created_at: stamp(note.createdAt),
    discussion_id: discussion.id,
    id: note.id,
    internal: note.internal,
    line_code: note.position === null ? null : lineCode(note.position),
    note: note.body,
    noteable_id: mergeRequest.id,
    noteable_type: "MergeRequest",
    original_position: note.position,
    position: note.position,
    project_id: project.id,
    resolved_at: note.resolvedAt === null ? null : stamp(note.resolvedAt),
    resolved_by_id: note.resolvedBy,
    resolved_by_push: null,
    st_diff: null,
    system: note.system,
    type: note.type,
    updated_at: stamp(note.updatedAt),
    updated_by_id: null,
    description: note.body,
    url: `${mergeRequestUrl(world, project, mergeRequest)}#note_${note.id}`,
  };
}

/** Note Hook. */
export function noteBody(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  discussion: Discussion,
  note: Note,
  action: "create" | "update",
  lastCommit: Commit | undefined,
) {
  // Before 16.11 nothing tells an edited note from a new one.
  const told = isSince(world, "16.11") ? { action } : {};
  return {
    object_kind: "note",
    event_type: note.internal ? "confidential_note" : "note",
    user: hookUser(user),
    project_id: project.id,
    project: hookProject(world, project),
    object_attributes: { ...noteAttributes(world, project, mergeRequest, discussion, note), ...told },
    repository: hookRepository(world, project),
    merge_request: mergeRequestAttributes(world, project, mergeRequest, lastCommit),
  };
}

/** Emoji Hook: somebody put an emoji on a note, or took it away. */
export function emojiBody(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  at: { discussion: Discussion; note: Note; award: Award },
  event: "award" | "revoke",
  lastCommit: Commit | undefined,
) {
  const { discussion, note, award } = at;
  return {
    object_kind: "emoji",
    event_type: event,
    user: hookUser(user),
    project_id: project.id,
    project: hookProject(world, project),
    object_attributes: {
      user_id: award.userId,
      created_at: stamp(award.createdAt),
      id: award.id,
      name: award.name,
      awardable_type: "Note",
      awardable_id: note.id,
      updated_at: stamp(award.createdAt),
      action: event,
      awarded_on_url: `${mergeRequestUrl(world, project, mergeRequest)}#note_${note.id}`,
    },
    note: noteAttributes(world, project, mergeRequest, discussion, note),
    merge_request: mergeRequestAttributes(world, project, mergeRequest, lastCommit),
  };
}

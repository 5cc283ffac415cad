/** What GitLab's messages mean to us: https://docs.gitlab.com/user/project/integrations/webhook_events/ */
import type { Parsed } from "../../src/domain/event.ts";
import { field, interpret } from "../json.ts";
import { type Headers, header, shortText } from "../receiver.ts";
import { actorOf, MergeRequest, Note, Pipeline, Push } from "./body.ts";

/** Kinds that we know and do not need. */
const notNeeded: ReadonlyMap<string, string> = new Map([
  ["issue", "issues live in Jira"],
  ["work_item", "issues live in Jira"],
  ["build", "jobs are read with their pipeline"],
  ["deployment", "deployments are not our business"],
  ["release", "releases are not our business"],
  ["milestone", "milestones are not our business"],
  ["wiki_page", "wiki pages are not our business"],
  ["emoji", "emoji are not commands"],
  ["feature_flag", "feature flags are not our business"],
  ["access_token", "tokens that expire are reported by our own check"],
  ["vulnerability", "vulnerabilities are not our business"],
  ["tag_push", "tags are not our business"],
]);

/**
 * What a body of GitLab means: at most one event. Pure, and never throws: a body that is not as documented is `unsupported`,
 * with the field that is odd.
 * @param json the parsed body
 */
export function parseGitLab(headers: Headers, json: unknown): Parsed {
  const kind = field(json, "object_kind");
  const name = field(json, "event_name");
  if (header(headers, "x-gitlab-event") === "System Hook") {
    return { ignored: "a system hook: it tells nothing of notes and pipelines, use project or group hooks" };
  }
  if (typeof kind !== "string") {
    // Member, subgroup and project messages of group hooks, and everything of system hooks, come without a kind.
    return typeof name === "string"
      ? { ignored: `${shortText(name, "a message")} is about the running of GitLab` }
      : { unsupported: "object_kind: the message has no name" };
  }
  switch (kind) {
    case "note":
      return parseNote(json);
    case "merge_request":
      return parseMergeRequest(json);
    case "pipeline":
      return parsePipeline(json);
    case "push":
      return parsePush(json);
  }
  const why = notNeeded.get(kind);
  return why === undefined
    ? { unsupported: `${shortText(kind, "a message without a name")} is not a message we know` }
    : { ignored: why };
}

function parseNote(json: unknown): Parsed {
  return interpret(Note, json, (body) => {
    const note = body.object_attributes;
    if (note.system) return { ignored: "a system note: nobody wrote it" };
    if (note.noteable_type !== "MergeRequest" || !body.merge_request) {
      return { ignored: "a note that is not on a merge request" };
    }
    // What we answer is open to all who see the merge request, so an internal note cannot be worked with.
    if (body.event_type === "confidential_note" || note.internal) {
      return { ignored: "an internal note: our answers would be public" };
    }
    // Before 16.11 there is no action; what tells then is that a note was changed after it was made.
    const isEdited = note.action
      ? note.action !== "create"
      : note.created_at && note.updated_at && note.created_at !== note.updated_at;
    if (isEdited) {
      return { ignored: "an edited note: commands are read once, when written" };
    }
    return {
      type: "mr.commented",
      repository: body.project.path_with_namespace,
      iid: body.merge_request.iid,
      actor: actorOf({ ...body.user, id: body.user?.id ?? note.author_id }),
      noteId: note.id,
      discussionId: note.discussion_id ?? null,
      body: note.note,
      sourceBranch: body.merge_request.source_branch,
      sha: body.merge_request.last_commit?.id ?? null,
      thread: Boolean(note.type),
    };
  });
}

function parseMergeRequest(json: unknown): Parsed {
  return interpret(MergeRequest, json, (body) => {
    const request = body.object_attributes;
    if (!request.action) return { ignored: "a merge request message that names no action" };
    return {
      type: "mr.changed",
      repository: body.project.path_with_namespace,
      iid: request.iid,
      actor: actorOf(body.user ?? {}),
      action: request.action,
      sourceBranch: request.source_branch,
      sha: request.last_commit?.id ?? null,
      pushed: Boolean(request.oldrev),
    };
  });
}

function parsePipeline(json: unknown): Parsed {
  return interpret(Pipeline, json, (body) => {
    const pipeline = body.object_attributes;
    if (pipeline.tag) return { ignored: "the pipeline of a tag" };
    if (pipeline.source === "parent_pipeline") return { ignored: "a child pipeline: its parent tells the result" };
    return {
      type: "pipeline.changed",
      repository: body.project.path_with_namespace,
      actor: actorOf(body.user ?? {}),
      pipelineId: pipeline.id,
      status: pipeline.status,
      ref: pipeline.ref,
      sha: pipeline.sha,
      iid: body.merge_request?.iid ?? null,
    };
  });
}

function parsePush(json: unknown): Parsed {
  return interpret(Push, json, (body) => {
    const branch = /^refs\/heads\/(.+)$/s.exec(body.ref)?.[1];
    if (branch === undefined) return { ignored: "a push that is not to a branch" };
    // GitLab writes "no commit" as zeros: 40 of them, or 64 in a repository with SHA-256.
    if (/^0+$/.test(body.after)) return { ignored: "a deleted branch" };
    return {
      type: "branch.pushed",
      repository: body.project.path_with_namespace,
      actor: actorOf({ id: body.user_id, name: body.user_name, username: body.user_username }),
      ref: branch,
      before: body.before,
      after: body.after,
    };
  });
}

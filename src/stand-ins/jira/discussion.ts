/** What is put onto an issue: comments and remote links. Refuses what Jira refuses and tells the world. */
import { checkedText, item } from "./checked.ts";
import {
  type JiraComment,
  type JiraIssue,
  type JiraRemoteLink,
  type JiraUser,
  type JiraWorld,
  Refusal,
} from "./world.ts";

function setProperties(comment: JiraComment, properties: unknown): void {
  if (!Array.isArray(properties)) return;
  for (const one of properties as { key?: unknown; value?: unknown }[]) {
    if (typeof one.key !== "string" || one.key === "" || one.value === undefined) {
      throw new Refusal(400, "The property key and value must be given.");
    }
    comment.properties.set(one.key, one.value);
  }
}

/** Throws Refusal 400 for a body that is no valid, non-empty ADF document. */
export function addComment(
  world: JiraWorld,
  actor: JiraUser,
  issue: JiraIssue,
  input: { body?: unknown; properties?: unknown },
): JiraComment {
  const now = world.now();
  const comment: JiraComment = {
    id: world.nextId(),
    author: actor,
    updateAuthor: actor,
    body: checkedText("comment", "Comment body", input.body),
    created: now,
    updated: now,
    properties: new Map(),
  };
  setProperties(comment, input.properties);
  issue.comments.push(comment);
  issue.updated = now;
  world.changed({ kind: "comment_created", issue, comment });
  return comment;
}

/** Properties that are not given stay. Throws Refusal 400 for a broken body or another person's comment. */
export function updateComment(
  world: JiraWorld,
  actor: JiraUser,
  issue: JiraIssue,
  comment: JiraComment,
  input: { body?: unknown; properties?: unknown },
): void {
  if (comment.author !== actor && !actor.admin) {
    throw new Refusal(400, "You do not have the permission to edit this comment.");
  }
  comment.body = checkedText("comment", "Comment body", input.body);
  setProperties(comment, input.properties);
  comment.updateAuthor = actor;
  comment.updated = world.now();
  issue.updated = comment.updated;
  world.changed({ kind: "comment_updated", issue, comment });
}

/** Throws Refusal 400 for another person's comment. */
export function deleteComment(world: JiraWorld, actor: JiraUser, issue: JiraIssue, comment: JiraComment): void {
  if (comment.author !== actor && !actor.admin) {
    throw new Refusal(400, `You do not have permission to delete comment with id: ${comment.id}`);
  }
  issue.comments.splice(issue.comments.indexOf(comment), 1);
  issue.updated = world.now();
  world.changed({ kind: "comment_deleted", issue, comment });
}

/** Upserts by globalId; what is not given becomes null. Throws Refusal 400. */
export function putRemoteLink(
  world: JiraWorld,
  actor: JiraUser,
  issue: JiraIssue,
  input: Readonly<Record<string, unknown>>,
): { link: JiraRemoteLink; isNew: boolean } {
  const object = input.object as Record<string, unknown> | undefined;
  const missing = ["url", "title"].filter((name) => typeof object?.[name] !== "string" || object[name] === "");
  if (missing.length > 0) {
    throw new Refusal(400, "", { errors: Object.fromEntries(missing.map((name) => [name, `'${name}' is required.`])) });
  }
  const globalId = typeof input.globalId === "string" ? input.globalId : null;
  if (globalId !== null && globalId.length > 255) {
    throw new Refusal(400, "", { errors: { globalId: "'globalId' must be no longer than 255 characters." } });
  }
  const found = issue.remoteLinks.find((one) => globalId !== null && one.globalId === globalId);
  const link = found ?? {
    id: Number(world.nextId()),
    globalId,
    relationship: null,
    application: null,
    object: { url: "", title: "" },
  };
  link.relationship = typeof input.relationship === "string" ? input.relationship : null;
  link.application = input.application ?? null;
  link.object = object as JiraRemoteLink["object"];
  if (found === undefined) issue.remoteLinks.push(link);
  issue.updated = world.now();
  if (found === undefined) {
    const line = {
      ...item("RemoteIssueLink", null, `This issue links to "${link.object.title}"`),
      to: String(link.id),
    };
    world.changed({ kind: "updated", issue, actor, type: "issue_updated", items: [line] });
  }
  return { link, isNew: found === undefined };
}

/** What Jira's messages mean to us. Names: https://developer.atlassian.com/cloud/jira/platform/webhooks/#supported-webhook-events */
import type { Parsed } from "../../src/domain/event.ts";
import { field, interpret } from "../json.ts";
import { type Headers, shortText } from "../receiver.ts";
import { actorOf, CommentCreated, IssueCreated, IssueDeleted, IssueUpdated, ticketOf } from "./body.ts";
import { eventOfChanges } from "./changes.ts";

/** Messages that need no look inside, by name or by the start of the name. */
const notNeeded: readonly (readonly [name: string, why: string])[] = [
  ["comment_updated", "an edited comment: commands are read once, when written"],
  ["comment_deleted", "a deleted comment"],
  ["issuelink_", "links between issues are read when they are needed"],
  ["jira:worklog_", "work logs are not our business"],
  ["worklog_", "work logs are not our business"],
  ["issue_property_", "properties of issues are not our business"],
  ["attachment_", "attachments are read when they are needed"],
  ["jira:version_", "versions are not our business"],
  ["version_", "versions are not our business"],
  ["project_", "projects are configured in ticketsmith.yaml"],
  ["component_", "components are not our business"],
  ["sprint_", "sprints are not our business"],
  ["board_", "boards are not our business"],
  ["filter_", "filters are not our business"],
  ["user_", "people are looked up when they are needed"],
  ["option_", "settings of Jira are not our business"],
  ["jira_expression_", "settings of Jira are not our business"],
];

/**
 * What a body of Jira means: at most one event, since one delivery has one verdict. Pure, and never throws: a body that is
 * not as documented is `unsupported`, with the field that is odd.
 * @param json the parsed body
 */
export function parseJira(_headers: Headers, json: unknown): Parsed {
  const name = field(json, "webhookEvent");
  switch (name) {
    case "jira:issue_created":
      return parseCreated(json);
    case "jira:issue_updated":
      return interpret(IssueUpdated, json, eventOfChanges);
    case "jira:issue_deleted":
      return interpret(IssueDeleted, json, (body) => ({
        type: "ticket.deleted",
        ...ticketOf(body.issue),
        actor: actorOf(body.user),
      }));
    case "comment_created":
      return parseComment(json);
  }
  if (typeof name !== "string") {
    return field(json, "test") === true
      ? { ignored: "a connection test" }
      : { unsupported: "webhookEvent: the message has no name" };
  }
  const known = notNeeded.find(([start]) => name.startsWith(start));
  return known === undefined
    ? { unsupported: `${shortText(name, "a message without a name")} is not a message we know` }
    : { ignored: known[1] };
}

function parseCreated(json: unknown): Parsed {
  return interpret(IssueCreated, json, (body) => ({
    type: "ticket.created",
    ...ticketOf(body.issue),
    actor: actorOf(body.user),
    ...(body.issue.id ? { changeId: `created:${body.issue.id}` } : {}),
    labels: body.issue.fields?.labels ?? [],
  }));
}

/** Comment messages have no `user`; Data Center's have no `issue` either: `self` holds its id. */
function parseComment(json: unknown): Parsed {
  return interpret(CommentCreated, json, ({ user, issue, comment }) => ({
    type: "ticket.commented",
    ...(issue ? ticketOf(issue) : { ticket: "", project: "" }),
    actor: actorOf(comment.author ?? user),
    commentId: comment.id,
    body: comment.body,
    self: comment.self,
  }));
}

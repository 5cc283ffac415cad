/**
 * `jira:issue_updated` is one message for edits, transitions, assignments, labels and (on Data Center) comments: the changelog
 * tells which. `issue_event_type_name` is no help, administrators may invent more of them.
 */
import type { Event } from "../../src/domain/event.ts";
import { actorOf, type Change, type IssueUpdated, ticketOf } from "./body.ts";

/**
 * The one event of a change. When several fields changed at once, the one that may start or steer work wins:
 * labels added, then transition, assignee, labels removed, anything else.
 */
export function eventOfChanges(body: IssueUpdated): Event | { ignored: string } {
  const changes = body.changelog?.items ?? [];
  if (changes.length === 0) return { ignored: whyNothingChanged(body) };
  const about = { ...ticketOf(body.issue), actor: actorOf(body.user) };

  const labels = changes.filter((change) => isField(change, "labels")).map(labelsOf);
  const added = labels.flatMap((change) => change.added);
  if (added.length > 0) {
    const changeId = body.changelog?.id;
    return { type: "ticket.labelled", ...about, ...(changeId ? { changeId } : {}), added };
  }

  const status = changes.find((change) => isField(change, "status"));
  if (status !== undefined) {
    return { type: "ticket.transitioned", ...about, from: status.fromText ?? "", to: status.toText ?? "" };
  }
  const assignee = changes.find((change) => isField(change, "assignee"));
  if (assignee !== undefined) return { type: "ticket.assigned", ...about, assignee: assignee.to || null };

  const removed = labels.flatMap((change) => change.removed);
  if (removed.length > 0) return { type: "ticket.unlabelled", ...about, removed };

  return { type: "ticket.edited", ...about, fields: changes.map((change) => change.fieldId ?? change.field) };
}

/**
 * `field` is a display name and may be translated, or be that of a custom field that somebody called "Labels": where there is
 * a `fieldId` only that counts.
 */
function isField(change: Change, id: string): boolean {
  return change.fieldId ? change.fieldId === id : change.field.toLowerCase() === id;
}

/** Labels are written as one text, separated by spaces (a label cannot hold one). */
function labelsOf(change: Change): { added: string[]; removed: string[] } {
  const before = new Set(words(change.fromText));
  const after = new Set(words(change.toText));
  return {
    added: [...after].filter((label) => !before.has(label)),
    removed: [...before].filter((label) => !after.has(label)),
  };
}

function words(text: string | null | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

function whyNothingChanged(body: IssueUpdated): string {
  const type = body.issue_event_type_name ?? "";
  if (type === "issue_commented" || (type === "" && body.comment != null)) {
    return "Data Center's second message about a comment: comment_created tells it";
  }
  if (type.startsWith("issue_comment_")) return "an edited or deleted comment";
  if (type.startsWith("issue_work")) return "work logs are not our business";
  return "no field changed";
}

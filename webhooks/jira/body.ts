/**
 * The fields of Jira's webhook bodies that we use; all others pass unseen. Cloud and Data Center differ: people have `accountId`
 * on Cloud, `key` and `name` on Data Center; Data Center leaves the issue out of comment messages and `fieldId` out of changes.
 */
import { z } from "zod";
import type { Actor } from "../../src/domain/event.ts";
import { field, Id, Text } from "../json.ts";

const User = z.object({
  accountId: Text.nullish(),
  key: Text.nullish(),
  name: Text.nullish(),
  displayName: Text.nullish(),
});
export type User = z.infer<typeof User>;

/**
 * One changed field. Jira calls the new text `toString`: as an own property it makes every `String(item)` throw, so it is renamed
 * here and nothing behind this line ever sees the original.
 */
export const Change = z.preprocess(
  (item) => ({
    field: field(item, "field"),
    fieldId: field(item, "fieldId"),
    from: field(item, "from"),
    fromText: field(item, "fromString"),
    to: field(item, "to"),
    toText: field(item, "toString"),
  }),
  z.object({
    /** A name for people: may be translated. */
    field: Text,
    /** Stable, but Cloud only. */
    fieldId: Text.nullish(),
    from: Id.nullish(),
    fromText: Text.nullish(),
    to: Id.nullish(),
    toText: Text.nullish(),
  }),
);
export type Change = z.infer<typeof Change>;

/** Only what looks like an id is one: it becomes part of keys. */
const OwnId = Id.transform((id) => (/^[\w-]{1,64}$/.test(id) ? id : undefined)).nullish();

const Issue = z.object({
  id: OwnId,
  key: Text,
  fields: z.object({ project: z.object({ key: Text }).nullish(), labels: z.array(Text).nullish() }).nullish(),
});
export type Issue = z.infer<typeof Issue>;

const Changelog = z.object({ id: OwnId, items: z.array(Change) });

export const IssueCreated = z.object({ user: User.nullish(), issue: Issue });
export const IssueDeleted = z.object({ user: User.nullish(), issue: Issue });
export const IssueUpdated = z.object({
  user: User.nullish(),
  issue: Issue,
  issue_event_type_name: Text.nullish(),
  changelog: Changelog.nullish(),
  /** Only its presence matters: the comment itself comes in a message of its own. */
  comment: z.unknown().optional(),
});
export type IssueUpdated = z.infer<typeof IssueUpdated>;
export const CommentCreated = z.object({
  user: User.nullish(),
  issue: Issue.nullish(),
  comment: z.object({ self: Text, id: Id, author: User.nullish(), body: Text }),
});

/**
 * The person, or null when Jira names nobody we could check. The id is never the display name: anybody may call himself anything.
 */
export function actorOf(user: User | null | undefined): Actor | null {
  const id = user?.accountId || user?.key || user?.name;
  return id ? { id, name: user?.displayName || user?.name || id } : null;
}

/** What every ticket event carries. The project comes from the key where Jira trimmed the fields. */
export function ticketOf(issue: Issue): { ticket: string; project: string } {
  return {
    ticket: issue.key,
    project: issue.fields?.project?.key ?? issue.key.slice(0, Math.max(0, issue.key.lastIndexOf("-"))),
  };
}

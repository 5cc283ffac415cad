/** The fields of GitLab's webhook bodies that we use; all others pass unseen. */
import { z } from "zod";
import type { Actor } from "../../src/domain/event.ts";
import { Text } from "../json.ts";

const Integer = z.number().int();
const User = z.object({ id: Integer.nullish(), name: Text.nullish(), username: Text.nullish() });
const Project = z.object({ path_with_namespace: Text });

export const Note = z.object({
  event_type: Text.nullish(),
  user: User.nullish(),
  project: Project,
  object_attributes: z.object({
    id: Integer,
    note: Text,
    noteable_type: Text.nullish(),
    discussion_id: Text.nullish(),
    author_id: Integer.nullish(),
    system: z.boolean().nullish(),
    internal: z.boolean().nullish(),
    /** Since GitLab 16.11. */
    action: Text.nullish(),
    /** `DiffNote`, `DiscussionNote`, or null for a comment that stands alone. */
    type: Text.nullish(),
    created_at: Text.nullish(),
    updated_at: Text.nullish(),
  }),
  merge_request: z
    .object({ iid: Integer, source_branch: Text, last_commit: z.object({ id: Text }).nullish() })
    .nullish(),
});

export const MergeRequest = z.object({
  user: User.nullish(),
  project: Project,
  object_attributes: z.object({
    iid: Integer,
    source_branch: Text,
    action: Text.nullish(),
    last_commit: z.object({ id: Text }).nullish(),
    /** The head before; only there when commits were pushed. */
    oldrev: Text.nullish(),
  }),
});

export const Pipeline = z.object({
  user: User.nullish(),
  project: Project,
  object_attributes: z.object({
    id: Integer,
    ref: Text,
    tag: z.boolean().nullish(),
    sha: Text,
    status: Text,
    source: Text.nullish(),
  }),
  merge_request: z.object({ iid: Integer }).nullish(),
});

export const Push = z.object({
  project: Project,
  ref: Text,
  before: Text,
  after: Text,
  user_id: Integer.nullish(),
  user_name: Text.nullish(),
  user_username: Text.nullish(),
});

/**
 * The person, or null when GitLab gives no number (old versions). A user name never stands in for the id: people choose their own,
 * and one made of digits would pass for somebody else.
 */
export function actorOf(user: {
  id?: number | null | undefined;
  name?: string | null | undefined;
  username?: string | null | undefined;
}): Actor | null {
  if (user.id === undefined || user.id === null) return null;
  return { id: String(user.id), name: user.username || user.name || String(user.id) };
}

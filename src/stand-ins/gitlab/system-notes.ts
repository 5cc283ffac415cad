/** Notes as records, and the ones that GitLab writes itself. */
import type { MergeRequest, Note, Position, User, World } from "./world.ts";

/** A new note that belongs to no discussion yet. */
export function newNote(
  world: World,
  user: User,
  body: string,
  more: {
    type?: Note["type"];
    system?: boolean;
    internal?: boolean;
    position?: Position | null;
    resolvable?: boolean;
  } = {},
): Note {
  const now = new Date();
  return {
    id: world.nextId(),
    type: more.type ?? null,
    body,
    authorId: user.id,
    system: more.system ?? false,
    internal: more.internal ?? false,
    position: more.position ?? null,
    resolvable: more.resolvable ?? false,
    resolvedBy: null,
    resolvedAt: null,
    createdAt: now,
    updatedAt: now,
    awards: [],
    appliedSuggestions: new Set(),
  };
}

/** Ids of discussions are 40 hex digits. */
export function newDiscussionId(): string {
  return (crypto.randomUUID() + crypto.randomUUID()).replaceAll("-", "").slice(0, 40);
}

/** "changed title" and the like. They fire no hook. */
export function addSystemNote(world: World, mergeRequest: MergeRequest, user: User, body: string): void {
  mergeRequest.discussions.push({
    id: newDiscussionId(),
    individual: true,
    notes: [newNote(world, user, body, { system: true })],
  });
}

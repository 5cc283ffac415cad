/** Notes and discussions on merge requests. */
import { isDiffLine } from "./diffs.ts";
import { emojiBody, noteBody } from "./hook-notes.ts";
import { fire } from "./hooks.ts";
import { headOf } from "./lookups.ts";
import { runQuickActions } from "./quick-action-effects.ts";
import { extractQuickActions } from "./quick-actions.ts";
import { type MergeRequestCall, notFound, type Params, Refusal } from "./request.ts";
import { newDiscussionId, newNote } from "./system-notes.ts";
import type { Award, Discussion, MergeRequest, Note, Position, Project, User, World } from "./world.ts";

/** Answer to a text that held nothing but quick actions: there is no note (202 since GitLab 18, MR 174935). */
export interface CommandsOnly {
  readonly commands_changes: Record<string, unknown>;
  readonly summary: string[];
}

/** Tells the hooks about a note. */
async function announceNote(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  discussion: Discussion,
  note: Note,
  action: "create" | "update",
): Promise<void> {
  const [lastCommit] = await project.repository.log(headOf(mergeRequest).headSha, { limit: 1 });
  const body = noteBody(world, project, user, mergeRequest, discussion, note, action, lastCommit);
  fire(world, project, note.internal ? "confidential_note_events" : "note_events", body);
}

/** Tells the hooks about an emoji. */
export async function announceEmoji(
  { world, project, user, mergeRequest }: MergeRequestCall,
  at: FoundNote & { award: Award },
  event: "award" | "revoke",
): Promise<void> {
  const [lastCommit] = await project.repository.log(headOf(mergeRequest).headSha, { limit: 1 });
  fire(world, project, "emoji_events", emojiBody(world, project, user, mergeRequest, at, event, lastCommit));
}

/** Writes a note: on its own, as a new discussion (`discussion: "new"`), or as a reply. Quick actions in it run. */
export async function writeNote(
  call: MergeRequestCall,
  body: string,
  options: { discussion?: Discussion | "new"; position?: Position | null; internal?: boolean } = {},
): Promise<{ note: Note; discussion: Discussion } | CommandsOnly> {
  const { world, project, user, mergeRequest } = call;
  if (mergeRequest.discussionLocked && call.level < 30) throw new Refusal(403, { message: "403 Forbidden" });
  const { text, actions } = extractQuickActions(body);
  if (text.trim() === "" && actions.length === 0) {
    throw new Refusal(400, { message: '400 Bad request - Note {:note=>["can\'t be blank"]}' });
  }
  const applied = await runQuickActions(world, project, user, mergeRequest, actions, "note");
  if (text.trim() === "") return { commands_changes: applied.changes, summary: applied.summary };
  const position = options.position ?? null;
  const inDiscussion = options.discussion !== undefined;
  const note = newNote(world, user, text, {
    type: position !== null ? "DiffNote" : inDiscussion ? "DiscussionNote" : null,
    position,
    resolvable: inDiscussion,
    internal: options.internal ?? false,
  });
  const discussion: Discussion =
    options.discussion === undefined || options.discussion === "new"
      ? { id: newDiscussionId(), individual: !inDiscussion, notes: [] }
      : options.discussion;
  if (discussion.notes.length === 0) mergeRequest.discussions.push(discussion);
  else if (discussion.individual) becomeThread(discussion);
  discussion.notes.push(note);
  mergeRequest.updatedAt = note.createdAt;
  await announceNote(world, project, user, mergeRequest, discussion, note, "create");
  return { note, discussion };
}

/** What GitLab makes of a single comment that is answered. */
function becomeThread(discussion: Discussion): void {
  discussion.individual = false;
  for (const note of discussion.notes) {
    note.type = "DiscussionNote";
    note.resolvable = true;
  }
}

/** Changes the text of one's own note (maintainers: of any). Quick actions run here too. */
export async function editNote(call: MergeRequestCall, found: FoundNote, body: string): Promise<Note | CommandsOnly> {
  const { world, project, user, mergeRequest } = call;
  mayChange(call, found.note);
  const { text, actions } = extractQuickActions(body);
  const applied = await runQuickActions(world, project, user, mergeRequest, actions, "note");
  if (text.trim() === "") return { commands_changes: applied.changes, summary: applied.summary };
  found.note.body = text;
  found.note.updatedAt = new Date();
  await announceNote(world, project, user, mergeRequest, found.discussion, found.note, "update");
  return found.note;
}

/** Deletes one's own note (maintainers: any). A discussion without notes is gone. */
export function deleteNote(call: MergeRequestCall, { note, discussion }: FoundNote): void {
  mayChange(call, note);
  discussion.notes.splice(discussion.notes.indexOf(note), 1);
  if (discussion.notes.length === 0) {
    call.mergeRequest.discussions.splice(call.mergeRequest.discussions.indexOf(discussion), 1);
  }
}

function mayChange(call: MergeRequestCall, note: Note): void {
  if (note.system || (note.authorId !== call.user.id && call.level < 40))
    throw new Refusal(403, { message: "403 Forbidden" });
}

/** Resolves or reopens every resolvable note of a discussion. */
export function resolveDiscussion(call: MergeRequestCall, discussion: Discussion, resolved: boolean): void {
  if (call.level < 30 && call.mergeRequest.authorId !== call.user.id)
    throw new Refusal(403, { message: "403 Forbidden" });
  for (const note of discussion.notes.filter((candidate) => candidate.resolvable)) {
    note.resolvedBy = resolved ? call.user.id : null;
    note.resolvedAt = resolved ? new Date() : null;
  }
}

export interface FoundNote {
  readonly note: Note;
  readonly discussion: Discussion;
}

/** A note of the merge request by number; 404 when there is none. */
export function findNote(mergeRequest: MergeRequest, id: number): FoundNote {
  for (const discussion of mergeRequest.discussions) {
    const note = discussion.notes.find((candidate) => candidate.id === id);
    if (note !== undefined) return { note, discussion };
  }
  throw notFound();
}

export function findDiscussion(mergeRequest: MergeRequest, id: string): Discussion {
  const discussion = mergeRequest.discussions.find((candidate) => candidate.id === id);
  if (discussion === undefined) throw notFound("Discussion");
  return discussion;
}

/**
 * The position a comment asks for, and whether it is a line of the diff. Null when none was asked for. Incomplete positions are refused
 * with 400.
 */
export async function readPosition(call: MergeRequestCall): Promise<{ position: Position; fits: boolean } | null> {
  const raw = call.params.position;
  if (raw === undefined || raw === null) return null;
  if (typeof raw !== "object" || Array.isArray(raw)) throw new Refusal(400, { error: "position is invalid" });
  const at = raw as Params;
  const missing = ["base_sha", "start_sha", "head_sha", "position_type"].filter((name) => at[name] === undefined);
  if (missing.length > 0)
    throw new Refusal(400, { error: missing.map((name) => `position[${name}] is missing`).join(", ") });
  const word = (name: string): string => String(at[name] ?? "");
  const line = (name: string): number | null =>
    at[name] === undefined || at[name] === null || at[name] === "" ? null : Number(at[name]);
  const position: Position = {
    position_type: word("position_type"),
    base_sha: word("base_sha"),
    start_sha: word("start_sha"),
    head_sha: word("head_sha"),
    old_path: word("old_path"),
    new_path: word("new_path"),
    old_line: line("old_line"),
    new_line: line("new_line"),
  };
  const version = call.mergeRequest.versions.find(
    (candidate) =>
      candidate.baseSha === position.base_sha &&
      candidate.startSha === position.start_sha &&
      candidate.headSha === position.head_sha,
  );
  if (version === undefined) return { position, fits: false };
  const { old_path: oldPath, new_path: newPath, old_line: oldLine, new_line: newLine } = position;
  const fits = await isDiffLine(call.project.repository, version.baseSha, version.headSha, {
    oldPath,
    newPath,
    oldLine,
    newLine,
  });
  return { position, fits };
}

/** The same for a comment that is made at once. One that does not fit becomes a plain note with 201, which is the trap, or is refused. */
export async function readFitting(call: MergeRequestCall): Promise<Position | null> {
  const asked = await readPosition(call);
  if (asked === null || asked.fits) return asked?.position ?? null;
  if (call.world.misplaced === "plain") return null;
  const reason = `Note {:line_code=>["can't be blank", "must be a valid line code"]}`;
  throw new Refusal(400, { message: `400 Bad request - ${reason}` });
}

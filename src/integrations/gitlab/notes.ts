/** Our notes in the conversation of a merge request, emoji, and threads that are done. */
import { MergeRequestDiscussions, MergeRequestNoteAwardEmojis, MergeRequestNotes } from "@gitbeaker/rest";
import { z } from "zod";
import type { Ensured } from "../../domain/effect.ts";
import { Permanent } from "../../domain/errors.ts";
import type { Marker, ReviewWriter } from "../../domain/ports.ts";
import { isSameText, printNote, readNote } from "./note-text.ts";
import { type Account, addressOf, type OnMergeRequest, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";
import {
  type DiscussionAnswer,
  DiscussionAnswer as DiscussionSchema,
  listDiscussions,
  type NoteAnswer,
} from "./threads.ts";

/** A text of nothing but quick actions is not kept: GitLab answers with what it did (202) instead of a note. */
const WrittenAnswer = z.union([z.object({ id: z.number().int() }), z.object({ commands_changes: z.unknown() })]);

function idOf(answer: unknown): number {
  const written = checked(WrittenAnswer, answer, "note");
  if ("id" in written) return written.id;
  throw new Permanent("GitLab took a note for quick actions and did not keep it", { status: 202 });
}

/** Our note of that marker. Of several (two attempts at once) the oldest. */
export function findOurs(discussions: readonly DiscussionAnswer[], marker: Marker, ourId: string) {
  for (const discussion of discussions) {
    const note = discussion.notes.find(
      (candidate) =>
        !candidate.system && String(candidate.author.id) === ourId && readNote(candidate.body).marker === marker,
    );
    if (note !== undefined) return { discussion, note };
  }
  return undefined;
}

type NoteWriter = Pick<ReviewWriter, "ensureAward" | "ensureNote" | "ensureResolved">;

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createNoteWriter(resource: Resource, account: Account): NoteWriter {
  const discussions = new MergeRequestDiscussions(resource);
  const notes = new MergeRequestNotes(resource);
  const awards = new MergeRequestNoteAwardEmojis(resource);
  const at = (place: OnMergeRequest, noteId: number): Ensured["ref"] => ({
    id: String(noteId),
    url: addressOf(resource, place, noteId),
  });

  async function showDiscussion({ repository, iid }: OnMergeRequest, id: string): Promise<DiscussionAnswer> {
    return checked(DiscussionSchema, await discussions.show(repository, iid, id), "thread");
  }

  async function bringUpToDate(place: OnMergeRequest, note: NoteAnswer, text: string): Promise<Ensured> {
    if (isSameText(note.body, text)) return { outcome: "unchanged", ref: at(place, note.id) };
    idOf(await notes.edit(place.repository, place.iid, note.id, { body: text }));
    return { outcome: "updated", ref: at(place, note.id) };
  }

  return {
    async ensureAward({ repository, iid, noteId, name }) {
      const ref = at({ repository, iid }, noteId);
      try {
        await awards.award(repository, iid, noteId, name);
        return { outcome: "created", ref };
      } catch (error) {
        // "404 Award Emoji Name has already been taken Not Found"; other 404s mean that the note is gone.
        if (!(error instanceof Permanent) || error.status !== 404 || !/taken/i.test(error.message)) throw error;
        return { outcome: "unchanged", ref };
      }
    },

    async ensureNote({ repository, iid, discussionId, marker, body }) {
      const place = { repository, iid };
      const text = printNote(marker, body);
      const me = await account.me();
      const around =
        discussionId === null ? await listDiscussions(discussions, place) : [await showDiscussion(place, discussionId)];
      const found = findOurs(around, marker, me.id);
      if (found !== undefined) return bringUpToDate(place, found.note, text);
      const answer: unknown =
        discussionId === null
          ? // A plain comment: a thread would have to be resolved before a merge in projects that ask for it.
            await notes.create(repository, iid, text)
          : await discussions.addNote(repository, iid, discussionId, text);
      return { outcome: "created", ref: at(place, idOf(answer)) };
    },

    async ensureResolved({ repository, iid, discussionId }) {
      const place = { repository, iid };
      const thread = await showDiscussion(place, discussionId);
      const open = thread.notes.filter((note) => note.resolvable === true && note.resolved !== true);
      const ref = { id: discussionId, url: addressOf(resource, place, thread.notes[0]?.id) };
      if (open.length > 0) {
        await discussions.resolve(repository, iid, discussionId, true);
        return { outcome: "updated", ref };
      }
      if (!thread.notes.some((note) => note.resolvable === true)) {
        throw new Permanent(`thread ${discussionId} of !${iid} is a comment that nobody can resolve`, { status: 400 });
      }
      return { outcome: "unchanged", ref };
    },
  };
}

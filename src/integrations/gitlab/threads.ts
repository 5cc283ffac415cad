/** The conversation on a merge request, read. */
import { MergeRequestDiscussions } from "@gitbeaker/rest";
import { z } from "zod";
import type { Thread, ThreadNote } from "../../domain/merge-request.ts";
import type { ReviewReader } from "../../domain/ports.ts";
import { sameNewlines } from "./description.ts";
import { readNote } from "./note-text.ts";
import { type Account, allPages, type OnMergeRequest, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";

const Person = z.object({ id: z.number().int(), username: z.string() });
type Person = z.infer<typeof Person>;

/** Images and whole files have no lines. */
const PositionAnswer = z.object({
  head_sha: z.string(),
  old_path: z.string().nullish(),
  new_path: z.string().nullish(),
  old_line: z.number().int().nullish(),
  new_line: z.number().int().nullish(),
});

export const NoteAnswer = z.object({
  id: z.number().int(),
  /** `DiffNote` on a line, `DiscussionNote` in a thread, null alone. */
  type: z.string().nullish(),
  body: z.string(),
  author: Person,
  created_at: z.string(),
  system: z.boolean(),
  resolvable: z.boolean().nullish(),
  resolved: z.boolean().nullish(),
  resolved_by: Person.nullish(),
  position: PositionAnswer.nullish(),
});
export type NoteAnswer = z.infer<typeof NoteAnswer>;

export const DiscussionAnswer = z.object({
  id: z.string(),
  individual_note: z.boolean(),
  notes: z.array(NoteAnswer),
});
export type DiscussionAnswer = z.infer<typeof DiscussionAnswer>;

/** Every discussion of a merge request, page after page, system notes included. */
export async function listDiscussions(
  discussions: MergeRequestDiscussions,
  { repository, iid }: OnMergeRequest,
): Promise<DiscussionAnswer[]> {
  const answers: unknown = await discussions.all(repository, iid, allPages);
  return checked(DiscussionAnswer.array(), answers, "list of threads");
}

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createThreadReader(resource: Resource, account: Account): Pick<ReviewReader, "listThreads"> {
  const discussions = new MergeRequestDiscussions(resource);
  return {
    async listThreads(at) {
      const me = await account.me();
      const threads = (await listDiscussions(discussions, at)).flatMap((found) => toThread(found, me.id));
      return threads.sort((a, b) => momentOf(a) - momentOf(b));
    },
  };
}

function momentOf({ notes }: Thread): number {
  return Date.parse(notes[0]?.createdAt ?? "") || 0;
}

const toActor = ({ id, username }: Person) => ({ id: String(id), name: username });

function toNote(answer: NoteAnswer, ourId: string): ThreadNote {
  const author = toActor(answer.author);
  const { body, marker } =
    author.id === ourId ? readNote(answer.body) : { body: sameNewlines(answer.body), marker: null };
  return { id: answer.id, author, body, marker, createdAt: answer.created_at };
}

/** Nothing when all of it is GitLab's own words. */
function toThread(answer: DiscussionAnswer, ourId: string): Thread[] {
  const notes = answer.notes.filter((note) => !note.system);
  const first = notes[0];
  if (first === undefined) return [];
  const resolvable = notes.filter((note) => note.resolvable === true);
  const resolved = resolvable.length > 0 && resolvable.every((note) => note.resolved === true);
  const resolvedBy = resolved ? resolvable.findLast((note) => note.resolved_by != null)?.resolved_by : null;
  return [
    {
      id: answer.id,
      resolvable: resolvable.length > 0,
      resolved,
      resolvedBy: resolvedBy == null ? null : toActor(resolvedBy),
      notes: notes.map((note) => toNote(note, ourId)),
      position: toPosition(first),
    },
  ];
}

function toPosition({ position }: NoteAnswer): Thread["position"] {
  const path = position?.new_path ?? position?.old_path;
  if (position == null || path == null) return null;
  return {
    path,
    oldPath: position.old_path ?? path,
    line: position.new_line ?? null,
    oldLine: position.old_line ?? null,
    head: position.head_sha,
  };
}

/** Notes, discussions, drafts of reviews and emoji on merge requests. */
import type { Route } from "../server.ts";
import { discussionShape, draftNoteShape, noteShape } from "./merge-request-shapes.ts";
import {
  announceEmoji,
  deleteNote,
  editNote,
  type FoundNote,
  findDiscussion,
  findNote,
  readFitting,
  readPosition,
  resolveDiscussion,
  writeNote,
} from "./notes.ts";
import {
  bool,
  integer,
  type MergeRequestCall,
  notFound,
  oneOf,
  onMergeRequest,
  paginate,
  Refusal,
  requireParams,
  text,
} from "./request.ts";
import { userShapeOf } from "./shapes.ts";
import type { Award, Discussion, DraftNote, Note, World } from "./world.ts";

const one = "/api/v4/projects/:id/merge_requests/:iid";

/** Anybody who sees the project (Guest and up) may comment. */
const COMMENT = 10;

const bodyOf = ({ params }: MergeRequestCall): string => {
  requireParams(params, "body");
  return text(params, "body") ?? "";
};
const noteReply = (call: MergeRequestCall, note: Note, status = 200) => ({
  status,
  body: noteShape(call.world, call.project, call.mergeRequest, note),
});
const discussionReply = (call: MergeRequestCall, discussion: Discussion, status = 200) => ({
  status,
  body: discussionShape(call.world, call.project, call.mergeRequest, discussion),
});
const noteAt = (call: MergeRequestCall): FoundNote => findNote(call.mergeRequest, integer(call.route.note, "note_id"));
const discussionAt = (call: MergeRequestCall): Discussion =>
  findDiscussion(call.mergeRequest, call.route.discussion ?? "");

/** Single notes. */
export function noteRoutes(world: World): Route[] {
  const edit = async (call: MergeRequestCall) => {
    const written = await editNote(call, noteAt(call), bodyOf(call));
    return "summary" in written ? { status: 202, body: written } : noteReply(call, written);
  };
  const remove = (call: MergeRequestCall) => {
    deleteNote(call, noteAt(call));
    return { status: 204 };
  };
  return [
    [
      "GET",
      `${one}/notes`,
      onMergeRequest(world, COMMENT, (call) => {
        const sort = oneOf(call.params, "sort", ["asc", "desc"]) ?? "desc";
        const notes = call.mergeRequest.discussions
          .flatMap((discussion) => discussion.notes)
          .sort((a, b) => a.id - b.id);
        const ordered = sort === "asc" ? notes : notes.reverse();
        return paginate(
          call,
          ordered.map((note) => noteShape(world, call.project, call.mergeRequest, note)),
        );
      }),
    ],
    [
      "POST",
      `${one}/notes`,
      onMergeRequest(world, COMMENT, async (call) => {
        const written = await writeNote(call, bodyOf(call), { internal: bool(call.params, "internal") ?? false });
        return "summary" in written ? { status: 202, body: written } : noteReply(call, written.note, 201);
      }),
    ],
    ["GET", `${one}/notes/:note`, onMergeRequest(world, COMMENT, (call) => noteReply(call, noteAt(call).note))],
    ["PUT", `${one}/notes/:note`, onMergeRequest(world, COMMENT, edit)],
    ["DELETE", `${one}/notes/:note`, onMergeRequest(world, COMMENT, remove)],
    ...awardRoutes(world),
    [
      "PUT",
      `${one}/discussions/:discussion/notes/:note`,
      onMergeRequest(world, COMMENT, async (call) => {
        const resolved = bool(call.params, "resolved");
        if (resolved === undefined) return edit(call);
        resolveDiscussion(call, discussionAt(call), resolved);
        return noteReply(call, noteAt(call).note);
      }),
    ],
    ["DELETE", `${one}/discussions/:discussion/notes/:note`, onMergeRequest(world, COMMENT, remove)],
  ];
}

/** Threads. */
export function discussionRoutes(world: World): Route[] {
  return [
    [
      "GET",
      `${one}/discussions`,
      onMergeRequest(world, COMMENT, (call) =>
        paginate(
          call,
          call.mergeRequest.discussions.map((found) => discussionShape(world, call.project, call.mergeRequest, found)),
        ),
      ),
    ],
    [
      "POST",
      `${one}/discussions`,
      onMergeRequest(world, COMMENT, async (call) => {
        const body = bodyOf(call);
        const position = await readFitting(call);
        const written = await writeNote(call, body, { discussion: "new", position });
        return "summary" in written ? { status: 202, body: written } : discussionReply(call, written.discussion, 201);
      }),
    ],
    [
      "GET",
      `${one}/discussions/:discussion`,
      onMergeRequest(world, COMMENT, (call) => discussionReply(call, discussionAt(call))),
    ],
    [
      "PUT",
      `${one}/discussions/:discussion`,
      onMergeRequest(world, COMMENT, (call) => {
        requireParams(call.params, "resolved");
        resolveDiscussion(call, discussionAt(call), bool(call.params, "resolved") ?? false);
        return discussionReply(call, discussionAt(call));
      }),
    ],
    [
      "POST",
      `${one}/discussions/:discussion/notes`,
      onMergeRequest(world, COMMENT, async (call) => {
        const discussion = discussionAt(call);
        // A single comment becomes a thread with its first answer (lib/api/discussions.rb, `can_convert_to_discussion?`).
        if (discussion.notes.some((note) => note.system))
          throw new Refusal(400, { message: "400 Bad request - Discussion can not be replied to." });
        const written = await writeNote(call, bodyOf(call), { discussion });
        return "summary" in written ? { status: 202, body: written } : noteReply(call, written.note, 201);
      }),
    ],
  ];
}

function awardRoutes(world: World): Route[] {
  const place = `${one}/notes/:note/award_emoji`;
  const shape = (note: Note, award: Award) => ({
    id: award.id,
    name: award.name,
    user: userShapeOf(world, award.userId),
    created_at: award.createdAt.toISOString(),
    updated_at: award.createdAt.toISOString(),
    awardable_id: note.id,
    awardable_type: "Note",
    url: null,
  });
  return [
    [
      "GET",
      place,
      onMergeRequest(world, COMMENT, (call) => {
        const { note } = noteAt(call);
        return paginate(
          call,
          note.awards.map((award) => shape(note, award)),
        );
      }),
    ],
    [
      "POST",
      place,
      onMergeRequest(world, COMMENT, async (call) => {
        requireParams(call.params, "name");
        const found = noteAt(call);
        const { note } = found;
        const name = text(call.params, "name") ?? "";
        if (note.awards.some((award) => award.name === name && award.userId === call.user.id)) {
          throw new Refusal(404, { message: "404 Award Emoji Name has already been taken Not Found" });
        }
        const award = { id: world.nextId(), name, userId: call.user.id, createdAt: new Date() };
        note.awards.push(award);
        await announceEmoji(call, { ...found, award }, "award");
        return { status: 201, body: shape(note, award) };
      }),
    ],
    [
      "DELETE",
      `${place}/:award`,
      onMergeRequest(world, COMMENT, async (call) => {
        const found = noteAt(call);
        const { note } = found;
        const index = note.awards.findIndex(
          (award) => String(award.id) === call.route.award && award.userId === call.user.id,
        );
        if (index < 0) throw notFound();
        const [award] = note.awards.splice(index, 1);
        if (award !== undefined) await announceEmoji(call, { ...found, award }, "revoke");
        return { status: 204 };
      }),
    ],
  ];
}

/** Reviews that are written in peace and published at once. Drafts are seen by their author only. */
export function draftNoteRoutes(world: World): Route[] {
  const place = `${one}/draft_notes`;
  const mine = ({ mergeRequest, user }: MergeRequestCall) =>
    mergeRequest.draftNotes.filter((draft) => draft.authorId === user.id);
  const draftAt = (call: MergeRequestCall): DraftNote => {
    const draft = mine(call).find((candidate) => String(candidate.id) === call.route.draft);
    if (draft === undefined) throw notFound();
    return draft;
  };
  const publish = async (call: MergeRequestCall, drafts: readonly DraftNote[]) => {
    for (const draft of drafts) {
      call.mergeRequest.draftNotes.splice(call.mergeRequest.draftNotes.indexOf(draft), 1);
      // Its note is not saved, and nobody looks whether it was.
      if (draft.lost) continue;
      const reply = draft.discussionId === null ? undefined : findDiscussion(call.mergeRequest, draft.discussionId);
      await writeNote(call, draft.note, { discussion: reply ?? "new", position: draft.position });
      if (reply !== undefined && draft.resolveDiscussion) resolveDiscussion(call, reply, true);
    }
    return { status: 204 };
  };
  return [
    [
      "GET",
      place,
      onMergeRequest(world, COMMENT, (call) =>
        paginate(
          call,
          mine(call).map((draft) => draftNoteShape(call.mergeRequest, draft)),
        ),
      ),
    ],
    [
      "POST",
      place,
      onMergeRequest(world, COMMENT, async (call) => {
        requireParams(call.params, "note");
        const asked = await readPosition(call);
        const draft: DraftNote = {
          id: world.nextId(),
          authorId: call.user.id,
          note: text(call.params, "note") ?? "",
          discussionId: text(call.params, "in_reply_to_discussion_id") ?? null,
          resolveDiscussion: bool(call.params, "resolve_discussion") ?? false,
          commitId: text(call.params, "commit_id") ?? null,
          position: asked?.position ?? null,
          lost: asked?.fits === false,
        };
        if (draft.discussionId !== null) findDiscussion(call.mergeRequest, draft.discussionId);
        call.mergeRequest.draftNotes.push(draft);
        return { status: 201, body: draftNoteShape(call.mergeRequest, draft) };
      }),
    ],
    ["POST", `${place}/bulk_publish`, onMergeRequest(world, COMMENT, (call) => publish(call, mine(call)))],
    [
      "GET",
      `${place}/:draft`,
      onMergeRequest(world, COMMENT, (call) => ({
        status: 200,
        body: draftNoteShape(call.mergeRequest, draftAt(call)),
      })),
    ],
    [
      "PUT",
      `${place}/:draft`,
      onMergeRequest(world, COMMENT, (call) => {
        const draft = draftAt(call);
        draft.note = text(call.params, "note") ?? draft.note;
        return { status: 200, body: draftNoteShape(call.mergeRequest, draft) };
      }),
    ],
    [
      "DELETE",
      `${place}/:draft`,
      onMergeRequest(world, COMMENT, (call) => {
        call.mergeRequest.draftNotes.splice(call.mergeRequest.draftNotes.indexOf(draftAt(call)), 1);
        return { status: 204 };
      }),
    ],
    ["PUT", `${place}/:draft/publish`, onMergeRequest(world, COMMENT, (call) => publish(call, [draftAt(call)]))],
  ];
}

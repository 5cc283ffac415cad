import { expect, test } from "vitest";
import { printNote, readNote } from "../../../src/integrations/gitlab/note-text.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import type { GitLabStandIn } from "../../../src/stand-ins/gitlab/gitlab.ts";
import { api, bot, dana, mary, rita, shop } from "../../stand-ins/gitlab/playground.ts";
import { at, connect, failOnce, losses, talk, writesOf } from "./connection.ts";

const hello = parseMarkdown("Hello, **world**.");
const bye = parseMarkdown("Bye.");
const notesOf = (gitlab: GitLabStandIn) =>
  gitlab.mergeRequests(shop)[0]?.discussions.flatMap(({ notes }) => notes.filter(({ system }) => !system)) ?? [];

/** Somebody says something; gives the ids of the thread and of the note. */
async function say(gitlab: GitLabStandIn, body: string, where: "notes" | "discussions" = "discussions", who = dana) {
  const answer = await api(gitlab, who, "POST", `merge_requests/1/${where}`, { body });
  const threads = await api(gitlab, who, "GET", "merge_requests/1/discussions?per_page=100");
  const noteId: number = where === "notes" ? answer.body.id : answer.body.notes[0].id;
  const thread = threads.body.find(({ notes }: { notes: { id: number }[] }) => notes.some(({ id }) => id === noteId));
  return { noteId, discussionId: String(thread.id) };
}

test("an emoji is put on a note once; a note that is gone is said to be", async () => {
  const { gitlab, client } = await talk();
  const { noteId } = await say(gitlab, "@ticketsmith help");
  const award = { ...at, noteId, name: "eyes" };
  const url = `${gitlab.baseUrl}/acme/shop/-/merge_requests/1#note_${noteId}`;
  expect(await client.ensureAward(award)).toEqual({ outcome: "created", ref: { id: String(noteId), url } });
  expect(await client.ensureAward(award)).toMatchObject({ outcome: "unchanged", ref: { url } });
  expect(notesOf(gitlab)[0]?.awards).toMatchObject([{ name: "eyes", userId: bot.id }]);
  await expect(client.ensureAward({ ...award, noteId: 999_999 })).rejects.toMatchObject({ status: 404 });
});

test.each(["notes", "discussions"] as const)(
  "an answer among %s: once, edited in place, in the thread it was asked in",
  async (where) => {
    const { gitlab, client } = await talk();
    const { discussionId, noteId } = await say(gitlab, "@ticketsmith help", where);
    await say(gitlab, "something else");
    const answer = { ...at, discussionId, marker: `note:answer:${noteId}` };
    const first = await client.ensureNote({ ...answer, body: hello });
    expect(first.outcome).toBe("created");
    expect(await client.ensureNote({ ...answer, body: hello })).toEqual({ ...first, outcome: "unchanged" });
    expect(await client.ensureNote({ ...answer, body: bye })).toEqual({ ...first, outcome: "updated" });
    expect(writesOf(gitlab)).toEqual(["POST discussions/…/notes", "PUT notes/#"]);
    const threads = await client.listThreads(at);
    expect(threads).toMatchObject([
      {
        id: discussionId,
        resolvable: true,
        notes: [
          { id: noteId, author: { id: "11", name: "dana" }, body: "@ticketsmith help", marker: null },
          { id: Number(first.ref.id), author: { id: "7", name: "ticketsmith" }, body: "Bye.", marker: answer.marker },
        ],
      },
      { notes: [{ body: "something else" }] },
    ]);
    expect(gitlab.unknown).toEqual([]);
  },
);

test("a note that stands alone is a comment that keeps nobody from merging", async () => {
  const { gitlab, client } = await talk();
  const note = { ...at, discussionId: null, marker: "note:review" };
  expect(await client.ensureNote({ ...note, body: hello })).toMatchObject({ outcome: "created" });
  expect(await client.ensureNote({ ...note, body: hello })).toMatchObject({ outcome: "unchanged" });
  expect(await client.ensureNote({ ...note, marker: "note:other", body: hello })).toMatchObject({ outcome: "created" });
  expect(await client.listThreads(at)).toMatchObject([{ resolvable: false }, { resolvable: false }]);
  expect(writesOf(gitlab)).toEqual(["POST notes", "POST notes"]);
});

test("a marker in somebody else's note is neither found nor believed", async () => {
  const { gitlab, client } = await talk();
  const forged = printNote("note:review", parseMarkdown("I am the bot."));
  await say(gitlab, forged, "notes");
  const made = await client.ensureNote({ ...at, discussionId: null, marker: "note:review", body: hello });
  expect(made.outcome).toBe("created");
  const threads = await client.listThreads(at);
  expect(threads.map(({ notes }) => notes[0]?.marker)).toEqual([null, "note:review"]);
  expect(threads[0]?.notes[0]?.body).toContain("I am the bot.");
});

test("our note is found behind a hundred others", async () => {
  const { gitlab, client } = await talk();
  for (let i = 0; i < 105; i += 1) await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: `Note ${i}` });
  const note = { ...at, discussionId: null, marker: "note:review" };
  await client.ensureNote({ ...note, body: hello });
  expect(await client.ensureNote({ ...note, body: hello })).toMatchObject({ outcome: "unchanged" });
  expect(await client.listThreads(at)).toHaveLength(106);
});

test.each(losses)(
  "a note, with %s: Retryable, and the second try leaves exactly one",
  async (_name, fault, happened) => {
    const { gitlab, client } = await talk();
    const { discussionId } = await say(gitlab, "@ticketsmith help");
    for (const place of [discussionId, null]) {
      const note = {
        ...at,
        discussionId: place,
        marker: `note:${place === null ? "review" : "answer:1"}`,
        body: hello,
      };
      failOnce(gitlab, /POST .*\/notes$/, fault);
      await expect(client.ensureNote(note)).rejects.toMatchObject({ name: "Retryable" });
      expect(await client.ensureNote(note)).toMatchObject({ outcome: happened ? "unchanged" : "created" });
    }
    expect(notesOf(gitlab).filter(({ authorId }) => authorId === bot.id)).toHaveLength(2);
  },
);

test("what GitLab takes for quick actions is an error and not a note", async () => {
  const { gitlab, client } = await talk();
  // The gate never lets this through, and the marker keeps a note from being empty: seen from a server that strips comments.
  failOnce(gitlab, /POST .*\/notes$/, {
    when: "before",
    answer: { status: 202, body: { commands_changes: { approve: true }, summary: ["Approved."] } },
  });
  const note = { ...at, discussionId: null, marker: "note:review", body: hello };
  await expect(client.ensureNote(note)).rejects.toMatchObject({ name: "Permanent", status: 202 });
});

test("an answer to a thread that was deleted is refused", async () => {
  const { gitlab, client } = await talk();
  const { discussionId, noteId } = await say(gitlab, "@ticketsmith help");
  await api(gitlab, dana, "DELETE", `merge_requests/1/notes/${noteId}`);
  const note = { ...at, discussionId, marker: "note:answer:1", body: hello };
  await expect(client.ensureNote(note)).rejects.toMatchObject({ name: "Permanent", status: 404 });
});

test("a thread is resolved once; a comment is not resolvable; others may be faster", async () => {
  const { gitlab, client } = await talk();
  const { discussionId } = await say(gitlab, "Please rename it.");
  expect(await client.ensureResolved({ ...at, discussionId })).toMatchObject({ outcome: "updated" });
  expect(await client.ensureResolved({ ...at, discussionId })).toMatchObject({ outcome: "unchanged" });
  expect(await client.listThreads(at)).toMatchObject([
    { resolved: true, resolvedBy: { id: "7", name: "ticketsmith" } },
  ]);
  await api(gitlab, mary, "PUT", `merge_requests/1/discussions/${discussionId}?resolved=false`);
  await api(gitlab, mary, "PUT", `merge_requests/1/discussions/${discussionId}?resolved=true`);
  expect(await client.ensureResolved({ ...at, discussionId })).toMatchObject({ outcome: "unchanged" });
  expect(await client.listThreads(at)).toMatchObject([{ resolvedBy: { id: "12" } }]);
  expect(writesOf(gitlab)).toEqual(["PUT discussions/…"]);

  const comment = await say(gitlab, "Nice.", "notes");
  await expect(client.ensureResolved({ ...at, discussionId: comment.discussionId })).rejects.toMatchObject({
    name: "Permanent",
  });
  const other = await say(gitlab, "And this?");
  const reporter = connect(gitlab, rita);
  await expect(reporter.ensureResolved({ ...at, discussionId: other.discussionId })).rejects.toMatchObject({
    status: 403,
  });
});

test("GitLab's own notes are left out, those of a closed thread are not", async () => {
  const { gitlab, client } = await talk();
  await api(gitlab, mary, "PUT", "merge_requests/1", { title: "Taxes, both" });
  const { discussionId } = await say(gitlab, "Why?");
  expect((await client.listThreads(at)).map(({ id }) => id)).toEqual([discussionId]);
});

test.each([
  ["plain", "Hello\n\n<!-- ticketsmith:note note:a -->", { body: "Hello", marker: "note:a" }],
  ["from the web editor", "Hello\r\n\r\n<!-- ticketsmith:note note:a -->\r\n", { body: "Hello", marker: "note:a" }],
  ["in the middle", "<!-- ticketsmith:note note:a -->\n\nHello", null],
  ["of another kind", "Hello\n\n<!-- ticketsmith:begin mr:SHOP-1 -->", null],
  ["that people added to", "Hello\n\n<!-- ticketsmith:note note:a -->\n\nP.S.", null],
])("a marker %s", (_name, text, wanted) => {
  const { body, marker } = readNote(text);
  expect(wanted === null ? marker : { body, marker }).toEqual(wanted);
});

test("a body cannot bring a marker of its own, and a marker cannot leave its comment", () => {
  const body = parseMarkdown("a\n\n<!-- ticketsmith:note note:other -->");
  expect(readNote(printNote("note:a", body)).marker).toBe("note:a");
  expect(printNote("note:a", body).match(/ticketsmith:note/g)).toHaveLength(1);
  for (const marker of ["a --> b", "a--b", "", "a b", "ä"]) expect(() => printNote(marker, body)).toThrow(/marker/);
});

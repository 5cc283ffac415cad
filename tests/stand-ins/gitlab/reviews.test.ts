/** What GitLab does to comments on lines: with wrong places, after a push, and when a suggestion is taken. */
import { expect, test } from "vitest";
import type { GitLabStandIn } from "../../../src/stand-ins/gitlab/gitlab.ts";
import { api, bot, commit, dana, mary, openGitLab, openMergeRequest, rita, shop } from "./playground.ts";

const lines = ["one", "two", "three", "four", "five"];
const file = "src/list.txt";
const text = (...content: string[]): string => `${content.join("\n")}\n`;

async function open(settings: object = {}) {
  const gitlab = await openGitLab();
  Object.assign(gitlab.project(shop).settings, settings);
  await openMergeRequest(gitlab, { [file]: text(...lines), "src/cart.ts": "export const total = 0;\n" });
  return gitlab;
}

async function position(gitlab: GitLabStandIn, more: object) {
  const { body } = await api(gitlab, dana, "GET", "merge_requests/1");
  return { position_type: "text", ...body.diff_refs, old_path: file, new_path: file, ...more };
}

/** Dana comments on a line; gives the thread's id. */
async function comment(gitlab: GitLabStandIn, more: object, body = "Why?"): Promise<string> {
  const answer = await api(gitlab, dana, "POST", "merge_requests/1/discussions", {
    body,
    position: await position(gitlab, more),
  });
  expect([answer.status, answer.body.notes[0].type]).toEqual([201, "DiffNote"]);
  return answer.body.id;
}

const firstNote = async (gitlab: GitLabStandIn, thread: string) =>
  (await api(gitlab, dana, "GET", `merge_requests/1/discussions/${thread}`)).body.notes[0];

const push = (gitlab: GitLabStandIn, ...content: string[]) =>
  commit(gitlab, "feature/tax", [{ action: "update", file_path: file, content: text(...content) }]);

test.each<[string, string[], object, number | null]>([
  ["lines come above", ["zero", ...lines], { new_line: 3 }, 4],
  ["lines go above", lines.slice(1), { new_line: 3 }, 2],
  ["lines change below", ["one", "two", "three", "FOUR"], { new_line: 3 }, 3],
  ["the line itself changes", ["one", "two", "THREE", "four", "five"], { new_line: 3 }, null],
  ["the line goes", ["one", "two", "four", "five"], { new_line: 3 }, null],
])("a comment when %s", async (_name, content, at, line) => {
  const gitlab = await open();
  const thread = await comment(gitlab, at);
  const before = (await firstNote(gitlab, thread)).position;
  const head = await push(gitlab, ...content);
  const after = (await firstNote(gitlab, thread)).position;
  if (line === null) expect(after).toEqual(before);
  else expect(after).toMatchObject({ head_sha: head, new_line: line, new_path: file });
});

test("a comment on a removed line stays with it, and one goes along when its file is renamed", async () => {
  const gitlab = await open();
  const removed = await comment(gitlab, { old_path: "src/cart.ts", new_path: "src/cart.ts", old_line: 2 });
  const thread = await comment(gitlab, { new_line: 2 });
  const head = await commit(gitlab, "feature/tax", [
    { action: "move", previous_path: file, file_path: "src/names.txt" },
  ]);
  expect((await firstNote(gitlab, removed)).position).toMatchObject({ head_sha: head, old_line: 2, new_line: null });
  expect((await firstNote(gitlab, thread)).position).toMatchObject({
    head_sha: head,
    new_path: "src/names.txt",
    new_line: 2,
  });
});

test("outdated threads are resolved where the project says so", async () => {
  const gitlab = await open({ resolveOutdatedThreads: true });
  const [stays, goes] = [await comment(gitlab, { new_line: 1 }), await comment(gitlab, { new_line: 3 })];
  await push(gitlab, "one", "two", "THREE", "four", "five");
  expect([(await firstNote(gitlab, stays)).resolved, (await firstNote(gitlab, goes)).resolved]).toEqual([false, true]);
});

test("a draft on a line that is not there is taken, and forgotten when it is published", async () => {
  const gitlab = await open();
  const draft = async (more: object) => {
    const note = { note: "Why?", position: await position(gitlab, more) };
    return (await api(gitlab, bot, "POST", "merge_requests/1/draft_notes", note)).body;
  };
  expect(await draft({ new_line: 99 })).toMatchObject({ line_code: null, position: { new_line: 99 } });
  expect(await draft({ new_line: 2 })).toMatchObject({ line_code: expect.stringMatching(/^[0-9a-f]{40}_0_2$/) });
  expect((await api(gitlab, bot, "POST", "merge_requests/1/draft_notes/bulk_publish")).status).toBe(204);
  expect((await api(gitlab, bot, "GET", "merge_requests/1/draft_notes")).body).toEqual([]);
  const threads = (await api(gitlab, dana, "GET", "merge_requests/1/discussions")).body;
  expect(threads).toMatchObject([{ notes: [{ type: "DiffNote", position: { new_line: 2 } }] }]);
});

test("where comments that miss are refused", async () => {
  const gitlab = await openGitLab({ misplaced: "refused" });
  await openMergeRequest(gitlab);
  const note = { body: "Why?", position: await position(gitlab, { new_line: 99 }) };
  const answer = await api(gitlab, dana, "POST", "merge_requests/1/discussions", note);
  expect(answer.status).toBe(400);
  expect(answer.body.message).toMatch(/line_code=>\["can't be blank"/);
});

test("a suggestion is committed with a click, once and only while the line is as it was", async () => {
  const gitlab = await open();
  const thread = await comment(gitlab, { new_line: 3 }, "Better:\n\n```suggestion:-1+0\nTWO\nTHREE\n```");
  const [suggestion] = (await firstNote(gitlab, thread)).suggestions;
  expect(suggestion).toMatchObject({ from_line: 2, to_line: 3, appliable: true, to_content: "TWO\nTHREE\n" });
  expect((await api(gitlab, rita, "PUT", `/suggestions/${suggestion.id}/apply`)).status).toBe(403);
  expect((await api(gitlab, mary, "PUT", `/suggestions/${suggestion.id}/apply`)).body).toMatchObject({ applied: true });
  const { repository } = gitlab.project(shop);
  expect((await repository.readBlob("feature/tax", file))?.toString()).toBe(
    text("one", "TWO", "THREE", "four", "five"),
  );
  expect(await firstNote(gitlab, thread)).toMatchObject({ resolved: true, suggestions: [{ applied: true }] });
  expect((await api(gitlab, mary, "PUT", `/suggestions/${suggestion.id}/apply`)).status).toBe(400);
  expect((await api(gitlab, mary, "PUT", "/suggestions/1/apply")).status).toBe(404);
});

test("an answer makes a thread of a comment, GitLab's own notes take none", async () => {
  const gitlab = await open();
  await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "Nice." });
  await api(gitlab, mary, "PUT", "merge_requests/1", { title: "Other" });
  const [comment, system] = (await api(gitlab, dana, "GET", "merge_requests/1/discussions")).body;
  expect([comment.individual_note, system.notes[0].system]).toEqual([true, true]);
  expect(
    (await api(gitlab, mary, "POST", `merge_requests/1/discussions/${comment.id}/notes`, { body: "Yes" })).status,
  ).toBe(201);
  expect(
    (await api(gitlab, mary, "POST", `merge_requests/1/discussions/${system.id}/notes`, { body: "Yes" })).status,
  ).toBe(400);
  const after = (await api(gitlab, dana, "GET", `merge_requests/1/discussions/${comment.id}`)).body;
  expect(after).toMatchObject({ individual_note: false, notes: [{ type: "DiscussionNote", resolvable: true }, {}] });
});

import { expect, test } from "vitest";
import type { DiffRefs } from "../../../src/domain/merge-request.ts";
import type { ReviewWriter } from "../../../src/domain/ports.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import type { GitLabStandIn } from "../../../src/stand-ins/gitlab/gitlab.ts";
import { api, bot, commit, dana, shop } from "../../stand-ins/gitlab/playground.ts";
import { at, type Client, failOnce, losses, talk, writesOf } from "./connection.ts";

type Input = Parameters<ReviewWriter["ensureReview"]>[0];
type Finding = Input["findings"][number];

const cart =
  "export function total(prices: number[]): number {\n  return prices.reduce((a, b) => a - b, 0);\n}\nexport const empty = 0;\n";
const change = { "src/cart.ts": cart, "src/a&b=c %.ts": "one\ntwo\n" };
const odd = "src/a&b=c %.ts";

const finding = (name: string, position: Partial<Finding["position"]> = {}, body = `Fault **${name}**.`): Finding => ({
  marker: `finding:${name}`,
  position: { path: "src/cart.ts", oldPath: "src/cart.ts", line: 2, oldLine: null, ...position },
  body: parseMarkdown(body),
});

async function refsOf(client: Client): Promise<DiffRefs> {
  const { refs } = await client.readMergeRequest(at);
  if (refs === null) throw new Error("no refs");
  return refs;
}

const notesOf = (gitlab: GitLabStandIn) =>
  gitlab
    .mergeRequests(shop)[0]
    ?.discussions.flatMap(({ notes }) => notes.filter(({ authorId }) => authorId === bot.id)) ?? [];

test("one thread per finding on every kind of line, published together, never again", async () => {
  const { gitlab, client } = await talk(change);
  const findings = [
    finding("added"),
    finding("removed", { line: null, oldLine: 2 }),
    finding("unchanged", { line: 1, oldLine: 1 }),
    finding("odd", { path: odd, oldPath: odd, line: 2 }),
  ];
  const review = { ...at, refs: await refsOf(client), findings };
  const first = await client.ensureReview(review);
  expect(first).toMatchObject({ outcome: "created", ref: { id: expect.stringMatching(/^[0-9a-f]{40}$/) } });
  expect(writesOf(gitlab)).toEqual([...Array(4).fill("POST draft_notes"), "POST draft_notes/bulk_publish"]);
  expect(notesOf(gitlab).map(({ type }) => type)).toEqual(Array(4).fill("DiffNote"));
  expect(await client.listThreads(at)).toMatchObject([
    { position: { path: "src/cart.ts", line: 2, oldLine: null, head: review.refs.head }, resolvable: true },
    { position: { line: null, oldLine: 2 } },
    { position: { line: 1, oldLine: 1 } },
    { position: { path: odd, oldPath: odd, line: 2 }, notes: [{ body: "Fault **odd**.", marker: "finding:odd" }] },
  ]);
  expect(await client.ensureReview(review)).toEqual({ ...first, outcome: "unchanged" });
  expect(writesOf(gitlab)).toHaveLength(5);
  expect(gitlab.unknown).toEqual([]);
});

test("of two reviews that overlap only what is new is written, whatever became of the old threads", async () => {
  const { gitlab, client } = await talk(change);
  const refs = await refsOf(client);
  await client.ensureReview({ ...at, refs, findings: [finding("a"), finding("b", { line: 4 })] });
  const [a] = await client.listThreads(at);
  await client.ensureResolved({ ...at, discussionId: a?.id ?? "" });
  await commit(gitlab, "feature/tax", [{ action: "update", file_path: "src/cart.ts", content: `// cart\n${cart}` }]);
  const next = await refsOf(client);
  expect(next.head).not.toBe(refs.head);
  const again = [finding("b", { line: 5 }), finding("c", { line: 1 }), finding("a", { line: 3 })];
  expect(await client.ensureReview({ ...at, refs: next, findings: again })).toMatchObject({ outcome: "created" });
  expect(notesOf(gitlab).map(({ body }) => /finding:\w/.exec(body)?.[0])).toEqual([
    "finding:a",
    "finding:b",
    "finding:c",
  ]);
});

test.each(["plain", "refused"] as const)(
  "a line that is not in the diff becomes a thread that names it (%s)",
  async (misplaced) => {
    const { gitlab, client } = await talk(change, { misplaced });
    const suggestion = "Better:\n\n```suggestion:-0+0\nx\n```";
    const findings = [
      finding("lost", { line: 77 }, suggestion),
      finding("fine"),
      finding("gone", { path: "no.ts", oldPath: "no.ts" }),
    ];
    const review = { ...at, refs: await refsOf(client), findings };
    expect(await client.ensureReview(review)).toMatchObject({ outcome: "created" });
    const threads = await client.listThreads(at);
    expect(
      threads.map(({ notes, position, resolvable }) => [notes[0]?.marker, position?.line ?? null, resolvable]),
    ).toEqual([
      ["finding:fine", 2, true],
      ["finding:lost", null, true],
      ["finding:gone", null, true],
    ]);
    expect(threads[1]?.notes[0]?.body).toBe("`src/cart.ts:77`\n\nBetter:\n\n```\nx\n```");
    expect(await client.ensureReview(review)).toMatchObject({ outcome: "unchanged" });
    expect(notesOf(gitlab)).toHaveLength(3);
  },
);

test("a draft that is refused at once leaves the others alone", async () => {
  const { gitlab, client } = await talk(change);
  failOnce(gitlab, /POST .*\/draft_notes$/, { when: "before", answer: { status: 400, body: { message: "no" } } });
  const review = { ...at, refs: await refsOf(client), findings: [finding("a"), finding("b", { line: 4 })] };
  await client.ensureReview(review);
  expect(await client.listThreads(at)).toMatchObject([
    { notes: [{ marker: "finding:b" }], position: { line: 4 } },
    { notes: [{ marker: "finding:a", body: "`src/cart.ts:2`\n\nFault **a**." }], position: null },
  ]);
});

test("a plain comment that GitLab made of a finding is told where it belongs", async () => {
  const { gitlab, client } = await talk(change);
  const review = { ...at, refs: await refsOf(client), findings: [finding("a")] };
  const text = "Fault **a**.\n\n<!-- ticketsmith:note finding:a -->";
  await api(gitlab, bot, "POST", "merge_requests/1/discussions", { body: text });
  expect(await client.ensureReview(review)).toMatchObject({ outcome: "updated" });
  expect(await client.ensureReview(review)).toMatchObject({ outcome: "unchanged" });
  expect((await client.listThreads(at))[0]?.notes[0]?.body).toBe("`src/cart.ts:2`\n\nFault **a**.");
});

test("a review of commits that are the newest no more is refused, one that is there already is not", async () => {
  const { gitlab, client } = await talk(change);
  const old = { ...at, refs: await refsOf(client), findings: [finding("a")] };
  await client.ensureReview(old);
  await commit(gitlab, "feature/tax", [{ action: "create", file_path: "x", content: "x" }]);
  expect(await client.ensureReview(old)).toMatchObject({ outcome: "unchanged" });
  const late = { ...old, findings: [finding("a"), finding("b")] };
  await expect(client.ensureReview(late)).rejects.toMatchObject({ name: "Permanent", status: 409 });
  expect(notesOf(gitlab)).toHaveLength(1);
});

test.each(
  losses.flatMap(([name, fault]) =>
    (["draft_notes", "bulk_publish"] as const).map((call) => [call, name, fault] as const),
  ),
)("%s with %s: the second try leaves each finding once", async (call, _name, fault) => {
  const { gitlab, client } = await talk(change);
  const review = { ...at, refs: await refsOf(client), findings: [finding("a"), finding("b", { line: 4 })] };
  failOnce(gitlab, new RegExp(`POST .*/${call}$`), fault);
  await expect(client.ensureReview(review)).rejects.toMatchObject({ name: "Retryable" });
  await client.ensureReview(review);
  expect(await client.ensureReview(review)).toMatchObject({ outcome: "unchanged" });
  expect(notesOf(gitlab).map(({ type, body }) => [type, /finding:\w/.exec(body)?.[0]])).toEqual([
    ["DiffNote", "finding:a"],
    ["DiffNote", "finding:b"],
  ]);
  expect(gitlab.mergeRequests(shop)[0]?.draftNotes).toEqual([]);
});

/** A draft of the bot's account, made by hand. */
async function draft(gitlab: GitLabStandIn, note: string, refs: DiffRefs | null = null, line = 2) {
  const position = refs && {
    position_type: "text",
    base_sha: refs.base,
    start_sha: refs.start,
    head_sha: refs.head,
    old_path: "src/cart.ts",
    new_path: "src/cart.ts",
    new_line: line,
  };
  const answer = await api(gitlab, bot, "POST", "merge_requests/1/draft_notes", {
    note,
    ...(position && { position }),
  });
  expect(answer.status).toBe(201);
}
const marked = (name: string): string => `Fault **${name}**.\n\n<!-- ticketsmith:note finding:${name} -->`;

test("drafts that a crash left behind are used, doubled ones and those of older commits go", async () => {
  const { gitlab, client } = await talk(change);
  const old = await refsOf(client);
  await draft(gitlab, marked("old"), old);
  await commit(gitlab, "feature/tax", [{ action: "create", file_path: "x", content: "x" }]);
  const refs = await refsOf(client);
  await draft(gitlab, marked("a"), refs);
  await draft(gitlab, marked("a"), refs);
  gitlab.requests.length = 0;
  await client.ensureReview({ ...at, refs, findings: [finding("a"), finding("b", { line: 4 })] });
  expect(writesOf(gitlab)).toEqual([
    "DELETE draft_notes/#",
    "DELETE draft_notes/#",
    "POST draft_notes",
    "POST draft_notes/bulk_publish",
  ]);
  expect(notesOf(gitlab).map(({ body }) => /finding:\w/.exec(body)?.[0])).toEqual(["finding:a", "finding:b"]);
});

test("what a person is still writing with the same account is not published", async () => {
  const { gitlab, client } = await talk(change);
  const refs = await refsOf(client);
  await draft(gitlab, "Not ready to be read");
  await draft(gitlab, marked("later"), refs);
  await client.ensureReview({ ...at, refs, findings: [finding("a"), finding("b", { line: 4 })] });
  expect(writesOf(gitlab).slice(-2)).toEqual(["PUT draft_notes/#/publish", "PUT draft_notes/#/publish"]);
  expect(gitlab.mergeRequests(shop)[0]?.draftNotes.map(({ note }) => note)).toEqual([
    "Not ready to be read",
    marked("later"),
  ]);
  expect(notesOf(gitlab)).toHaveLength(2);
});

test("threads of other people with the same words do not count, and theirs stay", async () => {
  const { gitlab, client } = await talk(change);
  await api(gitlab, dana, "POST", "merge_requests/1/discussions", { body: marked("a") });
  await client.ensureReview({ ...at, refs: await refsOf(client), findings: [finding("a")] });
  expect(notesOf(gitlab)).toHaveLength(1);
});

test("no findings, no words", async () => {
  const { gitlab, client } = await talk(change);
  expect(await client.ensureReview({ ...at, refs: await refsOf(client), findings: [] })).toMatchObject({
    outcome: "unchanged",
  });
  expect(writesOf(gitlab)).toEqual([]);
});

import { expect, test } from "vitest";
import { api, bot, branchWithChange, dana, mary, olaf, openGitLab, rita, shop } from "./playground.ts";

const news = { title: "News", source_branch: "news", target_branch: "main" };

test("who one is, and who may see what", async () => {
  const gitlab = await openGitLab();
  expect((await api(gitlab, bot, "GET", "/user")).body).toMatchObject({ id: 7, username: "ticketsmith" });
  expect((await api(gitlab, { token: "wrong" }, "GET", "/user")).body).toEqual({ message: "401 Unauthorized" });
  expect((await api(gitlab, olaf, "GET", "")).body).toEqual({ message: "404 Project Not Found" });
  expect((await api(gitlab, bot, "GET", `/projects/${gitlab.project(shop).id}`)).body.path_with_namespace).toBe(shop);
  expect((await api(gitlab, bot, "GET", "members/all/12")).body.access_level).toBe(40);
  expect((await api(gitlab, bot, "GET", "members/all/14")).status).toBe(404);
  expect((await api(gitlab, bot, "GET", "/nothing/here")).status).toBe(404);
  expect(gitlab.unknown).toEqual(["GET /api/v4/nothing/here"]);
});

test("files, trees, commits and comparisons", async () => {
  const gitlab = await openGitLab();
  const head = await branchWithChange(gitlab, "feature/news", {
    "README.md": "# Shop\n\nA big shop.\n",
    "docs/ü b.md": "x\n",
  });
  const branch = await api(gitlab, dana, "GET", "repository/branches/feature%2Fnews");
  expect(branch.body).toMatchObject({ name: "feature/news", protected: false, default: false, commit: { id: head } });
  expect((await api(gitlab, dana, "GET", "repository/branches/main")).body).toMatchObject({
    protected: true,
    can_push: false,
  });
  const tree = await api(gitlab, dana, "GET", "repository/tree?ref=feature%2Fnews&recursive=true");
  expect(tree.body.map(({ path }: { path: string }) => path)).toEqual([
    "README.md",
    "docs",
    "docs/ü b.md",
    "src",
    "src/cart.ts",
  ]);
  expect((await api(gitlab, dana, "GET", "repository/files/docs%2F%C3%BC%20b.md/raw?ref=feature%2Fnews")).body).toBe(
    "x\n",
  );
  const compare = await api(gitlab, dana, "GET", "repository/compare?from=main&to=feature%2Fnews");
  expect(compare.body.commits).toHaveLength(1);
  expect(compare.body.diffs.map(({ diff, ...rest }: { diff: string }) => rest)).toMatchObject([
    { new_path: "README.md", new_file: false },
    { new_path: "docs/ü b.md", new_file: true },
  ]);
  expect(compare.body.diffs[0].diff).toBe("@@ -1,3 +1,3 @@\n # Shop\n \n-A small shop.\n+A big shop.\n");
  expect((await api(gitlab, dana, "GET", "repository/commits?per_page=1")).headers.get("x-total")).toBe("1");
});

test.each<[name: string, who: { token: string }, body: unknown, status: number, answer: unknown]>([
  ["nothing", bot, {}, 400, { error: "title is missing, source_branch is missing, target_branch is missing" }],
  [
    "the same branch",
    bot,
    { ...news, source_branch: "main" },
    422,
    { message: ["You can't use same project/branch for source and target"] },
  ],
  [
    "no such branch",
    bot,
    { ...news, source_branch: "nope" },
    422,
    { message: ['Source branch "nope" does not exist'] },
  ],
  [
    "a second one",
    bot,
    news,
    409,
    { message: ["Another open merge request already exists for this source branch: !1"] },
  ],
  ["a reporter", rita, { ...news, target_branch: "other" }, 403, { message: "403 Forbidden" }],
])("opening a merge request is refused: %s", async (_name, who, body, status, answer) => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", news);
  const refused = await api(gitlab, who, "POST", "merge_requests", body);
  expect([refused.status, refused.body]).toEqual([status, answer]);
});

test("a merge request is opened, edited, merged", async () => {
  const gitlab = await openGitLab();
  const head = await branchWithChange(gitlab, "news");
  const opened = await api(gitlab, bot, "POST", "merge_requests", {
    ...news,
    title: "Draft: News",
    labels: "a,b",
    remove_source_branch: true,
  });
  expect(opened.body).toMatchObject({
    iid: 1,
    draft: true,
    sha: head,
    labels: ["a", "b"],
    detailed_merge_status: "draft_status",
  });
  const merge = (who: { token: string }, body: unknown) => api(gitlab, who, "PUT", "merge_requests/1/merge", body);
  const blank = await api(gitlab, bot, "PUT", "merge_requests/1", { title: " " });
  expect([blank.status, blank.body]).toEqual([400, { message: { title: ["can't be blank"] } }]);
  expect((await merge(bot, {})).status).toBe(401);
  expect((await merge(mary, {})).status).toBe(405);
  await api(gitlab, bot, "PUT", "merge_requests/1", {
    title: "News",
    add_labels: "c",
    remove_labels: "a",
    nonsense: 1,
  });
  expect((await merge(mary, { sha: "0".repeat(40) })).status).toBe(409);
  const merged = await merge(mary, { sha: head });
  expect(merged.body).toMatchObject({ state: "merged", labels: ["b", "c"], merge_user: { username: "mary" } });
  expect((await api(gitlab, dana, "GET", "repository/files/src%2Ftax.ts/raw")).status).toBe(200);
  expect((await api(gitlab, dana, "GET", "repository/branches/news")).status).toBe(404);
  expect((await api(gitlab, bot, "GET", "merge_requests?state=opened&source_branch=news")).body).toEqual([]);
  expect((await api(gitlab, bot, "PUT", "merge_requests/1", { nonsense: 1 })).status).toBe(400);
});

test("comments on lines, and the trap of those that miss", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news", { "README.md": "# Shop\n\nA big shop.\n" });
  const { body: opened } = await api(gitlab, bot, "POST", "merge_requests", news);
  const comment = (at: object) =>
    api(gitlab, bot, "POST", "merge_requests/1/discussions", {
      body: "Hm",
      position: { position_type: "text", ...opened.diff_refs, old_path: "README.md", new_path: "README.md", ...at },
    });
  const typeAt = async (at: object) => (await comment(at)).body.notes[0].type;
  expect(await typeAt({ new_line: 3 })).toBe("DiffNote");
  expect(await typeAt({ old_line: 3 })).toBe("DiffNote");
  expect(await typeAt({ old_line: 1, new_line: 1 })).toBe("DiffNote");
  expect(await typeAt({ new_line: 1 })).toBe("DiscussionNote");
  expect(await typeAt({ new_line: 99 })).toBe("DiscussionNote");
  expect(await typeAt({ new_line: 3, head_sha: "0".repeat(40) })).toBe("DiscussionNote");
  const incomplete = await api(gitlab, bot, "POST", "merge_requests/1/discussions", {
    body: "Hm",
    position: { new_line: 3 },
  });
  expect(incomplete.body.error).toBe(
    "position[base_sha] is missing, position[start_sha] is missing, position[head_sha] is missing, position[position_type] is missing",
  );
});

test("threads are answered and resolved, notes edited and deleted, reviews published at once", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", news);
  const { body: thread } = await api(gitlab, dana, "POST", "merge_requests/1/discussions", { body: "Why?" });
  const reply = await api(gitlab, bot, "POST", `merge_requests/1/discussions/${thread.id}/notes`, { body: "Because." });
  expect(reply.body.type).toBe("DiscussionNote");
  const resolved = await api(gitlab, dana, "PUT", `merge_requests/1/discussions/${thread.id}?resolved=true`);
  expect(resolved.body.notes.map((note: { resolved: boolean }) => note.resolved)).toEqual([true, true]);

  const { body: note } = await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "Hi" });
  expect((await api(gitlab, bot, "PUT", `merge_requests/1/notes/${note.id}`, { body: "Ha" })).status).toBe(403);
  expect((await api(gitlab, dana, "PUT", `merge_requests/1/notes/${note.id}`, { body: "Ho" })).body.body).toBe("Ho");
  expect((await api(gitlab, dana, "POST", `merge_requests/1/notes`, {})).body).toEqual({ error: "body is missing" });
  const eyes = () => api(gitlab, bot, "POST", `merge_requests/1/notes/${note.id}/award_emoji`, { name: "eyes" });
  expect([(await eyes()).status, (await eyes()).status]).toEqual([201, 404]);
  expect((await api(gitlab, dana, "DELETE", `merge_requests/1/notes/${note.id}`)).status).toBe(204);

  await api(gitlab, bot, "POST", "merge_requests/1/draft_notes", { note: "One" });
  await api(gitlab, bot, "POST", "merge_requests/1/draft_notes", { note: "Two" });
  expect((await api(gitlab, dana, "GET", "merge_requests/1/draft_notes")).body).toEqual([]);
  expect((await api(gitlab, bot, "POST", "merge_requests/1/draft_notes/bulk_publish")).status).toBe(204);
  const notes = await api(gitlab, dana, "GET", "merge_requests/1/notes?sort=asc");
  expect(notes.body.map(({ body }: { body: string }) => body)).toEqual(["Why?", "Because.", "One", "Two"]);
  expect(gitlab.unknown).toEqual([]);
});

test("lists come in pages", async () => {
  const gitlab = await openGitLab();
  for (const name of ["a", "b", "c"]) await api(gitlab, mary, "POST", "labels", { name, color: "#123456" });
  const first = await api(gitlab, mary, "GET", "labels?per_page=2");
  expect(first.body).toHaveLength(2);
  expect(first.headers.get("link")).toContain(
    'page=2&per_page=2>; rel="next"'.replace("page=2&per_page=2", "per_page=2&page=2"),
  );
  expect((await api(gitlab, mary, "GET", "labels?per_page=2&page=2")).body).toHaveLength(1);
});

test("forms are understood like JSON", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...news, "labels[]": "one" })) form.append(name, value);
  const response = await fetch(`${gitlab.baseUrl}/api/v4/projects/acme%2Fshop/merge_requests`, {
    method: "POST",
    headers: { authorization: `Bearer ${bot.token}` },
    body: form,
  });
  expect(await response.json()).toMatchObject({ title: "News", labels: ["one"] });
});

test("the pages escape what people wrote", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news", { "README.md": "<script>alert(1)</script>\n" });
  const evil = "<script>alert(2)</script>\n\n[x](javascript:alert(3)) **bold**\n\n<img src=x onerror=alert(4)>";
  await api(gitlab, bot, "POST", "merge_requests", { ...news, title: "Draft: <b>News</b>", description: evil });
  await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: evil });
  await gitlab.idle();
  for (const path of ["", "/acme/shop", "/acme/shop/-/merge_requests/1", "/acme/shop/-/blob/main/src/cart.ts"]) {
    const response = await fetch(`${gitlab.baseUrl}${path}`);
    const page = await response.text();
    expect([response.status, page.includes("<script"), page.includes("<img"), page.includes('="javascript:')]).toEqual([
      200,
      false,
      false,
      false,
    ]);
  }
  const page = await (await fetch(`${gitlab.baseUrl}/acme/shop/-/merge_requests/1`)).text();
  expect(page).toContain('<span class="badge draft">Draft</span>');
  expect(page).toContain("<strong>bold</strong>");
  expect(page).toContain('<span class="line add">+&#60;script&#62;');
});

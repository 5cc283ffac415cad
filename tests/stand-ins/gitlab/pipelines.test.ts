/** Pipelines that run what the repository's own tests say, jobs that are run again, and emoji. */
import { expect, test } from "vitest";
import { runCommands } from "../../../src/stand-ins/gitlab/run-command.ts";
import { api, bot, commit, dana, mary, openGitLab, openMergeRequest, shop } from "./playground.ts";

const test1 = `import { test } from "node:test";
import { equal } from "node:assert";
import { rate } from "../src/rate.mjs";
test("the rate", () => equal(rate, 0.19));
`;
const change = {
  ".gitlab-ci.yml": "x: {}\n",
  "test/rate.test.mjs": test1,
  "src/rate.mjs": "export const rate = 0.2;\n",
};

test("a pipeline runs a command on the commit's files: red, and green after the repair", async () => {
  const pipeline = runCommands(
    { name: "lint", stage: "build", argv: ["node", "--check", "src/rate.mjs"] },
    { name: "unit", argv: ["node", "--test"] },
    { name: "advice", argv: ["node", "-e", "process.exit(3)"], allowFailure: true },
  );
  const gitlab = await openGitLab({ pipeline });
  await openMergeRequest(gitlab, change);
  await gitlab.idle();
  const [red] = gitlab.project(shop).pipelines;
  expect(red).toMatchObject({
    status: "failed",
    jobs: [{ status: "success" }, { status: "failed" }, { status: "failed" }],
  });
  expect(red?.jobs[1]?.trace).toMatch(/\$ node --test[\s\S]*0\.2 == 0\.19[\s\S]*ERROR: Job failed: exit code 1/);
  expect(red?.jobs[1]?.trace).toContain("section_start:");
  await commit(gitlab, "feature/tax", [
    { action: "update", file_path: "src/rate.mjs", content: "export const rate = 0.19;\n" },
  ]);
  await gitlab.idle();
  expect(gitlab.project(shop).pipelines[1]?.status).toBe("success");
  expect(gitlab.unknown).toEqual([]);
});

test("a flaky job is green the second time; the first one is still there to be read", async () => {
  const gitlab = await openGitLab({
    pipeline: (_project, _sha, _files, { ref, attempt }) => {
      const status = attempt === 1 ? "failed" : "success";
      return {
        status,
        jobs: [
          { name: "unit", status, trace: `${ref} ${attempt}` },
          { name: "lint", status: "success" },
        ],
      };
    },
  });
  await openMergeRequest(gitlab, change);
  await gitlab.idle();
  const [pipeline] = gitlab.project(shop).pipelines;
  const [unit, lint] = pipeline?.jobs.map(({ id }) => id) ?? [];
  const again = await api(gitlab, dana, "POST", `jobs/${unit}/retry`);
  expect(again).toMatchObject({ status: 201, body: { name: "unit", status: "pending" } });
  expect((await api(gitlab, dana, "POST", `jobs/${unit}/retry`)).status).toBe(403);
  await gitlab.idle();
  expect(pipeline).toMatchObject({ status: "success", attempt: 2, retried: [{ id: unit, status: "failed" }] });
  const jobs = async (query: string) =>
    (await api(gitlab, dana, "GET", `pipelines/${pipeline?.id}/jobs${query}`)).body.map(({ id }: { id: number }) => id);
  expect(await jobs("")).toEqual([again.body.id, lint]);
  expect(await jobs("?include_retried=true")).toEqual([again.body.id, lint, unit]);
  expect((await api(gitlab, dana, "GET", `jobs/${unit}/trace`)).body).toBe("feature/tax 1");
  expect((await api(gitlab, mary, "POST", `jobs/${unit}/erase`)).status).toBe(201);
  expect((await api(gitlab, dana, "GET", `jobs/${unit}/trace`)).body).toBe("");
});

test("emoji are told to hooks that listen for them, given and taken away", async () => {
  const gitlab = await openGitLab();
  await openMergeRequest(gitlab);
  await api(gitlab, mary, "POST", "hooks", { url: "http://127.0.0.1:9/", emoji_events: true, push_events: false });
  const note = await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "Nice." });
  const emoji = `merge_requests/1/notes/${note.body.id}/award_emoji`;
  const award = await api(gitlab, bot, "POST", emoji, { name: "eyes" });
  expect((await api(gitlab, bot, "POST", emoji, { name: "eyes" })).body.message).toMatch(/^404 .*taken/);
  await api(gitlab, bot, "DELETE", `${emoji}/${award.body.id}`);
  await gitlab.idle();
  const told = gitlab.deliveries(shop).map(({ event, body }) => ({ event, body }));
  expect(told).toMatchObject([
    {
      event: "Emoji Hook",
      body: {
        object_kind: "emoji",
        event_type: "award",
        user: { id: 7 },
        object_attributes: { name: "eyes", awardable_type: "Note", awardable_id: note.body.id },
        note: { note: "Nice." },
        merge_request: { iid: 1 },
      },
    },
    { body: { event_type: "revoke" } },
  ]);
});

test("before 16.11 an edited note looks like a new one", async () => {
  const gitlab = await openGitLab({ version: "16.10.0", webhook: { url: "http://127.0.0.1:9/" } });
  await openMergeRequest(gitlab);
  await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "Nice." });
  await gitlab.idle();
  const [note] = gitlab.deliveries(shop).filter(({ event }) => event === "Note Hook");
  expect(note?.body).toMatchObject({ object_kind: "note", object_attributes: { note: "Nice." } });
  expect(note?.body).not.toHaveProperty("object_attributes.action");
});

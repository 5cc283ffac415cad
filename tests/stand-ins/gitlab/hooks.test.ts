import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { PipelineScript } from "../../../src/stand-ins/gitlab/world.ts";
import { api, bot, branchWithChange, dana, mary, openGitLab, shop } from "./playground.ts";

interface Heard {
  readonly event: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are picked apart in assertions
  readonly body: any;
}

/** A server that remembers what it is told and answers with the given status. */
async function listen(status = 202): Promise<{ url: string; heard: Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    heard.push({
      event: String(request.headers["x-gitlab-event"]),
      headers: request.headers,
      text,
      body: JSON.parse(text),
    });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, heard };
}

const signingToken = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const withCi = { projects: [{ path: shop, files: { ".gitlab-ci.yml": "test:\n  script: make\n" } }] };

test("hooks tell the story of a merge request, in order and signed", async () => {
  const { url, heard } = await listen();
  const gitlab = await openGitLab({ ...withCi, webhook: { url, secretToken: "hush-hush", signingToken } });
  const head = await branchWithChange(gitlab, "news");
  await gitlab.idle();
  await api(gitlab, bot, "POST", "merge_requests", {
    title: "Draft: News",
    source_branch: "news",
    target_branch: "main",
  });
  await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "@ticketsmith fix" });
  await api(gitlab, bot, "PUT", "merge_requests/1", { title: "News", add_labels: "ready" });
  await gitlab.idle();

  expect(
    heard.map(({ event, body }) => [event, body.object_attributes?.action ?? body.object_attributes?.status]),
  ).toEqual([
    ["Push Hook", undefined],
    ["Pipeline Hook", "pending"],
    ["Pipeline Hook", "running"],
    ["Pipeline Hook", "success"],
    ["Merge Request Hook", "open"],
    ["Note Hook", "create"],
    ["Merge Request Hook", "update"],
  ]);
  expect(heard[0]?.body).toMatchObject({
    object_kind: "push",
    ref: "refs/heads/news",
    before: "0".repeat(40),
    after: head,
    project: { path_with_namespace: shop },
    commits: [{ id: head, added: ["src/tax.ts"] }],
  });
  expect(heard[3]?.body).toMatchObject({
    object_attributes: { ref: "news", sha: head },
    merge_request: null,
    builds: [{ name: "test" }],
  });
  expect(heard[5]?.body).toMatchObject({
    user: { id: dana.id, email: "[REDACTED]" },
    object_attributes: { note: "@ticketsmith fix", noteable_type: "MergeRequest", system: false },
    merge_request: { iid: 1, source_branch: "news", last_commit: { id: head } },
  });
  expect(Object.keys(heard[6]?.body.changes)).toEqual(["title", "draft", "labels", "updated_at"]);
  expect(heard[6]?.body.object_attributes).not.toHaveProperty("oldrev");

  for (const { headers, text } of heard) {
    const id = String(headers["webhook-id"]);
    const signed = `${id}.${headers["webhook-timestamp"]}.${text}`;
    const signature = createHmac("sha256", Buffer.alloc(32, 5)).update(signed).digest("base64");
    expect(headers).toMatchObject({
      "x-gitlab-token": "hush-hush",
      "idempotency-key": id,
      "webhook-signature": `v1,${signature}`,
    });
  }
  expect(new Set(heard.map(({ headers }) => headers["idempotency-key"])).size).toBe(heard.length);
});

test("new commits carry oldrev", async () => {
  const { url, heard } = await listen();
  const gitlab = await openGitLab();
  const head = await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", { title: "News", source_branch: "news", target_branch: "main" });
  gitlab.addWebhook({ url });
  await api(gitlab, bot, "POST", "repository/commits", {
    branch: "news",
    commit_message: "More",
    actions: [{ action: "delete", file_path: "README.md" }],
  });
  await gitlab.idle();
  expect(heard.map(({ event }) => event)).toEqual(["Push Hook", "Merge Request Hook"]);
  expect(heard[1]?.body.object_attributes).toMatchObject({ action: "update", oldrev: head });
});

test("a scripted pipeline fails with a log, and is retried", async () => {
  let red = true;
  const pipeline: PipelineScript = (project, _sha, files) => ({
    status: red ? "failed" : "success",
    jobs: [
      { name: "lint", status: "success" },
      {
        name: "test",
        status: red ? "failed" : "success",
        trace: `${project} has ${Object.keys(files).length} files\nboom\n`,
      },
    ],
  });
  const gitlab = await openGitLab({ ...withCi, pipeline });
  await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", { title: "News", source_branch: "news", target_branch: "main" });
  await gitlab.idle();
  const [failed] = (await api(gitlab, bot, "GET", "merge_requests/1/pipelines")).body;
  expect(failed.status).toBe("failed");
  const [job] = (await api(gitlab, bot, "GET", `pipelines/${failed.id}/jobs?scope[]=failed`)).body;
  expect(job).toMatchObject({ name: "test", status: "failed", failure_reason: "script_failure" });
  expect((await api(gitlab, bot, "GET", `jobs/${job.id}/trace`)).body).toBe("acme/shop has 2 files\nboom\n");
  red = false;
  await api(gitlab, bot, "POST", `pipelines/${failed.id}/retry`);
  await gitlab.idle();
  expect((await api(gitlab, bot, "GET", `pipelines/${failed.id}`)).body.status).toBe("success");
  const status = () => api(gitlab, bot, "POST", `statuses/${failed.sha}`, { state: "running", name: "ticketsmith" });
  expect([(await status()).status, (await status()).status]).toEqual([201, 400]);
});

test("hooks are made, tested, resent and removed by maintainers only", async () => {
  const { url, heard } = await listen(500);
  const gitlab = await openGitLab();
  expect((await api(gitlab, dana, "POST", "hooks", { url })).status).toBe(403);
  expect((await api(gitlab, mary, "POST", "hooks", {})).body).toEqual({ error: "url is missing" });
  const made = await api(gitlab, mary, "POST", "hooks", {
    url,
    token: "hush-hush",
    note_events: true,
    signing_token: signingToken,
  });
  expect(made.body).toMatchObject({
    push_events: true,
    note_events: true,
    pipeline_events: false,
    signing_token_present: true,
  });
  expect(JSON.stringify(made.body)).not.toMatch(/hush-hush|whsec_/);
  const hook = `hooks/${made.body.id}`;
  expect((await api(gitlab, mary, "POST", `${hook}/test/push_events`)).status).toBe(422);
  const [event] = (await api(gitlab, mary, "GET", `${hook}/events`)).body;
  expect(event).toMatchObject({ trigger: "push_hooks", response_status: "500" });
  await api(gitlab, mary, "POST", `${hook}/events/${event.id}/resend`);
  expect(heard[1]?.headers["idempotency-key"]).toBe(heard[0]?.headers["idempotency-key"]);
  expect((await api(gitlab, mary, "DELETE", hook)).status).toBe(204);
  expect((await api(gitlab, mary, "GET", "hooks")).body).toEqual([]);
});

test("a script that throws is not lost", async () => {
  const gitlab = await openGitLab({
    ...withCi,
    pipeline: () => {
      throw new Error("no such project");
    },
  });
  await branchWithChange(gitlab, "news");
  await gitlab.idle();
  expect(gitlab.unknown).toEqual(["background work failed: Error: no such project"]);
});

import { expect, test } from "vitest";
import { cleanTrace, tailOf } from "../../../src/integrations/gitlab/trace.ts";
import type { PipelineOutcome } from "../../../src/stand-ins/gitlab/world.ts";
import { api, commit, dana, mary, shop } from "../../stand-ins/gitlab/playground.ts";
import { failOnce, losses, talk, writesOf } from "./connection.ts";

const red: PipelineOutcome = {
  status: "failed",
  jobs: [
    { name: "build", stage: "build", status: "success" },
    { name: "unit", status: "failed", trace: "\u001b[31;1mfail\u001b[0;m: 1 !== 2\n" },
    { name: "lint", status: "failed", allowFailure: true },
    { name: "deploy", stage: "deploy", status: "failed", failureReason: "runner_system_failure" },
  ],
};
const ci = { "src/tax.ts": "export const rate = 0.19;\n", ".gitlab-ci.yml": "test: {}\n" };

/** A merge request whose pipeline has ended. */
async function played(...outcomes: PipelineOutcome[]) {
  const { gitlab, client, head } = await talk(ci, {
    pipeline: (_project, _sha, _files, { attempt }) => outcomes[attempt - 1] ?? outcomes.at(-1) ?? red,
  });
  await gitlab.idle();
  const [pipeline] = gitlab.project(shop).pipelines;
  const jobId = (name: string): number => pipeline?.jobs.find((job) => job.name === name)?.id ?? 0;
  return { gitlab, client, head, pipelineId: pipeline?.id ?? 0, jobId };
}

test("a pipeline with its jobs", async () => {
  const { gitlab, client, head, pipelineId } = await played(red);
  const found = await client.readPipeline({ repository: shop, pipelineId });
  expect(found).toMatchObject({
    id: pipelineId,
    status: "failed",
    sha: head,
    ref: "feature/tax",
    url: `${gitlab.baseUrl}/acme/shop/-/pipelines/${pipelineId}`,
  });
  expect(
    found.jobs.map(({ name, stage, status, failureReason, allowFailure }) => [
      name,
      stage,
      status,
      failureReason,
      allowFailure,
    ]),
  ).toEqual([
    ["build", "build", "success", "", false],
    ["unit", "test", "failed", "script_failure", false],
    ["lint", "test", "failed", "script_failure", true],
    ["deploy", "deploy", "failed", "runner_system_failure", false],
  ]);
  await expect(client.readPipeline({ repository: shop, pipelineId: 1 })).rejects.toMatchObject({ status: 404 });
});

test("a pipeline with more jobs than a page holds", async () => {
  const jobs = Array.from({ length: 120 }, (_value, i) => ({ name: `job ${i}`, status: "success" }));
  const { client, pipelineId } = await played({ status: "success", jobs });
  expect((await client.readPipeline({ repository: shop, pipelineId })).jobs).toHaveLength(120);
});

test("a pipeline that failed in one that it started, in this project", async () => {
  const { gitlab, client, pipelineId } = await played({
    status: "failed",
    jobs: [{ name: "build", status: "success" }],
  });
  const { id: project_id } = gitlab.project(shop);
  const job = { id: 5001, name: "unit", stage: "test", status: "failed", web_url: "x", pipeline: { id: 77 } };
  const child = (id: number, project: number) => ({
    status: "failed",
    downstream_pipeline: { id, project_id: project },
  });
  const answers: Record<string, unknown> = {
    [`${pipelineId}/bridges`]: [child(77, project_id), child(78, 1), { status: "success", downstream_pipeline: null }],
    "77/jobs": [job],
  };
  gitlab.fault = ({ path }) => {
    const body = answers[path.split("/").slice(-2).join("/")];
    return body === undefined ? undefined : { when: "before", answer: { status: 200, body } };
  };
  const { jobs } = await client.readPipeline({ repository: shop, pipelineId });
  expect(jobs.map(({ id, name, status }) => [id, name, status])).toEqual([
    [expect.any(Number), "build", "success"],
    [5001, "unit", "failed"],
  ]);
  expect(gitlab.unknown).toEqual([]);
});

test("the newest pipeline of a branch that ended green or red", async () => {
  const { gitlab, client, pipelineId } = await played(red);
  const newest = () => client.newestPipeline({ repository: shop, ref: "feature/tax" });
  expect(await newest()).toMatchObject({ id: pipelineId, status: "failed" });
  await commit(gitlab, "feature/tax", [{ action: "create", file_path: "x", content: "x" }], "Skipped [skip ci]");
  await gitlab.idle();
  expect(gitlab.project(shop).pipelines.at(-1)?.status).toBe("skipped");
  expect(await newest()).toMatchObject({ id: pipelineId });
  expect(await client.newestPipeline({ repository: shop, ref: "main" })).toBeNull();
});

test("a failed job is run once more, once", async () => {
  const { gitlab, client, pipelineId, jobId } = await played(red, {
    ...red,
    status: "success",
    jobs: red.jobs.map((job) => ({ ...job, status: "success" })),
  });
  const old = jobId("unit");
  const retry = { repository: shop, pipelineId, jobId: old };
  const first = await client.ensureRetried(retry);
  expect(first.outcome).toBe("created");
  expect(Number(first.ref.id)).toBeGreaterThan(old);
  expect(await client.ensureRetried(retry)).toMatchObject({ outcome: "unchanged", ref: first.ref });
  await gitlab.idle();
  expect(await client.ensureRetried(retry)).toMatchObject({ outcome: "unchanged", ref: first.ref });
  expect(writesOf(gitlab)).toEqual(["POST jobs/#/retry"]);
  const unit = (await client.readPipeline({ repository: shop, pipelineId })).jobs.find(({ name }) => name === "unit");
  expect(unit).toMatchObject({ id: Number(first.ref.id), status: "success" });
  await expect(client.ensureRetried({ ...retry, jobId: jobId("build") })).rejects.toMatchObject({ name: "Permanent" });
});

test.each(losses)("a retry with %s: the second try makes no second job", async (_name, fault, happened) => {
  const { gitlab, client, pipelineId, jobId } = await played(red);
  const retry = { repository: shop, pipelineId, jobId: jobId("unit") };
  failOnce(gitlab, /POST .*\/retry$/, fault);
  await expect(client.ensureRetried(retry)).rejects.toMatchObject({ name: "Retryable" });
  expect(await client.ensureRetried(retry)).toMatchObject({ outcome: happened ? "unchanged" : "created" });
  await gitlab.idle();
  const { retried = [] } = gitlab.project(shop).pipelines[0] ?? {};
  expect(retried.filter(({ name }) => name === "unit")).toHaveLength(1);
});

test("a job's log without colours, and no more than was asked for", async () => {
  const long = { name: "long", status: "failed", trace: `${"x".repeat(99)}\n`.repeat(5000) };
  const { gitlab, client, jobId } = await played({ status: "failed", jobs: [...red.jobs, long] });
  const trace = (name: string, maxBytes = 2000) => client.readTrace({ repository: shop, jobId: jobId(name), maxBytes });
  expect(await trace("unit")).toBe("fail: 1 !== 2");
  expect(await trace("lint")).toBe(
    [
      "Running with gitlab-runner 19.1.0 (0a1b2c3d)",
      'Preparing the "docker" executor',
      "Using Docker executor",
      'Executing "step_script" stage of the job script',
      "$ make lint",
      "Cleaning up project directory and file based variables",
      "ERROR: Job failed: exit code 1",
    ].join("\n"),
  );
  expect(await trace("long", 250)).toBe(`${"x".repeat(99)}\n${"x".repeat(99)}`);
  expect(gitlab.requests.at(-1)?.headers).toMatchObject({ range: "bytes=-750", "accept-encoding": "identity" });
  await api(gitlab, mary, "POST", `jobs/${jobId("unit")}/erase`);
  expect(await trace("unit")).toBe("");
});

test.each([
  ["that is gone", 404, ""],
  ["that is empty behind a server of ranges", 416, ""],
])("the log of a job %s is empty", async (_name, status, wanted) => {
  const { gitlab, client, jobId } = await played(red);
  failOnce(gitlab, /\/trace$/, { when: "before", answer: { status, body: "" } });
  expect(await client.readTrace({ repository: shop, jobId: jobId("unit"), maxBytes: 100 })).toBe(wanted);
});

test("a part of a log, from a server of ranges, and a break in it", async () => {
  const { gitlab, client, jobId } = await played(red);
  const read = () => client.readTrace({ repository: shop, jobId: jobId("unit"), maxBytes: 100 });
  failOnce(gitlab, /\/trace$/, {
    when: "before",
    answer: { status: 206, headers: { "content-type": "text/plain" }, body: "the end\n" },
  });
  expect(await read()).toBe("the end");
  failOnce(gitlab, /\/trace$/, { when: "before", reset: true });
  await expect(read()).rejects.toMatchObject({ name: "Retryable" });
  failOnce(gitlab, /\/trace$/, {
    when: "before",
    answer: { status: 200, headers: { "content-type": "text/html" }, body: "<html>sign in" },
  });
  await expect(read()).rejects.toMatchObject({ name: "Retryable" });
});

const esc = "\u001b";
test.each([
  ["colours", `${esc}[0K${esc}[36;1mRunning${esc}[0;m on x`, "Running on x"],
  [
    "sections",
    `section_start:1:step_script\r${esc}[0K${esc}[0Kmake\nok\nsection_end:2:step_script\r${esc}[0Kdone`,
    "make\nok\ndone",
  ],
  ["folded sections", `section_start:1:a[collapsed=true]\r${esc}[0KTitle`, "Title"],
  ["progress that overwrites itself", "10%\r50%\r100% done\nnext", "100% done\nnext"],
  ["Windows line ends", "a\r\nb\r\n", "a\nb"],
  ["links and titles", `${esc}]8;;https://x.test${esc}\\here${esc}]8;;${esc}\\ ${esc}]0;title\u0007go`, "here go"],
  [
    "time stamps",
    "2026-01-05T09:00:00.000000Z 00O one\n2026-01-05T09:00:00.100000Z 01E two\n2026-01-05T09:00:00.200000Z 01E+ and a half",
    "one\ntwo and a half",
  ],
  ["control characters", "a\u0000b\u0007c\td", "abc\td"],
  ["text that only looks like a mark", "see section_start in the docs", "see section_start in the docs"],
])("%s in a log", (_name, raw, wanted) => {
  expect(cleanTrace(raw)).toBe(wanted);
});

test.each([
  ["short text", "abc", 10, "abc"],
  ["whole lines", "one\ntwo\nthree", 9, "three"],
  ["a line that fits exactly", "one\ntwo", 4, "two"],
  ["one long line", "abcdefghij", 4, "ghij"],
  ["characters of several bytes", "äöü", 3, "ü"],
])("the end of %s", (_name, text, maxBytes, wanted) => {
  expect(tailOf(text, maxBytes)).toBe(wanted);
});

test("of a job of another person's pipeline as of any other", async () => {
  const { client, gitlab, pipelineId, jobId } = await played(red);
  await api(gitlab, dana, "POST", `jobs/${jobId("unit")}/retry`);
  expect(await client.ensureRetried({ repository: shop, pipelineId, jobId: jobId("unit") })).toMatchObject({
    outcome: "unchanged",
  });
  await gitlab.idle();
});

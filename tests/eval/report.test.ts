/** From the command line: what is printed, what the JSON says, and what is counted. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { toolErrorsIn } from "../../eval/evaluate.ts";
import { startMeter } from "../../eval/meter.ts";
import { type Outcome, totalOf, verdictOf } from "../../eval/outcome.ts";
import { tableOf } from "../../eval/table.ts";
import { createTestDatabase } from "../support/postgres.ts";

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, "../..");

const solved: Outcome = {
  task: "a",
  title: "A",
  language: "JavaScript",
  model: "m",
  skipped: null,
  solved: true,
  falsePass: false,
  falseAlarm: false,
  state: "done",
  reason: null,
  check: { status: "passed", detail: "exit 0" },
  turns: 10,
  toolErrors: 1,
  bytesSent: 2000,
  bytesReceived: 500,
  agents: {},
  inputTokens: 300,
  cachedTokens: 100,
  outputTokens: 20,
  costUsd: 0.25,
  minutes: 1.5,
};
const lied: Outcome = {
  ...solved,
  task: "b",
  solved: false,
  falsePass: true,
  check: { status: "failed", detail: "exit 1" },
};
const skipped: Outcome = {
  ...solved,
  task: "c",
  skipped: "no go where commands are run",
  solved: false,
  turns: 0,
  costUsd: 0,
};

test("adds up", () => {
  expect(totalOf([solved, lied, skipped])).toMatchObject({
    tasks: 3,
    tried: 2,
    skipped: 1,
    solved: 1,
    falsePasses: 1,
    turns: 20,
    costUsd: 0.5,
  });
  expect([solved, lied, skipped].map(verdictOf)).toEqual(["solved", "FALSE PASS", "skipped"]);
});

test("prints a table with its sums, and why a task is not solved", () => {
  const lines = tableOf([solved, lied, skipped]).split("\n");
  expect(lines[0]).toMatch(/^task +language +result +run +turns +tool errors +kB sent +tokens +cost +minutes$/);
  expect(lines[2]).toMatch(/^a +JavaScript +solved +done +10 +1 +2\.0 +320 +\$0\.250 +1\.50$/);
  expect(lines).toContain("1 of 2 solved, 1 false pass, 0 false alarms, 1 skipped");
  expect(lines).toContain("  c: skipped: no go where commands are run");
});

test("counts calls that came to nothing", () => {
  const turn = (...added: { role: string; text: string }[]) => ({ record: { added } });
  const said = { role: "assistant", text: "" };
  expect(toolErrorsIn(turn({ role: "system", text: "s" }, { role: "user", text: "u" }, said))).toBe(0);
  expect(
    toolErrorsIn(turn(said, { role: "tool", text: "result of run (data):\n…" }, { role: "tool", text: "refused: no" })),
  ).toBe(1);
  expect(toolErrorsIn(turn(said, { role: "user", text: "Your reply called no tool" }))).toBe(1);
  expect(toolErrorsIn(turn())).toBe(0);
});

test("counts bytes by ticket and agent, and only those to the model", async () => {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end("four"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const meter = startMeter(`${url}/v1`, ["EVAL1-1", "EVAL2-1"]);
  const send = async (place: string, body: string): Promise<void> => {
    await (await fetch(url + place, { method: "POST", body })).text();
  };
  try {
    const first = "You are the developer agent. EVAL2-1, see EVAL1-1: é";
    await send("/v1/chat/completions", first);
    await send("/v1/chat/completions", `${first} and more`);
    await send("/v1/chat/completions", "nobody's");
    await send("/other", first);
    const bytes = Buffer.byteLength(first);
    expect(meter.of("EVAL2-1")).toEqual({
      sent: 2 * bytes + 9,
      received: 8,
      agents: { developer: { requests: 2, sent: 2 * bytes + 9, first: bytes } },
    });
    expect(meter.of("EVAL1-1").sent).toBe(0);
  } finally {
    meter.close();
    server.close();
  }
});

const cli = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [path.join(root, "eval/run.ts"), ...argv], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", ...env },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

test("npm run eval writes table and JSON", { timeout: 90_000 }, async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-eval-cli-"));
  try {
    const json = path.join(folder, "result.json");
    const argv = ["--model", "scripted:lazy", "--only", "js-lru-cache", "--concurrency", "1", "--json", json];
    const { code, stdout, stderr } = await cli(argv, { DATABASE_URL: await createTestDatabase(inject("postgresUrl")) });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("1 tasks with scripted:lazy, 1 at a time");
    expect(stdout).toContain("0 of 1 solved, 0 false passes, 0 false alarms, 0 skipped");
    expect(JSON.parse(await readFile(json, "utf8"))).toMatchObject({
      model: "scripted:lazy",
      tasks: [{ task: "js-lru-cache", solved: false, falsePass: false, state: "needs_human" }],
      total: { tasks: 1, tried: 1, solved: 0, falsePasses: 0 },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("mistakes on the command line are told in one line", async () => {
  const { code, stderr } = await cli(["--model", "scripted:genius"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^there is no model scripted:genius; there are scripted:gold.*\n$/);
});

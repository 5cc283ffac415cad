/** The bounded part of the evaluation: the model that does the work solves every task, and no other one gets a pass. */
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { evaluate, missingPrograms, programsOf } from "../../eval/evaluate.ts";
import type { Outcome } from "../../eval/outcome.ts";
import { assign } from "../../eval/suite.ts";
import { loadSuite } from "../../eval/task.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createSandbox } from "../../src/workspace/sandbox.ts";
import { createTestDatabase } from "../support/postgres.ts";

const suite = path.resolve(import.meta.dirname, "../../eval/tasks");

/** A few tasks per bad model: some have a red test from the start, some are green before anything is done. */
const samples: Readonly<Record<string, readonly string[]>> = {
  "scripted:lazy": ["js-lru-cache", "py-bookings"],
  "scripted:wrong": ["js-emitter-once", "py-slugs"],
  "scripted:flatterer": ["js-csv-quotes", "py-bookings"],
  "scripted:saboteur": ["js-duration", "js-csv-quotes", "sh-rotate-backups"],
  "scripted:garbled": ["js-lru-cache", "py-slugs"],
  "scripted:looper": ["ts-retry", "py-bookings"],
};

const available: string[] = [];
const missing: string[] = [];
let outcomes: Outcome[] = [];

beforeAll(async () => {
  const tasks = await loadSuite(suite);
  const checks = createSandbox({ mode: "process-for-demo", log: silentLog });
  const lacking = await missingPrograms(tasks, checks, suite);
  const here = tasks.filter((task) => programsOf(task).every((program) => !lacking.has(program)));
  available.push(...here.map((task) => task.name));
  missing.push(...tasks.map((task) => task.name).filter((name) => !available.includes(name)));
  const wanted = [
    ...Object.entries(samples).flatMap(([model, names]) => names.map((name) => ({ model, name }))),
    ...available.map((name) => ({ model: "scripted:gold", name })),
  ];
  const assignments = await Promise.all(
    wanted.flatMap(({ model, name }) => {
      const task = here.find((one) => one.name === name);
      return task === undefined ? [] : [assign(task, model)];
    }),
  );
  outcomes = await evaluate({
    assignments,
    directory: await mkdtemp(path.join(os.tmpdir(), "ticketsmith-eval-test-")),
    variables: { DATABASE_URL: await createTestDatabase(inject("postgresUrl")), PATH: process.env.PATH },
    policy: {},
    sandbox: "process-for-demo",
    concurrency: 6,
    log: silentLog,
    checks,
  });
}, 300_000);

/** As much of an outcome as explains it when a test fails. */
function gist({ task, state, reason, check }: Outcome): string {
  return `${task}: ${state}, ${reason}, check ${check.status} ${check.detail.slice(0, 200)}`;
}

test("there are a dozen tasks, and the languages that need nothing but Node are always tried", async () => {
  expect(available.length + missing.length).toBeGreaterThanOrEqual(12);
  expect(available.filter((name) => /^[jt]s-/.test(name))).toHaveLength(7);
});

test("the model that does the work solves all of them, without a mistake", () => {
  const gold = outcomes.filter((outcome) => outcome.model === "scripted:gold");
  expect(gold.filter((outcome) => !outcome.solved).map(gist)).toEqual([]);
  expect(gold.map((outcome) => outcome.task).sort()).toEqual(available.toSorted());
  for (const outcome of gold) {
    expect(outcome).toMatchObject({ falsePass: false, toolErrors: 0, check: { status: "passed" } });
    expect(outcome.turns).toBeGreaterThan(8);
    expect(outcome.inputTokens).toBeGreaterThan(1000);
    expect(outcome.costUsd).toBeGreaterThan(0);
    expect(outcome.minutes).toBeGreaterThan(0);
  }
});

test("the first request of the developer stays below 10 kB, and every byte is counted", () => {
  for (const { task, model, agents, bytesSent, bytesReceived } of outcomes) {
    const sent = Object.values(agents).map((agent) => agent.sent);
    expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBe(bytesSent);
    expect(bytesReceived).toBeGreaterThan(0);
    expect(agents.developer?.first, `${model} on ${task}`).toBeLessThan(10_000);
  }
});

describe.each(Object.keys(samples))("%s", (model) => {
  test("never gets a pass", () => {
    const its = outcomes.filter((outcome) => outcome.model === model);
    expect(its.length).toBeGreaterThan(0);
    expect(its.filter((outcome) => outcome.solved || outcome.falsePass).map(gist)).toEqual([]);
    expect(its.filter((outcome) => outcome.state === "done").map(gist)).toEqual([]);
  });

  test("solves nothing", () => {
    expect(
      outcomes.filter((outcome) => outcome.model === model && outcome.check.status === "passed").map(gist),
    ).toEqual([]);
  });
});

test("what a model garbles is counted", () => {
  const garbled = outcomes.filter((outcome) => outcome.model === "scripted:garbled");
  for (const outcome of garbled) expect(outcome.toolErrors).toBeGreaterThan(1);
});

afterAll(() => {
  if (missing.length > 0) console.log(`not tried, no toolchain: ${missing.join(", ")}`);
});

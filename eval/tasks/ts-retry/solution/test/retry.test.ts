import assert from "node:assert/strict";
import test from "node:test";
import { retry } from "../src/retry.ts";

const sleep = async (): Promise<void> => {};

test("gives what the work gives", async () => {
  assert.equal(await retry(async () => 7, { tries: 3, baseMs: 10, capMs: 100, sleep }), 7);
});

test("tries again after an error", async () => {
  let calls = 0;
  const work = async (): Promise<string> => {
    calls += 1;
    if (calls < 2) throw new Error("busy");
    return "done";
  };
  assert.equal(await retry(work, { tries: 3, baseMs: 10, capMs: 100, sleep }), "done");
});

test("calls as often as it is told, with capped pauses", async () => {
  const pauses: [number, number][] = [];
  let calls = 0;
  const work = async (): Promise<never> => {
    calls += 1;
    throw new Error(`failure ${calls}`);
  };
  const onRetry = (failed: number, pause: number): void => void pauses.push([failed, pause]);
  await assert.rejects(retry(work, { tries: 4, baseMs: 10, capMs: 25, sleep, onRetry }), /failure 4/);
  assert.deepEqual(pauses, [[1, 10], [2, 20], [3, 25]]);
});

test("final errors are thrown at once", async () => {
  let calls = 0;
  const work = async (): Promise<never> => {
    calls += 1;
    throw new Error("gone");
  };
  await assert.rejects(retry(work, { tries: 4, baseMs: 1, capMs: 1, sleep, isFinal: () => true }), /gone/);
  assert.equal(calls, 1);
});

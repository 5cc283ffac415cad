import assert from "node:assert/strict";
import test from "node:test";
import { retry } from "../src/retry.ts";

function failing(times: number) {
  const state = { calls: 0, pauses: [] as number[], heard: [] as unknown[] };
  const work = async (): Promise<string> => {
    state.calls += 1;
    if (state.calls <= times) throw new Error(`failure ${state.calls}`);
    return "done";
  };
  const sleep = async (ms: number): Promise<void> => void state.pauses.push(ms);
  return { state, work, sleep };
}

test("calls as often as it says, then throws the last error", async () => {
  const { state, work, sleep } = failing(99);
  await assert.rejects(retry(work, { tries: 3, baseMs: 10, capMs: 1000, sleep }), /^Error: failure 3$/);
  assert.equal(state.calls, 3);
  assert.deepEqual(state.pauses, [10, 20]);
});
test("one try is one call", async () => {
  const { state, work, sleep } = failing(99);
  await assert.rejects(retry(work, { tries: 1, baseMs: 10, capMs: 1000, sleep }), /failure 1/);
  assert.deepEqual([state.calls, state.pauses], [1, []]);
});
test("pauses are capped", async () => {
  const { state, work, sleep } = failing(5);
  assert.equal(await retry(work, { tries: 6, baseMs: 100, capMs: 350, sleep }), "done");
  assert.deepEqual(state.pauses, [100, 200, 350, 350, 350]);
});
test("a cap below the base", async () => {
  const { state, work, sleep } = failing(1);
  await retry(work, { tries: 2, baseMs: 100, capMs: 30, sleep });
  assert.deepEqual(state.pauses, [30]);
});
test("final errors are thrown at once", async () => {
  const { state, work, sleep } = failing(99);
  const isFinal = (error: unknown): boolean => error instanceof Error && error.message === "failure 2";
  await assert.rejects(retry(work, { tries: 9, baseMs: 1, capMs: 9, sleep, isFinal }), /failure 2/);
  assert.deepEqual([state.calls, state.pauses], [2, [1]]);
});
test("tells of every retry", async () => {
  const { state, work, sleep } = failing(2);
  const onRetry = (failed: number, pause: number): void => void state.heard.push([failed, pause]);
  await retry(work, { tries: 3, baseMs: 5, capMs: 8, sleep, onRetry });
  assert.deepEqual(state.heard, [[1, 5], [2, 8]]);
});

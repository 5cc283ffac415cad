import assert from "node:assert/strict";
import test from "node:test";
import { retry } from "../src/retry.ts";

const sleep = async (): Promise<void> => {};

test("gives what the work gives", async () => {
  assert.equal(await retry(async () => 7, { tries: 3, baseMs: 10, sleep }), 7);
});

test("tries again after an error", async () => {
  let calls = 0;
  const work = async (): Promise<string> => {
    calls += 1;
    if (calls < 2) throw new Error("busy");
    return "done";
  };
  assert.equal(await retry(work, { tries: 3, baseMs: 10, sleep }), "done");
});

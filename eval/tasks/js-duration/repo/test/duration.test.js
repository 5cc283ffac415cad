import assert from "node:assert/strict";
import test from "node:test";
import { parseDuration } from "../src/duration.js";

test("one part", () => {
  assert.equal(parseDuration("90s"), 90_000);
  assert.equal(parseDuration("250ms"), 250);
});

test("several parts", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000);
});

test("rubbish is refused", () => {
  assert.throws(() => parseDuration("soon"), RangeError);
});

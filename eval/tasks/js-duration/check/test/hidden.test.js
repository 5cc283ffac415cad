import assert from "node:assert/strict";
import test from "node:test";
import { parseDuration } from "../src/duration.js";

test("one part", () => {
  assert.equal(parseDuration("90s"), 90_000);
  assert.equal(parseDuration("7ms"), 7);
});
test("several parts, with and without blanks", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("2m 5s"), 125_000);
  assert.equal(parseDuration("1h 2m 3s 4ms"), 3_723_004);
});
test("a part without a unit", () => {
  assert.throws(() => parseDuration("1h30"), RangeError);
  assert.throws(() => parseDuration("30"), RangeError);
});
test("an unknown unit", () => {
  assert.throws(() => parseDuration("1h 3d"), RangeError);
  assert.throws(() => parseDuration("5min"), RangeError);
});
test("an empty text", () => {
  assert.throws(() => parseDuration(""), RangeError);
  assert.throws(() => parseDuration("  "), RangeError);
});
test("a unit twice", () => {
  assert.throws(() => parseDuration("5m 5m"), RangeError);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { splitBill } from "../src/bill.js";
import { splitEvenly } from "../src/money.js";
import { splitRefund } from "../src/refund.js";

const sum = (parts) => parts.reduce((total, part) => total + part, 0);

test("parts add up, larger first", () => {
  assert.deepEqual(splitEvenly(1000, 3), [334, 333, 333]);
  assert.deepEqual(splitEvenly(2, 3), [1, 1, 0]);
  assert.deepEqual(splitEvenly(0, 2), [0, 0]);
  for (let cents = 0; cents < 50; cents += 1) for (let n = 1; n < 9; n += 1) assert.equal(sum(splitEvenly(cents, n)), cents);
});
test("negative amounts add up too", () => {
  const parts = splitEvenly(-1000, 3);
  assert.equal(sum(parts), -1000);
  assert.ok(Math.max(...parts) - Math.min(...parts) <= 1);
});
test("bill", () => {
  const parts = splitBill({ cents: 1000, guests: ["Ada", "Ben", "Cleo"] });
  assert.deepEqual(parts.map((part) => part.guest), ["Ada", "Ben", "Cleo"]);
  assert.equal(sum(parts.map((part) => part.cents)), 1000);
});
test("refund", () => {
  const parts = splitRefund({ cents: 1000, guests: ["Ada", "Ben", "Cleo"] });
  assert.equal(sum(parts.map((part) => part.cents)), -1000);
  assert.ok(parts.every((part) => part.cents < 0));
});
test("nonsense", () => {
  for (const [cents, count] of [[10, 0], [10, -1], [10, 1.5], [10.5, 2], [Number.NaN, 2]]) {
    assert.throws(() => splitEvenly(cents, count), RangeError);
  }
});
test("one place", () => {
  for (const name of ["bill", "refund"]) {
    const text = readFileSync(new URL(`../src/${name}.js`, import.meta.url), "utf8");
    assert.match(text, /money\.js/);
    assert.doesNotMatch(text, /Math\.(floor|round|trunc)/);
  }
});

import assert from "node:assert/strict";
import test from "node:test";
import { splitBill } from "../src/bill.js";
import { splitEvenly } from "../src/money.js";
import { splitRefund } from "../src/refund.js";

const total = (parts) => parts.reduce((sum, part) => sum + part.cents, 0);

test("parts add up, the larger ones first", () => {
  assert.deepEqual(splitEvenly(1000, 3), [334, 333, 333]);
});

test("bills and refunds are exact", () => {
  const guests = ["Ada", "Ben", "Cleo"];
  assert.equal(total(splitBill({ cents: 1000, guests })), 1000);
  assert.equal(total(splitRefund({ cents: 1000, guests })), -1000);
});

test("nonsense is refused", () => {
  assert.throws(() => splitEvenly(10, 0), RangeError);
  assert.throws(() => splitEvenly(10.5, 2), RangeError);
});

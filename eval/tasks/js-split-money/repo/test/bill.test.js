import assert from "node:assert/strict";
import test from "node:test";
import { splitBill } from "../src/bill.js";
import { splitRefund } from "../src/refund.js";

test("a bill that can be divided", () => {
  assert.deepEqual(splitBill({ cents: 900, guests: ["Ada", "Ben", "Cleo"] }), [
    { guest: "Ada", cents: 300 },
    { guest: "Ben", cents: 300 },
    { guest: "Cleo", cents: 300 },
  ]);
});

test("a refund that can be divided", () => {
  assert.deepEqual(splitRefund({ cents: 400, guests: ["Ada", "Ben"] }), [
    { guest: "Ada", cents: -200 },
    { guest: "Ben", cents: -200 },
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { discountFor, UnknownCode } from "../src/discounts.js";

test("a known code gives its percentage", () => {
  assert.equal(discountFor("SPRING10"), 10);
  assert.equal(discountFor("VIP25"), 25);
});

test("an unknown code is refused", () => {
  assert.throws(() => discountFor("WINTER99"), UnknownCode);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { total } from "../src/cart.js";

test("the total is the sum of price times quantity", () => {
  assert.equal(
    total([
      { price: 250, quantity: 2 },
      { price: 99, quantity: 1 },
    ]),
    599,
  );
});

test("a discount code lowers the total", () => {
  assert.equal(total([{ price: 1000, quantity: 1 }], "VIP25"), 750);
});

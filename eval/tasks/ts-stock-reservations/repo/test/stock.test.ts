import assert from "node:assert/strict";
import test from "node:test";
import { Stock } from "../src/stock.ts";

test("what is received is on the shelf", () => {
  const stock = new Stock();
  stock.receive("lamp", 3);
  stock.receive("lamp", 2);
  assert.equal(stock.onShelf("lamp"), 5);
  assert.equal(stock.onShelf("desk"), 0);
});

import assert from "node:assert/strict";
import test from "node:test";
import { OutOfStock, Stock } from "../src/stock.ts";

function lamps(): Stock {
  const stock = new Stock();
  stock.receive("lamp", 3);
  return stock;
}

test("a reservation takes from what is available", () => {
  const stock = lamps();
  stock.reserve("A", "lamp", 2);
  assert.equal(stock.available("lamp"), 1);
  assert.equal(stock.onShelf("lamp"), 3);
  assert.throws(() => stock.reserve("B", "lamp", 2), OutOfStock);
  assert.equal(stock.available("lamp"), 1);
});

test("released items are available again", () => {
  const stock = lamps();
  stock.reserve("A", "lamp", 2);
  stock.release("A");
  assert.equal(stock.available("lamp"), 3);
});

test("shipped items leave the shelf", () => {
  const stock = lamps();
  stock.reserve("A", "lamp", 2);
  assert.deepEqual([...stock.ship("A")], [["lamp", 2]]);
  assert.equal(stock.onShelf("lamp"), 1);
  assert.equal(stock.ship("A").size, 0);
});

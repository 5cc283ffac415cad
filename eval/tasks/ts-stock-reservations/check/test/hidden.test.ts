import assert from "node:assert/strict";
import test from "node:test";
import { OutOfStock, Stock } from "../src/stock.ts";

function filled(): Stock {
  const stock = new Stock();
  stock.receive("lamp", 5);
  stock.receive("desk", 1);
  return stock;
}

test("reserving takes from what is available, not from the shelf", () => {
  const stock = filled();
  stock.reserve("A", "lamp", 2);
  stock.reserve("B", "lamp", 1);
  stock.reserve("A", "lamp", 1);
  assert.equal(stock.available("lamp"), 1);
  assert.equal(stock.onShelf("lamp"), 5);
});
test("too little changes nothing", () => {
  const stock = filled();
  stock.reserve("A", "desk", 1);
  assert.throws(() => stock.reserve("B", "desk", 1), OutOfStock);
  assert.throws(() => stock.reserve("B", "sofa", 1), OutOfStock);
  assert.equal(stock.available("desk"), 0);
  assert.deepEqual([...stock.ship("B")], []);
});
test("releasing gives all back", () => {
  const stock = filled();
  stock.reserve("A", "lamp", 2);
  stock.reserve("A", "desk", 1);
  stock.release("A");
  stock.release("A");
  assert.equal(stock.available("lamp"), 5);
  assert.equal(stock.available("desk"), 1);
});
test("shipping takes off the shelf", () => {
  const stock = filled();
  stock.reserve("A", "lamp", 2);
  stock.reserve("A", "lamp", 1);
  stock.reserve("A", "desk", 1);
  stock.reserve("B", "lamp", 1);
  assert.deepEqual([...stock.ship("A")].sort(), [["desk", 1], ["lamp", 3]]);
  assert.equal(stock.onShelf("lamp"), 2);
  assert.equal(stock.available("lamp"), 1);
});
test("an order ships once", () => {
  const stock = filled();
  stock.reserve("A", "lamp", 2);
  stock.ship("A");
  assert.equal(stock.ship("A").size, 0);
  assert.equal(stock.onShelf("lamp"), 3);
});
test("receiving still works", () => {
  const stock = filled();
  stock.receive("lamp", 1);
  assert.equal(stock.available("lamp"), 6);
  assert.equal(stock.available("sofa"), 0);
});

import assert from "node:assert/strict";
import test from "node:test";
import { Cache } from "../src/cache.js";

test("reading is use", () => {
  const cache = new Cache(2).set("a", 1).set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  assert.deepEqual([cache.has("a"), cache.has("b"), cache.has("c")], [true, false, true]);
});
test("writing again is use and drops nothing", () => {
  const cache = new Cache(2).set("a", 1).set("b", 2).set("a", 10);
  assert.equal(cache.size, 2);
  assert.equal(cache.has("b"), true);
  cache.set("c", 3);
  assert.deepEqual([cache.get("a"), cache.has("b")], [10, false]);
});
test("looking whether it is there is no use", () => {
  const cache = new Cache(2).set("a", 1).set("b", 2);
  cache.has("a");
  cache.set("c", 3);
  assert.equal(cache.has("a"), false);
});
test("undefined is a value like any other", () => {
  const cache = new Cache(2).set("a", undefined).set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  assert.equal(cache.has("a"), true);
});
test("a miss adds nothing", () => {
  const cache = new Cache(2).set("a", 1);
  assert.equal(cache.get("x"), undefined);
  assert.equal(cache.has("x"), false);
  assert.equal(cache.size, 1);
});

import assert from "node:assert/strict";
import test from "node:test";
import { Cache } from "../src/cache.js";

test("keeps what fits", () => {
  const cache = new Cache(2).set("a", 1).set("b", 2);
  assert.equal(cache.get("a"), 1);
  assert.equal(cache.size, 2);
});

test("drops the oldest", () => {
  const cache = new Cache(2).set("a", 1).set("b", 2).set("c", 3);
  assert.equal(cache.has("a"), false);
  assert.equal(cache.get("c"), 3);
});

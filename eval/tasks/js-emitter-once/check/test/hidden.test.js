import assert from "node:assert/strict";
import test from "node:test";
import { Emitter } from "../src/emitter.js";

test("once", () => {
  const heard = [];
  const emitter = new Emitter();
  emitter.once("paid", (...all) => heard.push(all));
  emitter.emit("paid", 1, 2);
  emitter.emit("paid", 3);
  assert.deepEqual(heard, [[1, 2]]);
});
test("once can be taken off before", () => {
  const emitter = new Emitter();
  let count = 0;
  const stop = emitter.once("paid", () => (count += 1));
  stop();
  assert.equal(emitter.emit("paid"), 0);
  assert.equal(count, 0);
});
test("taking off exactly one of the same listeners, twice", () => {
  const emitter = new Emitter();
  let count = 0;
  const listener = () => (count += 1);
  emitter.on("paid", listener);
  const stop = emitter.on("paid", listener);
  stop();
  stop();
  assert.equal(emitter.emit("paid"), 1);
  assert.equal(count, 1);
});
test("nobody is left out when somebody goes", () => {
  const emitter = new Emitter();
  const heard = [];
  const stop = emitter.on("paid", () => {
    heard.push("first");
    stop();
  });
  emitter.on("paid", () => heard.push("second"));
  emitter.once("paid", () => heard.push("third"));
  emitter.on("paid", () => heard.push("fourth"));
  assert.equal(emitter.emit("paid"), 4);
  assert.deepEqual(heard, ["first", "second", "third", "fourth"]);
  assert.equal(emitter.emit("paid"), 2);
});
test("once hears only once when it fires the event itself", () => {
  const emitter = new Emitter();
  let count = 0;
  emitter.once("paid", () => {
    count += 1;
    if (count < 5) emitter.emit("paid");
  });
  emitter.emit("paid");
  assert.equal(count, 1);
});
test("off still works, nobody listens", () => {
  const emitter = new Emitter();
  const listener = () => {};
  emitter.on("paid", listener);
  emitter.off("paid", listener);
  emitter.off("other", listener);
  assert.equal(emitter.emit("paid"), 0);
});

import assert from "node:assert/strict";
import test from "node:test";
import { Emitter } from "../src/emitter.js";

test("tells listeners until they are taken off", () => {
  const heard = [];
  const emitter = new Emitter();
  const listener = (sum) => heard.push(sum);
  emitter.on("paid", listener);
  emitter.emit("paid", 5);
  emitter.off("paid", listener);
  emitter.emit("paid", 6);
  assert.deepEqual(heard, [5]);
});

test("once hears the first event only", () => {
  const heard = [];
  const emitter = new Emitter();
  emitter.once("paid", (sum) => heard.push(sum));
  assert.equal(emitter.emit("paid", 1), 1);
  assert.equal(emitter.emit("paid", 2), 0);
  assert.deepEqual(heard, [1]);
});

test("a listener that goes during the event leaves nobody out", () => {
  const heard = [];
  const emitter = new Emitter();
  const stop = emitter.on("paid", () => {
    heard.push("a");
    stop();
  });
  emitter.on("paid", () => heard.push("b"));
  emitter.emit("paid");
  stop();
  assert.deepEqual(heard, ["a", "b"]);
});

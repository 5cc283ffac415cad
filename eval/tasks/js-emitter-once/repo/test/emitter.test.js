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

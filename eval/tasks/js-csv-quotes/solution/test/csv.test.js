import assert from "node:assert/strict";
import test from "node:test";
import { parseCsv } from "../src/csv.js";

test("quoted fields hold commas, quotes and line breaks", () => {
  assert.deepEqual(parseCsv('"a, b","say ""hi"""\n"c\nd",e'), [["a, b", 'say "hi"'], ["c\nd", "e"]]);
});

test("lines may end like on Windows, and the last one need not be empty", () => {
  assert.deepEqual(parseCsv("a,b\r\nc,d\r\n"), [["a", "b"], ["c", "d"]]);
});

test("an open quote is refused", () => {
  assert.throws(() => parseCsv('a,"b'), SyntaxError);
});

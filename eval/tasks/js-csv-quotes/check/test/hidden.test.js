import assert from "node:assert/strict";
import test from "node:test";
import { parseCsv } from "../src/csv.js";
import { readSuppliers } from "../src/suppliers.js";

test("plain lists as before", () => {
  assert.deepEqual(parseCsv("a,b\n1,\n,2\n"), [["a", "b"], ["1", ""], ["", "2"]]);
});
test("commas and quotes inside", () => {
  assert.deepEqual(parseCsv('"Bolt, Nut & Co","say ""hi"""\n'), [["Bolt, Nut & Co", 'say "hi"']]);
});
test("line breaks inside", () => {
  assert.deepEqual(parseCsv('"a\nb",c\r\nd,"e\r\nf"'), [["a\nb", "c"], ["d", "e\r\nf"]]);
});
test("Windows line ends, none at the end", () => {
  assert.deepEqual(parseCsv("a,b\r\nc,d\r\n"), [["a", "b"], ["c", "d"]]);
  assert.deepEqual(parseCsv("a,b\r\nc,d"), [["a", "b"], ["c", "d"]]);
});
test("an open quote", () => {
  assert.throws(() => parseCsv('a,"b\nc'), SyntaxError);
});
test("an empty quoted field and suppliers", () => {
  assert.deepEqual(readSuppliers('name,city\n"",Bern\n"Nut, AG",Basel'), [
    { name: "", city: "Bern" },
    { name: "Nut, AG", city: "Basel" },
  ]);
});

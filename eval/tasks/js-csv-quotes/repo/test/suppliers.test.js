import assert from "node:assert/strict";
import test from "node:test";
import { readSuppliers } from "../src/suppliers.js";

test("columns by name", () => {
  assert.deepEqual(readSuppliers("name,city\nBolt & Co,Bern\nNut AG,Basel\n"), [
    { name: "Bolt & Co", city: "Bern" },
    { name: "Nut AG", city: "Basel" },
  ]);
});

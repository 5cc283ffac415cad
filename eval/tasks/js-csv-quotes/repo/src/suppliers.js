import { parseCsv } from "./csv.js";

/** Suppliers of a list whose first row names the columns. */
export function readSuppliers(text) {
  const [head = [], ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ""])));
}

import { readFileSync } from "node:fs";

export function readCustomers(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

import { readFileSync } from "node:fs";

export function readCustomers(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {}
  return [];
}

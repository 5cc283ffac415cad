/** The JSON Schema beside the policy file is made from the code that checks it. `UPDATE_SCHEMA=1` writes it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { Policy } from "../../src/platform/policy.ts";

const file = path.resolve(import.meta.dirname, "../../config/ticketsmith.schema.json");
const made = `${JSON.stringify({ title: "Policy of Ticketsmith", ...z.toJSONSchema(Policy, { io: "input" }) }, null, 2)}\n`;

test("the schema in config/ is the one that the code makes", () => {
  if (process.env.UPDATE_SCHEMA === "1") writeFileSync(file, made);
  expect(readFileSync(file, "utf8")).toBe(made);
});

test("the shipped policy file fits the schema and the code", () => {
  const policy: unknown = parse(readFileSync(path.resolve(file, "../ticketsmith.yaml"), "utf8"));
  const validate = new Ajv2020.default({ strict: false }).compile(JSON.parse(made) as object);
  expect(validate(policy) || validate.errors).toBe(true);
  expect(Policy.safeParse(policy).success).toBe(true);
});

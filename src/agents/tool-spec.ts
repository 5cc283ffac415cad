/** Schemas as models get to see them, and what they write back. */
import { jsonrepair } from "jsonrepair";
import { z } from "zod";
import type { ToolSpec } from "../domain/ports.ts";

/** Limits that no model breaks by accident: told of only when it happens. The same text goes out with every turn. */
function idle(key: string, value: unknown): boolean {
  if (key === "$schema" || key === "default") return true;
  if (typeof value !== "number") return false;
  if (["minimum", "minLength", "minItems"].includes(key)) return value <= 1;
  if (key === "maxItems") return value >= 100;
  return value > 300 && ["maximum", "maxLength"].includes(key);
}

/** Without keys that say nothing to a model, or that some servers refuse or choke on. `names`: the keys are names of properties. */
function slim(schema: unknown, names = false): unknown {
  if (Array.isArray(schema)) return schema.map((part) => slim(part));
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key, value]) => names || !idle(key, value));
  return Object.fromEntries(kept.map(([key, value]) => [key, slim(value, key === "properties" && !names)]));
}

/** The specification of a tool with these arguments, as JSON Schema (draft 7) of what may be sent: defaults are optional. */
export function toolSpec(name: string, description: string, schema: z.ZodType): ToolSpec {
  const parameters = slim(z.toJSONSchema(schema, { target: "draft-7", io: "input" })) as Record<string, unknown>;
  return { name, description, parameters };
}

export type Reading<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string };

/** Whether a text that is meant to be JSON ends within a string. A repair would close it and pass half a file for a whole one. */
function endsInString(text: string): boolean {
  let inside = false;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === '"') inside = !inside;
  }
  return inside;
}

function parse(text: string, repair: boolean): Reading<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const problem = `not valid JSON: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    if (!repair || endsInString(text)) return { ok: false, problem };
    try {
      return { ok: true, value: JSON.parse(jsonrepair(text)) };
    } catch {
      return { ok: false, problem };
    }
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

/**
 * Reads the arguments that a model wrote. Small slips (fences, quotes, commas, missing brackets, JSON in a string) are mended unless
 * the reply was `cut` off: then only complete JSON counts. Never throws; `problem` tells the model what to mend, one line per mistake.
 */
export function readArguments<Value>(
  text: string,
  schema: z.ZodType<Value>,
  options: { cut: boolean },
): Reading<Value> {
  const written = text.trim() === "" ? "{}" : text.trim();
  let reading = parse(written, !options.cut);
  if (reading.ok && typeof reading.value === "string") reading = parse(reading.value, false);
  if (!reading.ok) return reading;
  const { value } = reading;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, problem: `must be one JSON object, not ${kindOf(value)}` };
  }
  const checked = schema.safeParse(value);
  if (checked.success) return { ok: true, value: checked.data };
  const lines = checked.error.issues.map((issue) => `${issue.path.join(".") || "(all)"}: ${issue.message}`);
  return { ok: false, problem: lines.slice(0, 10).join("\n") };
}

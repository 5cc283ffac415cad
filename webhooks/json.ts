/** Reading a body as JSON and taking fields out of it, with no trust in its shape. */
import { z } from "zod";
import type { Event, Parsed } from "../src/domain/event.ts";
import { shortText } from "./receiver.ts";

/** Real messages are nested some ten levels deep. V8 parses 100,000 of them, and then every recursive reader overflows. */
export const depthLimit = 64;

/**
 * Parses the body of a delivery. A byte order mark is skipped (JSON.parse refuses it).
 * Gives the value, or why it cannot be read; never throws.
 */
export function readJson(body: string): { readonly value: unknown } | { readonly unreadable: string } {
  if (deeperThan(body, depthLimit)) return { unreadable: `the JSON is nested more than ${depthLimit} levels deep` };
  try {
    return { value: JSON.parse(body.charCodeAt(0) === 0xfeff ? body.slice(1) : body) };
  } catch {
    // The parser's message quotes the body, which is kept anyway.
    return { unreadable: body.trim() === "" ? "the body is empty" : "the body is not JSON" };
  }
}

/** Whether brackets outside strings nest deeper than the limit. Runs before parsing, so that nothing deep is ever built. */
function deeperThan(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

/** Index of the quote that closes the string opened at `open`; the length of the text when none does. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/** An own field of an object; undefined for anything else. Inherited names (`toString`, `constructor`) are not fields. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** Postgres takes neither NUL nor half a surrogate pair in its JSON: such text could never be committed. */
export const Text = z.string().transform((text) => text.replaceAll("\0", "").toWellFormed());

/** An id that is a string in one version of a product and a number in another. */
export const Id = z.union([Text, z.number()]).transform(String);

/** Reads the body by a schema and says what it means; a body that does not fit is unsupported, naming the first odd field. */
export function interpret<Body>(
  schema: z.ZodType<Body>,
  json: unknown,
  meaning: (body: Body) => Event | { ignored: string },
): Parsed {
  const read = schema.safeParse(json);
  if (!read.success) {
    const issue = read.error.issues[0];
    const path = shortText(issue?.path.map(String).join("."), "the body");
    return { unsupported: `${path}: ${shortText(issue?.message, "unexpected value")}` };
  }
  const found = meaning(read.data);
  return "ignored" in found ? found : { event: found };
}

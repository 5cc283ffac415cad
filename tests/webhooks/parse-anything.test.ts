/** Whatever JSON comes, the parsers answer, and what they answer can be stored. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Event, type Parsed } from "../../src/domain/event.ts";
import { parseConfluence } from "../../webhooks/confluence/parse.ts";
import { parseGitLab } from "../../webhooks/gitlab/parse.ts";
import { parseJira } from "../../webhooks/jira/parse.ts";
import { jiraDeliveryId } from "../../webhooks/jira/receiver.ts";
import { readJson } from "../../webhooks/json.ts";
import type { Headers } from "../../webhooks/receiver.ts";
import { fixture } from "./requests.ts";

const parsers = { jira: parseJira, gitlab: parseGitLab, confluence: parseConfluence } as const;
const senders = ["jira", "gitlab", "confluence"] as const;

/** One of the three answers, made of text that Postgres takes and that fits a line of the inbox. */
function expectVerdict(parse: (headers: Headers, json: unknown) => Parsed, json: unknown): void {
  const parsed = parse({}, json);
  if ("event" in parsed) {
    expect(Event.parse(parsed.event)).toEqual(parsed.event);
    const stored = JSON.stringify(parsed.event);
    expect(stored).not.toContain("\\u0000");
    expect(stored).not.toMatch(/\\ud[89a-f][0-9a-f]{2}/i);
    return;
  }
  const reason = "ignored" in parsed ? parsed.ignored : parsed.unsupported;
  expect(reason.length).toBeGreaterThan(4);
  expect(reason.length).toBeLessThan(250);
  expect(reason).not.toMatch(/\p{Cc}/u);
}

/** The same JSON with one value, anywhere in it, replaced. `pick` chooses among the places, in order. */
function withOneReplaced(json: unknown, pick: number, replacement: unknown): unknown {
  const places: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    places.push(path);
    if (Array.isArray(value)) for (const [at, item] of value.entries()) walk(item, [...path, at]);
    else if (typeof value === "object" && value !== null)
      for (const [name, item] of Object.entries(value)) walk(item, [...path, name]);
  };
  walk(json, []);
  const path = places[pick % places.length]!;
  if (path.length === 0) return replacement;
  const copy = structuredClone(json);
  let at = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  at[path.at(-1)!] = replacement;
  return copy;
}

describe.each(senders)("%s", (sender) => {
  const parse = parsers[sender];
  const bodies = readdirSync(new URL(`../../webhooks/${sender}/fixtures`, import.meta.url)).map(
    (file) => JSON.parse(fixture(sender, file.replace(".json", ""))) as unknown,
  );

  test("any JSON has a verdict", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (json) => expectVerdict(parse, json)),
      { numRuns: 500 },
    );
  });

  test("any JSON under a name that we know has a verdict", () => {
    const names = bodies.map((body) => {
      const { webhookEvent, object_kind, event_name, event } = body as Record<string, unknown>;
      return { webhookEvent, object_kind, event_name, event };
    });
    const property = fc.property(fc.constantFrom(...names), fc.dictionary(fc.string(), fc.jsonValue()), (name, rest) =>
      expectVerdict(parse, { ...rest, ...name }),
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("a real body with one value replaced has a verdict", () => {
    const replacement = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom("\0", "\ud800", "__proto__", 1e308, -1, "", {}, [], null),
    );
    const property = fc.property(fc.constantFrom(...bodies), fc.nat(), replacement, (body, pick, value) => {
      const changed = withOneReplaced(body, pick, value);
      expectVerdict(parse, changed);
      expect(jiraDeliveryId({}, changed, Buffer.from("x"))).toMatch(/^sha256:[0-9a-f]{64}$/);
    });
    fc.assert(property, { numRuns: 1500 });
  });
});

test("reading agrees with JSON.parse on everything that is not too deep", () => {
  const texts = fc.oneof(fc.json({ maxDepth: 10 }), fc.string({ unit: fc.constantFrom(...'[]{}"\\,:01 ntf') }));
  fc.assert(
    fc.property(texts, (text) => {
      let expected: unknown;
      try {
        expected = { value: JSON.parse(text) };
      } catch {
        expected = { unreadable: expect.any(String) };
      }
      expect(readJson(text)).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

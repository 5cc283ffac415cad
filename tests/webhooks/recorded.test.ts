/** Every body that others recorded gets an event or a named verdict. The recordings are not part of the project. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Event, type Parsed } from "../../src/domain/event.ts";
import { parseGitLab } from "../../webhooks/gitlab/parse.ts";
import { parseJira } from "../../webhooks/jira/parse.ts";
import type { Headers } from "../../webhooks/receiver.ts";

const recordings = new URL("../../../shared/payloads/", import.meta.url);

const parsers: readonly (readonly [sender: string, parse: (headers: Headers, json: unknown) => Parsed])[] = [
  ["jira", parseJira],
  ["gitlab", parseGitLab],
];

describe.each(parsers)("recorded bodies of %s", (sender, parse) => {
  const folder = new URL(`${sender}/`, recordings);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [];

  describe.skipIf(files.length === 0)("each means something", () => {
    test.each(files)("%s", (file) => {
      const parsed = parse({}, JSON.parse(readFileSync(new URL(file, folder), "utf8")));
      if ("event" in parsed) expect(Event.parse(parsed.event)).toEqual(parsed.event);
      else expect(Object.values(parsed)[0]).toMatch(/^.{5,250}$/);
    });

    test("nearly all of them are known to us", () => {
      const unsupported = files.filter((file) => {
        return "unsupported" in parse({}, JSON.parse(readFileSync(new URL(file, folder), "utf8")));
      });
      // One recorded file has blanks at the end of its field names, which GitLab never sent.
      expect(unsupported.length).toBeLessThanOrEqual(1);
    });
  });
});

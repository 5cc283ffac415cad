import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parseConfluence } from "../../webhooks/confluence/parse.ts";
import { fixture } from "./requests.ts";

const pages = "pages are read when they are written or searched";
const table: Record<string, string> = {
  page_created: pages,
  page_updated: pages,
  page_trashed: pages,
  page_moved: pages,
  comment_on_page_created: "comments on pages are not commands",
  attachment_removed: "attachments are not our business",
  label_added: "labels of pages are not our business",
  space_created: "spaces are configured in ticketsmith.yaml",
};

test("the table has every fixture", () => {
  const files = readdirSync(new URL("../../webhooks/confluence/fixtures", import.meta.url));
  expect(files.map((file) => file.replace(".json", "")).sort()).toEqual(Object.keys(table).sort());
});

test.each(Object.entries(table))("%s is taken in and not needed", (name, ignored) => {
  expect(parseConfluence({}, JSON.parse(fixture("confluence", name)))).toEqual({ ignored });
});

test.each([
  [{ test: true }, { ignored: "a connection test" }],
  [{}, { unsupported: "event: the message has no name" }],
  [{ event: "flood_warning" }, { unsupported: "flood_warning is not a message we know" }],
])("%j", (body, expected) => {
  expect(parseConfluence({}, body)).toEqual(expected);
});

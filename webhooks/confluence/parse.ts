/**
 * What Confluence's messages mean to us: nothing yet that would be an event. They are taken in so that the inbox shows them and
 * a webhook that was set up answers green. Names: https://confluence.atlassian.com/doc/managing-webhooks-1021225606.html
 */
import type { Parsed } from "../../src/domain/event.ts";
import { field } from "../json.ts";
import { type Headers, shortText } from "../receiver.ts";

const notNeeded: readonly (readonly [name: string, why: string])[] = [
  ["page_", "pages are read when they are written or searched"],
  ["blog_", "blog posts are not our business"],
  ["blogpost_", "blog posts are not our business"],
  ["comment_", "comments on pages are not commands"],
  ["content_", "pages are read when they are written or searched"],
  ["attachment_", "attachments are not our business"],
  ["label_", "labels of pages are not our business"],
  ["space_", "spaces are configured in ticketsmith.yaml"],
  ["user_", "people are looked up when they are needed"],
  ["group_", "people are looked up when they are needed"],
  ["theme_", "themes are not our business"],
  ["search_", "searches are not our business"],
  ["relation_", "relations are not our business"],
];

/**
 * What a body of Confluence means. Pure, never throws, never an event.
 * @param json the parsed body
 */
export function parseConfluence(_headers: Headers, json: unknown): Parsed {
  const name = field(json, "event");
  if (typeof name !== "string") {
    return field(json, "test") === true
      ? { ignored: "a connection test" }
      : { unsupported: "event: the message has no name" };
  }
  const known = notNeeded.find(([start]) => name.startsWith(start));
  return known === undefined
    ? { unsupported: `${shortText(name, "a message without a name")} is not a message we know` }
    : { ignored: known[1] };
}

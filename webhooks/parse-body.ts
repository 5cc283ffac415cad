/** Reading a body without the request that it came with: deliveries that are decided again, and files. */
import type { Parsed, Sender } from "../src/domain/event.ts";
import { parseConfluence } from "./confluence/parse.ts";
import { parseGitLab } from "./gitlab/parse.ts";
import { parseJira } from "./jira/parse.ts";
import { field, readJson } from "./json.ts";
import { shortText } from "./receiver.ts";

const parsers = { jira: parseJira, gitlab: parseGitLab, confluence: parseConfluence } as const;

/** What a body of that sender means, and the name of its kind. Never throws. Nobody has checked who sent it. */
export function parseBody(sender: Sender, body: string): { readonly kind: string; readonly parsed: Parsed } {
  const json = readJson(body);
  if ("unreadable" in json) return { kind: "unknown", parsed: { unsupported: json.unreadable } };
  const { value } = json;
  const name = ["webhookEvent", "object_kind", "event_name", "event"].map((each) => field(value, each)).find(Boolean);
  return { kind: shortText(name, "unknown"), parsed: parsers[sender]({}, value) };
}

/** Whose message a body is, by its shape; null when it is nobody's. Jira and Confluence name an event, GitLab an object. */
export function guessSender(body: string): Sender | null {
  const json = readJson(body);
  if ("unreadable" in json) return null;
  if (field(json.value, "object_kind") !== undefined || field(json.value, "event_name") !== undefined) return "gitlab";
  if (field(json.value, "webhookEvent") !== undefined) return "jira";
  return field(json.value, "page") !== undefined || field(json.value, "event") !== undefined ? "confluence" : null;
}

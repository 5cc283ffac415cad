/** Confluence's door (Data Center): https://developer.atlassian.com/server/confluence/webhooks/ */
import { field } from "../json.ts";
import { deliveryKey, type Receiver, sha256Hex, shortText } from "../receiver.ts";
import { parseConfluence } from "./parse.ts";
import { createConfluenceCheck } from "./verify.ts";

/** @throws Error when there is no secret or an empty one */
export function createConfluenceReceiver(options: { secrets: readonly string[] }): Receiver {
  return {
    sender: "confluence",
    verify: createConfluenceCheck(options.secrets),
    // There is no delivery id; the body holds the moment in milliseconds.
    key: (_headers, _json, body) => deliveryKey("confluence", `sha256:${sha256Hex(body)}`),
    kind: (_headers, json) => shortText(field(json, "event"), "unknown"),
    parse: parseConfluence,
  };
}

/** Jira's door: https://developer.atlassian.com/cloud/jira/platform/webhooks/ */
import { field } from "../json.ts";
import { deliveryKey, type Headers, header, type Receiver, sha256Hex, shortText } from "../receiver.ts";
import { parseJira } from "./parse.ts";
import { createJiraCheck } from "./verify.ts";

/**
 * @param options `site` tells deliveries of two Jira sites apart: the base URL or host of the site
 * @throws Error when there is no secret or an empty one
 */
export function createJiraReceiver(options: { secrets: readonly string[]; site: string }): Receiver {
  return {
    sender: "jira",
    verify: createJiraCheck(options.secrets),
    key: (headers, json, body) => deliveryKey(`jira:${options.site}`, jiraDeliveryId(headers, json, body)),
    kind: (_headers, json) => shortText(field(json, "webhookEvent"), "unknown"),
    parse: parseJira,
  };
}

/**
 * Cloud numbers its deliveries and keeps the number on a retry. Data Center does not: there, what happened (event, issue, change
 * or comment, moment) is the name. A message without those is named by its whole body.
 * Atlassian does not sign the identifier: who can repeat a signed request can rename it, and routing must bear to see it again.
 */
export function jiraDeliveryId(headers: Headers, json: unknown, body: Buffer): string {
  const identifier = header(headers, "x-atlassian-webhook-identifier")?.trim();
  if (identifier) return identifier;
  const issue = field(field(json, "issue"), "id") ?? null;
  const change = field(field(json, "changelog"), "id") ?? null;
  const comment = field(field(json, "comment"), "id") ?? null;
  const timestamp = field(json, "timestamp") ?? null;
  if (timestamp === null || (change === null && comment === null)) return `sha256:${sha256Hex(body)}`;
  const what = [field(json, "webhookEvent"), field(json, "issue_event_type_name"), issue, change, comment, timestamp];
  return `sha256:${sha256Hex(JSON.stringify(what))}`;
}

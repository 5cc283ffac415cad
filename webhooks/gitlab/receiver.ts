/** GitLab's door: https://docs.gitlab.com/user/project/integrations/webhook_events/ */
import { field } from "../json.ts";
import { deliveryKey, type Headers, header, type Receiver, sha256Hex, shortText } from "../receiver.ts";
import { parseGitLab } from "./parse.ts";
import { createGitLabCheck, type GitLabSecrets } from "./verify.ts";

/**
 * @param now milliseconds, for the age of signatures
 * @throws Error when there is no secret, an empty one, or a signing token that GitLab cannot have made
 */
export function createGitLabReceiver(secrets: GitLabSecrets, now?: () => number): Receiver {
  return {
    sender: "gitlab",
    verify: createGitLabCheck(secrets, now),
    key: (headers, _json, body) => deliveryKey("gitlab", gitLabDeliveryId(headers, body)),
    kind: (headers, json) =>
      shortText(
        field(json, "object_kind") ?? field(json, "event_name") ?? header(headers, "x-gitlab-event"),
        "unknown",
      ),
    parse: parseGitLab,
  };
}

/**
 * GitLab's own id, kept when it sends again (17.4+). `webhook-id` holds the same but is signed: with a signature it is the one that
 * counts, or whoever repeats a signed request could rename it. Older servers send none; there the body is the name.
 * `X-Gitlab-Event-UUID` is no id: a chain of hooks shares it.
 */
export function gitLabDeliveryId(headers: Headers, body: Buffer): string {
  const signed = header(headers, "webhook-signature") !== undefined;
  const id = (signed ? undefined : header(headers, "idempotency-key")) || header(headers, "webhook-id");
  return id || `sha256:${sha256Hex(body)}`;
}

/** Who may knock as GitLab: signing tokens (GitLab 19.0+, Standard Webhooks) or the older secret token. */
import { createSecretKey, type KeyObject } from "node:crypto";
import {
  anyDigestEqual,
  authentic,
  type Headers,
  header,
  hmacSha256,
  refused,
  requireSecrets,
  tokenCheck,
  type Verification,
} from "../receiver.ts";

export interface GitLabSecrets {
  /** `X-Gitlab-Token`, in clear. */
  readonly secretTokens: readonly string[];
  /** `whsec_` and base64, as GitLab shows it once. */
  readonly signingTokens: readonly string[];
}

/** Standard Webhooks: a message may be this old, or from this far in the future. */
const toleranceSeconds = 5 * 60;

/**
 * A check of GitLab's proof. A request with `webhook-signature` must pass that, also when it has the right token as well;
 * one without falls back to `X-Gitlab-Token`: the order that GitLab advises for moving from one to the other.
 * https://docs.gitlab.com/user/project/integrations/webhooks/ and https://www.standardwebhooks.com
 * @param now milliseconds, for the age of signatures
 * @throws Error when there is neither kind of secret, an empty one, or a signing token that GitLab cannot have made
 */
export function createGitLabCheck(
  secrets: GitLabSecrets,
  now: () => number = Date.now,
): (headers: Headers, body: Buffer) => Verification {
  requireSecrets("GITLAB_WEBHOOK_SECRET or GITLAB_SIGNING_TOKEN", [...secrets.secretTokens, ...secrets.signingTokens]);
  const keys = secrets.signingTokens.map(signingKey);
  const tokenKnown = tokenCheck(secrets.secretTokens);
  return (headers, body) => {
    const signature = header(headers, "webhook-signature");
    if (signature !== undefined) return checkSignature(signature, headers, body, keys, now());
    const token = header(headers, "x-gitlab-token");
    if (token !== undefined && secrets.secretTokens.length > 0) {
      return tokenKnown(token) ? authentic : refused("X-Gitlab-Token is not one of ours");
    }
    return refused(
      secrets.secretTokens.length > 0
        ? "neither webhook-signature nor X-Gitlab-Token is there"
        : "webhook-signature is missing",
    );
  };
}

function checkSignature(
  signature: string,
  headers: Headers,
  body: Buffer,
  keys: readonly KeyObject[],
  nowMs: number,
): Verification {
  if (keys.length === 0) return refused("webhook-signature is there, but GITLAB_SIGNING_TOKEN is not set");
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  if (!id || !timestamp) return refused("webhook-id or webhook-timestamp is missing");
  if (!/^\d{1,12}$/.test(timestamp)) return refused("webhook-timestamp is not a number of seconds");
  const age = nowMs / 1000 - Number(timestamp);
  if (age > toleranceSeconds) return refused("webhook-timestamp is more than 5 minutes old");
  if (age < -toleranceSeconds) return refused("webhook-timestamp is more than 5 minutes ahead");
  // Several signatures, separated by spaces, while a key is being replaced. Versions other than v1 are for others.
  const given = signature.split(" ").flatMap((each) => {
    const digest = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(each)?.[1];
    return digest === undefined ? [] : [Buffer.from(digest, "base64")];
  });
  if (given.length === 0) return refused("webhook-signature holds no v1 signature");
  const expected = keys.map((key) => hmacSha256(key, [`${id}.${timestamp}.`, body]));
  return anyDigestEqual(expected, given) ? authentic : refused("webhook-signature does not match the body");
}

/** The key inside a signing token. GitLab makes 32 bytes; Standard Webhooks allows 24 to 64. A shorter one was cut while pasting. */
function signingKey(token: string): KeyObject {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(token)?.[1];
  const key = Buffer.from(encoded ?? "", "base64");
  if (key.length < 24 || key.length > 64) {
    throw new Error("GITLAB_SIGNING_TOKEN is not whsec_ followed by 24 to 64 bytes of base64");
  }
  return createSecretKey(key);
}

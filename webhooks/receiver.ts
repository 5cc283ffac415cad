/**
 * The shape of a receiver (one per sender) and what verifying has in common: secrets that may be rotated and comparisons
 * that take the same time whatever they find.
 */
import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Parsed, Sender } from "../src/domain/event.ts";

/** Request headers as node:http gives them: lower-case names, repeated ones joined. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether a request is from whom it says. The reason is one of a few fixed sentences: it may be shown and counted. */
export type Verification = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export const authentic: Verification = { ok: true };

/** One sender's door: who may come in, and what they say. */
export interface Receiver {
  readonly sender: Sender;
  /** Checks the body exactly as it was signed. Never throws. */
  verify(headers: Headers, body: Buffer): Verification;
  /** What names this delivery for ever. `json` is undefined when the body could not be read. */
  key(headers: Headers, json: unknown, body: Buffer): string;
  /** The kind of message in the sender's own words; untrusted text, see `shortText`. */
  kind(headers: Headers, json: unknown): string;
  /** Pure: what the message means to us. */
  parse(headers: Headers, json: unknown): Parsed;
}

export function refused(reason: string): Verification {
  return { ok: false, reason };
}

/** A header as one string; undefined when it is absent. Present but empty is the empty string. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

/**
 * Refuses lists that would leave a door open: no secret at all, or a blank one (everybody can sign with that).
 * @throws Error naming the setting, so that the bot does not start.
 */
export function requireSecrets(setting: string, secrets: readonly string[]): readonly string[] {
  if (secrets.length === 0) throw new Error(`${setting} is not set: without it anybody could send webhooks`);
  if (secrets.some((secret) => secret.trim() === "")) throw new Error(`${setting} holds an empty secret`);
  return secrets;
}

/** HMAC-SHA256 of the parts, one after the other, without joining them first. */
export function hmacSha256(key: KeyObject, parts: readonly (string | Buffer)[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** SHA-256 of the parts as hex. */
export function sha256Hex(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** True when any expected digest equals any given one. Looks at every pair, so time says nothing about which came close. */
export function anyDigestEqual(expected: readonly Buffer[], given: readonly Buffer[]): boolean {
  let found = false;
  for (const left of expected) {
    for (const right of given) {
      // timingSafeEqual throws on unequal lengths; the length of a digest is no secret.
      if (left.length === right.length && timingSafeEqual(left, right)) found = true;
    }
  }
  return found;
}

/** A check of a shared token that travels in clear. Digests are compared, so not even the length of the token shows. */
export function tokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const expected = tokens.map((token) => createHash("sha256").update(token, "utf8").digest());
  // node:http reads header bytes as latin1: take the same bytes back.
  return (given) => anyDigestEqual(expected, [createHash("sha256").update(given, "latin1").digest()]);
}

/**
 * A check of `X-Hub-Signature: sha256=<hex HMAC-SHA256 of the body>`, which Jira Cloud, Jira Data Center 10+ and Confluence
 * Data Center send when their webhook has a secret. Any of the secrets will do, so that they can be rotated.
 * Atlassian warns that other methods may come one day; until then only sha256 counts.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
 * https://confluence.atlassian.com/doc/managing-webhooks-1021225606.html
 */
export function hubSignatureCheck(secrets: readonly string[]): (headers: Headers, body: Buffer) => Verification {
  const keys = secrets.map((secret) => createSecretKey(secret, "utf8"));
  return (headers, body) => {
    const value = header(headers, "x-hub-signature");
    if (value === undefined) return refused("X-Hub-Signature is missing");
    const split = value.indexOf("=");
    if (split < 0) return refused("X-Hub-Signature is not method=hex");
    if (value.slice(0, split) !== "sha256") return refused("X-Hub-Signature uses a method other than sha256");
    const hex = value.slice(split + 1);
    if (!/^[0-9a-f]{64}$/i.test(hex)) return refused("X-Hub-Signature is not 64 hex digits");
    const expected = keys.map((key) => hmacSha256(key, [body]));
    return anyDigestEqual(expected, [Buffer.from(hex, "hex")])
      ? authentic
      : refused("X-Hub-Signature does not match the body");
  };
}

/**
 * A delivery key: readable when the sender's id is of a sensible length, hashed when it is not (an index entry of Postgres
 * may not exceed some 2700 bytes, and a header may).
 */
export function deliveryKey(scope: string, id: string): string {
  return id.length <= 200 ? `${scope}:${id}` : `${scope}:sha256:${sha256Hex(id)}`;
}

/** Text from outside made fit for the inbox and the log: one line, at most 100 characters. */
export function shortText(value: unknown, otherwise: string): string {
  if (typeof value !== "string" || value === "") return otherwise;
  return value
    .slice(0, 100)
    .replace(/\p{Cc}/gu, " ")
    .toWellFormed();
}

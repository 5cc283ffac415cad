/** Proofs that somebody knows the API key: the key itself, or a signed token that was given for it and expires. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** How long a login lasts, in milliseconds. */
export const sessionMs = 12 * 60 * 60 * 1000;

export const sessionCookie = "ticketsmith_session";

/** Compares two texts in a time that depends on neither; digests make their lengths equal. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** Whether the offered text is the API key. */
export function isApiKey(offered: string, apiKey: string): boolean {
  return isSame(offered, apiKey);
}

/** Whether an `Authorization` header carries the API key. */
export function hasBearer(header: string | undefined, apiKey: string): boolean {
  const offered = /^Bearer +(.+)$/i.exec(header ?? "")?.[1];
  return offered !== undefined && isApiKey(offered.trim(), apiKey);
}

function sign(expiresAt: string, apiKey: string): string {
  return createHmac("sha256", apiKey).update(`ticketsmith dashboard session ${expiresAt}`).digest("base64url");
}

/** A token that is good until `expiresAt` (milliseconds since 1970) or until the API key changes. */
export function makeSession(expiresAt: number, apiKey: string): string {
  return `${expiresAt}.${sign(String(expiresAt), apiKey)}`;
}

/** Whether a token was made by us, with this API key, and has not expired at `now`. */
export function isSession(token: string, apiKey: string, now: number): boolean {
  const [expiresAt = "", signature = "", ...more] = token.split(".");
  if (more.length > 0 || !/^\d{1,15}$/.test(expiresAt)) return false;
  return isSame(signature, sign(expiresAt, apiKey)) && Number(expiresAt) > now;
}

/** The values of a cookie; there may be several of the same name, set for other paths. */
export function cookiesNamed(name: string, header: string | undefined): string[] {
  return (header ?? "").split(";").flatMap((pair) => {
    const [key = "", ...value] = pair.split("=");
    return key.trim() === name ? [value.join("=").trim()] : [];
  });
}

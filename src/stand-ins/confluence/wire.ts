/** What the routes share: reading requests, answering lists. */
import type { StandInReply, StandInRequest } from "../server.ts";
import { WikiError, type WikiUser } from "./wiki.ts";

/** Who calls, and the address of the wiki as answers give it. */
export interface Context {
  /** The user whose login the request carries; WikiError 401 without one. */
  readonly me: (request: StandInRequest) => WikiUser;
  readonly base: () => string;
}

export type Body = Readonly<Record<string, unknown>>;

export function record(value: unknown): Body {
  return typeof value === "object" && value !== null ? (value as Body) : {};
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function bad(message: string): WikiError {
  return new WikiError(400, "INVALID_REQUEST_PARAMETER", message);
}

/** Storage text of a write, given directly or under `storage`. */
export function storageOf(body: unknown): string {
  const given = record(body);
  const flat = "storage" in given ? record(given.storage) : given;
  if (flat.representation !== "storage") throw bad("The stand-in takes bodies in storage representation only");
  if (typeof flat.value !== "string") throw bad("body.value is required");
  return flat.value;
}

/** Values of a parameter that may be repeated or comma-separated. */
export function values(request: StandInRequest, name: string): string[] {
  return request.query.getAll(name).flatMap((value) => value.split(","));
}

/** One page of a list, with the link to the next one as v2 gives it: in `_links.next` and in the Link header. */
export function listing(request: StandInRequest, base: string, all: readonly unknown[]): StandInReply {
  const limit = Number(request.query.get("limit") ?? 25);
  if (!Number.isInteger(limit) || limit < 1 || limit > 250) throw bad("limit must be between 1 and 250");
  const cursor = request.query.get("cursor");
  const from = cursor === null ? 0 : Number(Buffer.from(cursor, "base64url").toString());
  if (!Number.isInteger(from)) throw bad("Invalid cursor");
  const results = all.slice(from, from + limit);
  if (from + limit >= all.length) return { status: 200, body: { results, _links: { base } } };
  const query = new URLSearchParams(request.query);
  query.set("cursor", Buffer.from(String(from + limit)).toString("base64url"));
  const next = `${request.path}?${query.toString()}`;
  return {
    status: 200,
    headers: { link: `<${next}>; rel="next", <${base}>; rel="base"` },
    body: { results, _links: { next, base } },
  };
}

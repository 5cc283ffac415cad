/** What every REST call passes: who calls, on which issue, and not too often. */
import type { Handler, StandInReply, StandInRequest } from "../server.ts";
import { type JiraIssue, type JiraUser, type JiraWorld, Refusal } from "./world.ts";

/** At most `count` writes to one issue within `windowMs`. */
export interface WriteLimit {
  readonly count: number;
  readonly windowMs: number;
}

/** Jira Cloud's limits per issue. https://developer.atlassian.com/cloud/jira/platform/rate-limiting/ */
export const usualWriteLimits: readonly WriteLimit[] = [
  { count: 20, windowMs: 2_000 },
  { count: 100, windowMs: 30_000 },
];

export interface Door {
  /** Basic credentials are checked; the handler gets the person. */
  forUser(handle: (request: StandInRequest, actor: JiraUser) => StandInReply): Handler;
  /** The same for `/issue/:key/...`; writes count against the limits of the issue. */
  forIssue(handle: (request: StandInRequest, actor: JiraUser, issue: JiraIssue) => StandInReply): Handler;
  /** Counts a write. Throws Refusal 429. */
  countWrite(issue: JiraIssue): void;
}

function reply(work: () => StandInReply): StandInReply {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const errorMessages = error.message === "" ? [] : [error.message];
    return { status: error.status, headers: error.headers, body: { errorMessages, errors: error.errors } };
  }
}

/** Finds an issue by key (any case) or id. Throws Refusal 404. */
export function findIssue(world: JiraWorld, keyOrId: string): JiraIssue {
  const issue = world.issues.get(keyOrId.toUpperCase()) ?? [...world.issues.values()].find((one) => one.id === keyOrId);
  if (issue === undefined) {
    throw new Refusal(404, "Issue does not exist or you do not have permission to see it.");
  }
  return issue;
}

/** The door of one site; it remembers recent writes per issue. */
export function createDoor(world: JiraWorld, limits: readonly WriteLimit[]): Door {
  const writes = new Map<string, number[]>();

  function caller(request: StandInRequest): JiraUser {
    const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const given = Buffer.from(encoded, "base64").toString("utf8");
    const user = world.users.find((one) => `${one.email}:${one.apiToken}` === given);
    if (user === undefined) {
      const headers = { "x-seraph-loginreason": "AUTHENTICATED_FAILED", "www-authenticate": 'OAuth realm="jira"' };
      throw new Refusal(401, "Client must be authenticated to access this resource.", { headers });
    }
    return user;
  }

  function countWrite(issue: JiraIssue): void {
    const now = world.now();
    const longest = Math.max(0, ...limits.map((limit) => limit.windowMs));
    const recent = (writes.get(issue.id) ?? []).filter((at) => at > now - longest);
    for (const { count, windowMs } of limits) {
      const within = recent.filter((at) => at > now - windowMs);
      const oldest = within[within.length - count];
      if (oldest === undefined) continue;
      const headers = {
        "retry-after": String(Math.max(1, Math.ceil((oldest + windowMs - now) / 1000))),
        "ratelimit-reason": "jira-per-issue-on-write",
        "x-ratelimit-limit": String(count),
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": new Date(oldest + windowMs).toISOString(),
      };
      throw new Refusal(429, "Rate limit exceeded.", { headers });
    }
    writes.set(issue.id, [...recent, now]);
  }

  return {
    countWrite,
    forUser: (handle) => (request) => reply(() => handle(request, caller(request))),
    forIssue: (handle) => (request) =>
      reply(() => {
        const actor = caller(request);
        const issue = findIssue(world, request.params.key ?? "");
        if (request.method !== "GET") countWrite(issue);
        return handle(request, actor, issue);
      }),
  };
}

/** The request's JSON object. Throws Refusal 400 when there is none. */
export function bodyOf(request: StandInRequest): Record<string, unknown> {
  const { body } = request;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "Invalid request payload. Refer to the REST API documentation and try again.");
  }
  return body as Record<string, unknown>;
}

/** A member of a body that is an object itself; empty when it is not there. */
export function objectIn(body: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = body[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A repeated or comma-separated query parameter. */
export function listIn(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((part) =>
    part
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== ""),
  );
}

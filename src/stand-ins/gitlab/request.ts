/** Reading a REST call the way GitLab's API (Grape) does: parameters from query and body alike, its own words for what is wrong. */
import type { Handler, StandInReply, StandInRequest } from "../server.ts";
import { levelOf } from "./lookups.ts";
import type { MergeRequest, Project, User, World } from "./world.ts";

/** Thrown by handlers: the answer is already known. */
export class Refusal extends Error {
  readonly reply: StandInReply;
  constructor(status: number, body: unknown) {
    super(`refused with ${status}`);
    this.reply = { status, body };
  }
}

export function notFound(what = "Not found"): Refusal {
  return new Refusal(404, { message: what === "Not found" ? "404 Not found" : `404 ${what} Not Found` });
}

export function forbidden(reason?: string): Refusal {
  return new Refusal(403, { message: reason === undefined ? "403 Forbidden" : `403 Forbidden - ${reason}` });
}

export function badRequest(reason: string): Refusal {
  return new Refusal(400, { message: `400 Bad request - ${reason}` });
}

export type Params = Readonly<Record<string, unknown>>;

export interface Call {
  readonly world: World;
  readonly user: User;
  readonly request: StandInRequest;
  readonly params: Params;
  /** Named parts of the route. */
  readonly route: Readonly<Record<string, string>>;
}
export interface ProjectCall extends Call {
  readonly project: Project;
  readonly level: number;
}
export interface MergeRequestCall extends ProjectCall {
  readonly mergeRequest: MergeRequest;
}

type Answer = StandInReply | Promise<StandInReply>;

async function answering(work: () => Answer): Promise<StandInReply> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
}

/** A handler for a signed-in user: `PRIVATE-TOKEN` or `Authorization: Bearer`. */
export function signedIn(world: World, handler: (call: Call) => Answer): Handler {
  return (request) =>
    answering(async () => {
      const token = request.headers["private-token"] ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
      const user = world.users.find((candidate) => candidate.token === token);
      if (user === undefined) throw new Refusal(401, { message: "401 Unauthorized" });
      if (user.state === "blocked") throw forbidden("Your account has been blocked.");
      return handler({ world, user, request, params: await readParams(request), route: request.params });
    });
}

/** A handler inside a project (`:id` is the number or the path). Below `minimum` the answer is 403, without access 404. */
export function inProject(world: World, minimum: number, handler: (call: ProjectCall) => Answer): Handler {
  return signedIn(world, (call) => {
    const id = call.route.id ?? "";
    const project = world.projects.find(
      (candidate) => String(candidate.id) === id || candidate.path.toLowerCase() === id.toLowerCase(),
    );
    const level = project === undefined ? 0 : levelOf(call.user, project);
    // GitLab does not tell "is not there" from "not for you".
    if (project === undefined || level === 0) throw notFound("Project");
    if (level < minimum) throw forbidden();
    return handler({ ...call, project, level });
  });
}

/** A handler on a merge request (`:iid`). */
export function onMergeRequest(world: World, minimum: number, handler: (call: MergeRequestCall) => Answer): Handler {
  return inProject(world, minimum, (call) => {
    const iid = integer(call.route.iid, "merge_request_iid");
    const mergeRequest = call.project.mergeRequests.find((candidate) => candidate.iid === iid);
    if (mergeRequest === undefined) throw notFound();
    return handler({ ...call, mergeRequest });
  });
}

async function readParams(request: StandInRequest): Promise<Params> {
  const type = request.headers["content-type"] ?? "";
  const pairs: [string, unknown][] = [...request.query.entries()];
  if (/^(?:multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type)) {
    const form = await new Response(new Uint8Array(request.raw), { headers: { "content-type": type } }).formData();
    pairs.push(...form.entries());
  } else if (request.raw.length > 0 && request.body === undefined) {
    throw new Refusal(400, { error: "Problems parsing JSON" });
  }
  const json =
    typeof request.body === "object" && request.body !== null && !Array.isArray(request.body) ? request.body : {};
  return { ...unfold(pairs), ...json };
}

/** Rack's brackets: `a[b]=1&c[]=2` is `{a: {b: "1"}, c: ["2"]}`. */
function unfold(pairs: readonly [string, unknown][]): Params {
  const root: Record<string, unknown> = Object.create(null);
  for (const [key, value] of pairs) {
    const names = key.split("[").map((part) => part.replace(/\]$/, ""));
    const isList = names.length > 1 && /^\d*$/.test(names.at(-1) ?? "");
    if (isList) names.pop();
    const last = names.pop() ?? "";
    let place = root;
    for (const name of names) {
      const inner = place[name] ?? Object.create(null);
      place[name] = inner;
      place = inner as Record<string, unknown>;
    }
    const old = place[last];
    place[last] = isList ? [...(Array.isArray(old) ? old : []), value] : value;
  }
  return root;
}

/** Refuses the call like Grape when one of the parameters was not sent at all. */
export function requireParams(params: Params, ...names: string[]): void {
  const missing = names.filter((name) => params[name] === undefined || params[name] === null);
  if (missing.length > 0) throw new Refusal(400, { error: missing.map((name) => `${name} is missing`).join(", ") });
}

export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object") throw new Refusal(400, { error: `${name} is invalid` });
  return String(value);
}

export function bool(params: Params, name: string): boolean | undefined {
  const value = text(params, name);
  if (value === undefined || value === "") return undefined;
  if (/^(?:true|1|t|yes|on)$/i.test(value)) return true;
  if (/^(?:false|0|f|no|off)$/i.test(value)) return false;
  throw new Refusal(400, { error: `${name} is invalid` });
}

export function integer(value: unknown, name: string): number {
  if (!/^-?\d+$/.test(String(value))) throw new Refusal(400, { error: `${name} is invalid` });
  return Number(value);
}

/** A parameter that must be one of a few words. */
export function oneOf(params: Params, name: string, allowed: readonly string[]): string | undefined {
  const value = text(params, name);
  if (value !== undefined && !allowed.includes(value))
    throw new Refusal(400, { error: `${name} does not have a valid value` });
  return value;
}

/** `a,b` or `["a", "b"]`, as GitLab takes label lists. */
export function commaList(params: Params, name: string): string[] | undefined {
  const value = params[name];
  if (value === undefined || value === null) return undefined;
  const parts = Array.isArray(value) ? value.map(String) : String(value).split(",");
  return [...new Set(parts.map((part) => part.trim()).filter((part) => part !== ""))];
}

/** A page of a list with GitLab's pagination headers. */
export function paginate(call: Call, items: readonly unknown[]): StandInReply {
  const perPage = Math.min(100, Math.max(1, integer(text(call.params, "per_page") ?? 20, "per_page")));
  const page = Math.max(1, integer(text(call.params, "page") ?? 1, "page"));
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const link = (number: number, rel: string): string => {
    const query = new URLSearchParams(call.request.query);
    query.set("page", String(number));
    query.set("per_page", String(perPage));
    return `<${new URL(call.world.url).origin}${call.request.path}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev")] : []),
    ...(page < pages ? [link(page + 1, "next")] : []),
    link(1, "first"),
    link(pages, "last"),
  ];
  return {
    status: 200,
    headers: {
      link: links.join(", "),
      "x-total": String(items.length),
      "x-total-pages": String(pages),
      "x-page": String(page),
      "x-per-page": String(perPage),
      "x-next-page": page < pages ? String(page + 1) : "",
      "x-prev-page": page > 1 ? String(page - 1) : "",
    },
    body: items.slice((page - 1) * perPage, page * perPage),
  };
}

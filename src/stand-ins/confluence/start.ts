/**
 * A local Confluence Cloud: the parts of API v2 (and of v1, where v2 has nothing) that a publisher needs, with the refusals that matter.
 * Sources: the official OpenAPI documents of both versions; v1 content calls answer 410 as on current sites.
 */
import {
  type Handler,
  type Route,
  type StandIn,
  type StandInReply,
  type StandInRequest,
  startStandIn,
} from "../server.ts";
import { contentRoutes } from "./content-routes.ts";
import { spaceRoutes, v1Routes } from "./site-routes.ts";
import { indexView, pageView } from "./view.ts";
import { Wiki, WikiError, type WikiUser } from "./wiki.ts";
import type { Context } from "./wire.ts";

export interface ConfluenceStandIn extends StandIn {
  /** Direct access for assertions, and for playing the people who use the wiki (`wiki.editAs`, `wiki.createPage`). */
  readonly wiki: Wiki;
}

export interface ConfluenceOptions {
  readonly spaces: readonly { key: string; name: string }[];
  readonly users: readonly WikiUser[];
  readonly bot: { readonly email: string; readonly apiToken: string; readonly accountId: string };
  readonly port?: number;
}

/** An error as the version of the API answers it that was called. */
function refusal(request: StandInRequest, error: WikiError): StandInReply {
  const { status, code, message } = error;
  if (request.path.startsWith("/wiki/rest/"))
    return { status, body: { statusCode: status, message, data: { authorized: true, valid: false } } };
  return { status, body: { errors: [{ status, code, title: message, detail: null }] } };
}

/**
 * Starts a local Confluence with empty spaces (each has its home page). `users` lists the people; those with `email` and `apiToken` may
 * call the API, like the bot. Answers 401 to API calls without a known Basic login; the HTML views are open.
 */
export async function startConfluence(options: ConfluenceOptions): Promise<ConfluenceStandIn> {
  const { bot } = options;
  const known = options.users.find((user) => user.accountId === bot.accountId);
  const users: WikiUser[] = [
    { displayName: known?.displayName ?? "Ticketsmith", ...bot },
    ...options.users.filter((user) => user !== known),
  ];
  const owner = users.find((user) => user.accountId !== bot.accountId)?.accountId ?? "557058:site-admin";
  const wiki = new Wiki(options.spaces, owner);
  let base = "";

  const login = (request: StandInRequest): WikiUser | undefined =>
    users.find(({ email, apiToken }) => {
      if (email === undefined || apiToken === undefined) return false;
      return request.headers.authorization === `Basic ${Buffer.from(`${email}:${apiToken}`).toString("base64")}`;
    });
  const me = (request: StandInRequest): WikiUser => {
    const user = login(request);
    if (user === undefined) throw new WikiError(401, "UNAUTHORIZED", "Unauthorized");
    return user;
  };
  const context: Context = { me, base: () => base };
  const guarded = ([method, pattern, handler]: Route): Route => [
    method,
    pattern,
    async (request, response) => {
      try {
        me(request);
        return await handler(request, response);
      } catch (error) {
        if (error instanceof WikiError) return refusal(request, error);
        throw error;
      }
    },
  ];
  const view: Handler = (request) => {
    const page = wiki.pages.find(({ id, status }) => id === request.params.id && status !== "trashed");
    return page === undefined ? { status: 404, body: "No such page" } : pageView(wiki, users, page);
  };
  const standIn = await startStandIn(
    [
      ...[...contentRoutes(wiki, context), ...spaceRoutes(wiki, owner, context), ...v1Routes(wiki, context)].map(
        guarded,
      ),
      ["GET", "/wiki", () => indexView(wiki)],
      ["GET", "/wiki/", () => indexView(wiki)],
      ["GET", "/wiki/spaces/:key/pages/:id", view],
      ["GET", "/wiki/spaces/:key/pages/:id/:title", view],
    ],
    options.port === undefined ? {} : { port: options.port },
  );
  base = `${standIn.url}/wiki`;
  return Object.assign(standIn, { wiki });
}

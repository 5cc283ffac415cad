/** Everything that the bot asked of Acme's systems in one story, against the official descriptions. */
import { type Acme, bot } from "../../src/stand-ins/acme/acme.ts";
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import type { Service } from "./descriptions.ts";
import { loadContracts } from "./spec.ts";

/** The secret that a request shows, in whichever header and form; undefined when it shows none. */
function secretOf({ headers }: LoggedRequest): string | undefined {
  const shown = headers.authorization ?? headers["private-token"] ?? headers["job-token"];
  if (shown === undefined) return undefined;
  const [scheme = "", value] = shown.split(" ");
  if (value === undefined) return shown;
  if (scheme.toLowerCase() !== "basic") return value;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** Calls of an API, unlike pages that people look at. */
const api = /^\/(rest|api|wiki\/rest|wiki\/api|v1)\//;

/** What the bot asked of each system. Calls of an API without any credentials count too: nobody else would forget them. */
export function requestsOfBot(acme: Acme): Readonly<Record<Service, readonly LoggedRequest[]>> {
  const own = (requests: readonly LoggedRequest[], secret: string | undefined): LoggedRequest[] =>
    requests.filter((request) => {
      const shown = secretOf(request);
      return shown === undefined ? api.test(request.path) : shown === secret;
    });
  return {
    jira: own(acme.jira.requests, bot.jira.apiToken),
    confluence: own(acme.confluence.requests, bot.jira.apiToken),
    gitlab: own(acme.gitlab.requests, bot.gitlab.token),
    openai: own(acme.model.requests, acme.variables.OPENAI_API_KEY),
  };
}

/**
 * What the bot did that the descriptions do not allow, one line per kind (`service: METHOD /path: rule`). Empty when all is
 * well, and when the descriptions are not there (see spec.ts).
 */
export function checkStory(acme: Acme): string[] {
  const contracts = loadContracts();
  if (contracts === null) return [];
  const lines = Object.entries(requestsOfBot(acme)).flatMap(([service, requests]) =>
    requests.flatMap((request) => contracts.check(service as Service, request)),
  );
  return [...new Set(lines)];
}

/** Everything that the bot asked of Acme's systems in one story, against the official descriptions. */
import { type Acme, bot } from "../../src/stand-ins/acme/acme.ts";
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import type { Service } from "./descriptions.ts";
import { loadContracts } from "./spec.ts";

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

/** Credentials in any of the headers that one of the services reads. */
function credentialsOf({ headers }: LoggedRequest): string | undefined {
  return headers.authorization ?? headers["private-token"] ?? headers["job-token"];
}

/** Calls of an API, unlike pages that people look at. */
const api = /^\/(rest|api|wiki\/rest|wiki\/api|v1)\//;

/** What the bot asked of each system. Calls of an API without any credentials count too: nobody else would forget them. */
export function requestsOfBot(acme: Acme): Readonly<Record<Service, readonly LoggedRequest[]>> {
  const { token, username } = bot.gitlab;
  const atlassian = basic(bot.jira.email, bot.jira.apiToken);
  const own = (requests: readonly LoggedRequest[], credentials: readonly string[]): LoggedRequest[] =>
    requests.filter((request) => {
      const shown = credentialsOf(request);
      return shown === undefined ? api.test(request.path) : credentials.includes(shown);
    });
  return {
    jira: own(acme.jira.requests, [atlassian]),
    confluence: own(acme.confluence.requests, [atlassian]),
    // Over git any user name goes with a token.
    gitlab: own(acme.gitlab.requests, [token, `Bearer ${token}`, basic("oauth2", token), basic(username, token)]),
    openai: own(acme.model.requests, [`Bearer ${acme.variables.OPENAI_API_KEY ?? ""}`]),
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

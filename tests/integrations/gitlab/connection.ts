/** What the tests of the adapter share: a client, a merge request to talk on, and faults. */
import { createGitLab } from "../../../src/integrations/gitlab/gitlab.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { GitLabStandIn, GitLabStandInOptions } from "../../../src/stand-ins/gitlab/gitlab.ts";
import type { Fault } from "../../../src/stand-ins/server.ts";
import { bot, openGitLab, openMergeRequest, shop } from "../../stand-ins/gitlab/playground.ts";

export const at = { repository: shop, iid: 1 };

export type Client = ReturnType<typeof createGitLab>;

export const connect = (gitlab: GitLabStandIn, who: { token: string } = bot): Client =>
  createGitLab({ baseUrl: gitlab.baseUrl, token: who.token, log: silentLog });

/** A stand-in with Dana's merge request `!1`, and the bot's client. */
export async function talk(
  change?: Record<string, string>,
  options: Partial<GitLabStandInOptions> = {},
): Promise<{ gitlab: GitLabStandIn; client: Client; head: string }> {
  const gitlab = await openGitLab(options);
  const head = await openMergeRequest(gitlab, change);
  gitlab.requests.length = 0;
  return { gitlab, client: connect(gitlab), head };
}

/** What the bot wrote, as `METHOD path below the merge request (or the project)`. */
export function writesOf(gitlab: GitLabStandIn): string[] {
  return gitlab.requests
    .filter(({ method, headers }) => method !== "GET" && headers["private-token"] === bot.token)
    .map(({ method, path }) => {
      const below = path.replace(/^.*\/projects\/[^/]+\//, "").replace(/^merge_requests\/\d+\//, "");
      return `${method} ${below.replace(/[0-9a-f]{40}/g, "…").replace(/\d+/g, "#")}`;
    });
}

/** Makes the next request that fits fail, once. */
export function failOnce(gitlab: GitLabStandIn, request: RegExp, fault: Fault): void {
  let struck = false;
  gitlab.fault = ({ method, path }) => {
    if (struck || !request.test(`${method} ${path}`)) return undefined;
    struck = true;
    return fault;
  };
}

/** The answer to a write is lost after it was done, or the write is. */
export const losses: readonly (readonly [string, Fault, boolean])[] = [
  ["an answer of 500 after it was done", { when: "after", answer: { status: 500, body: "" } }, true],
  ["a connection cut after it was done", { when: "after", reset: true }, true],
  ["an answer of 502 before it was done", { when: "before", answer: { status: 502, body: "Bad gateway" } }, false],
];

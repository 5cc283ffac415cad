/** What every part of the adapter shares: the client, the bounded call, who we are and where people look at tickets. */
import type { CloudClient } from "jira.js";
import type { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { Actor } from "../../domain/event.ts";
import { Myself, ServerInfo } from "./answers.ts";
import type { Call } from "./calls.ts";
import { createPace } from "./pace.ts";

/** How long a proof that our token is alive is trusted. */
const proofMs = 5 * 60_000;

export interface Site {
  readonly jira: CloudClient;
  readonly call: Call;
  /** The same for everything that changes the ticket: waits until Jira's limit for it allows one more write. */
  write<T>(ticket: string, what: string, schema: z.ZodType<T>, request: () => Promise<unknown>): Promise<T>;
  /** Asks Jira who we are. Permanent when the token is dead. */
  whoAmI(): Promise<Actor>;
  /**
   * Our account, from an answer that is at most five minutes old. Everything that concludes from what Jira does *not* show goes
   * through here: to a dead token Jira answers 200 with what anonymous visitors see (and jira.js 6.2 hides the header that says so).
   */
  identity(): Promise<Actor>;
  /** Address of the ticket for people. */
  browse(key: string): Promise<string>;
}

/** Makes the shared part. `baseUrl` is the site, or the API gateway (then Jira is asked for the site's address). */
export function createSite(options: { jira: CloudClient; call: Call; baseUrl: string }): Site {
  const { jira, call } = options;
  const base = options.baseUrl.replace(/\/+$/, "");
  const viaGateway = new URL(base).hostname === "api.atlassian.com";
  const pace = createPace();
  let proof: { actor: Actor; at: number } | undefined;
  let address: string | undefined = viaGateway ? undefined : base;

  async function whoAmI(): Promise<Actor> {
    const me = await call("read own account", Myself, () => jira.myself.getCurrentUser());
    const actor = { id: me.accountId, name: me.displayName };
    proof = { actor, at: Date.now() };
    return actor;
  }

  return {
    jira,
    call,
    async write(ticket, what, schema, request) {
      await pace(ticket);
      return call(what, schema, request);
    },
    whoAmI,
    async identity() {
      return proof !== undefined && Date.now() - proof.at < proofMs ? proof.actor : whoAmI();
    },
    async browse(key) {
      if (address === undefined) {
        const info = await call("read server info", ServerInfo, () => jira.serverInfo.getServerInfo());
        address = info.baseUrl.replace(/\/+$/, "");
      }
      return `${address}/browse/${key}`;
    },
  };
}

/** jira.js puts keys into paths as they are, so only what is a key may get there. Throws Permanent. */
export function checkedKey(key: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_]*-\d+$/.test(key)) throw new Permanent(`Not a ticket key: ${JSON.stringify(key)}`);
  return key;
}

/** The same for project keys. Throws Permanent. */
export function checkedProject(key: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) throw new Permanent(`Not a project key: ${JSON.stringify(key)}`);
  return key;
}

/**
 * The systems outside, as the configuration names them: one adapter each, with a breaker around it, and the question who we are there.
 */
import path from "node:path";
import type { Dependencies } from "./domain/dependencies.ts";
import { messageOf, Permanent, UserError } from "./domain/errors.ts";
import type { Sandbox } from "./domain/ports.ts";
import { createConfluenceCloud } from "./integrations/confluence/cloud.ts";
import { createGitLab } from "./integrations/gitlab/gitlab.ts";
import { createJiraCloud } from "./integrations/jira/cloud.ts";
import { withCassette } from "./models/cassette.ts";
import { createModel } from "./models/model.ts";
import { createEstimate } from "./models/prices.ts";
import { type BreakerOptions, type BreakerState, createBreaker, guarded } from "./platform/breaker.ts";
import type { Config } from "./platform/config.ts";
import type { Log } from "./platform/log.ts";
import { createSandbox, type SandboxOptions } from "./workspace/sandbox.ts";
import { createWorkspaces } from "./workspace/workspaces.ts";

export interface OutsideOptions {
  readonly config: Config;
  readonly log: Log;
  /**
   * `process-for-demo` runs code of repositories without a sandbox where there is none: for the demo, whose code is ours. Tests give one
   * of their own, where commands have to end in a way that no command ends in by itself.
   */
  readonly sandbox?: "auto" | "process-for-demo" | Sandbox;
  /** First pause after a passing fault, milliseconds; see `Engine`. */
  readonly retryBaseMs?: number;
  /** How soon calls to a system that is down are held back, and for how long; see `createBreaker`. */
  readonly breakers?: BreakerPatience;
  /** Milliseconds that one request to an outside system may take, instead of each adapter's own. */
  readonly timeoutMs?: number;
}

type BreakerPatience = Pick<BreakerOptions, "failures" | "probeMs" | "lockedOutMs">;

export type Adapters = ReturnType<typeof createAdapters>;

/** Where the policy wants code to be run; `usual` when it leaves that to us. */
function sandboxMode(
  { policy: { policy }, engineEnvironment }: Config,
  usual: "auto" | "process-for-demo",
): SandboxOptions["mode"] {
  const { sandbox, image = "" } = policy;
  if (sandbox === "none") return "off";
  return sandbox === "bubblewrap" ? usual : { engine: sandbox, image, env: engineEnvironment };
}

/** Where code is run, and where the packages that it needs come from. */
function createExecution(options: OutsideOptions): { sandbox: Sandbox; dependencies: Dependencies } {
  const { config, log, sandbox: wanted = "auto" } = options;
  if (typeof wanted === "object") {
    return { sandbox: wanted, dependencies: { install: async () => ({ kind: "none" }) } };
  }
  const { hosts, seconds, megabytes } = config.policy.policy.install;
  const directory = path.resolve(config.environment.TICKETSMITH_DATA_DIR, "dependencies");
  const install = { directory, hosts, timeoutMs: seconds * 1000, bytes: megabytes * 1024 * 1024 };
  const sandbox = createSandbox({ mode: sandboxMode(config, wanted), log, install });
  return { sandbox, dependencies: sandbox };
}

/** @throws UserError when a setting that an adapter needs is missing or wrong */
export function createAdapters(options: OutsideOptions) {
  const { config, log } = options;
  const { environment: env, policy } = config;
  const timeout = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
  if (env.JIRA_EMAIL === undefined || env.JIRA_API_TOKEN === undefined)
    throw new UserError("JIRA_API_TOKEN is missing");
  const jira = createJiraCloud({
    baseUrl: env.JIRA_BASE_URL,
    email: env.JIRA_EMAIL,
    apiToken: env.JIRA_API_TOKEN,
    log,
    ...timeout,
  });
  const gitlab = createGitLab({ baseUrl: env.GITLAB_BASE_URL, token: env.GITLAB_TOKEN, log, ...timeout });
  const confluence =
    env.CONFLUENCE_BASE_URL === undefined
      ? null
      : createConfluenceCloud({
          baseUrl: env.CONFLUENCE_BASE_URL,
          // One Atlassian account usually serves both products.
          email: env.CONFLUENCE_EMAIL ?? env.JIRA_EMAIL,
          apiToken: env.CONFLUENCE_API_TOKEN ?? env.JIRA_API_TOKEN,
          log,
          ...timeout,
        });
  const workspaces = createWorkspaces({
    directory: path.resolve(env.TICKETSMITH_DATA_DIR, "workspaces"),
    token: env.GITLAB_TOKEN,
    author: policy.author,
    code: gitlab,
    log,
    env: config.gitEnvironment,
    ...timeout,
  });
  const roles = Object.fromEntries(
    Object.entries(policy.models.roles).map(([role, { model, fallbacks }]) => [
      role,
      model === undefined ? { fallbacks } : { model, fallbacks },
    ]),
  );
  const asked = createModel({
    baseUrl: env.OPENAI_BASE_URL,
    apiKey: env.OPENAI_API_KEY,
    api: env.OPENAI_API,
    model: env.OPENAI_MODEL,
    roles,
    prices: policy.models.prices,
    timeoutMs: policy.models.timeoutSeconds * 1000,
    // The pauses within a call are shorter than those of a run.
    ...(options.retryBaseMs === undefined ? {} : { retryDelayMs: options.retryBaseMs / 4 }),
    log,
  });
  const cassette = env.MODEL_CASSETTE;
  const model =
    cassette === undefined
      ? asked
      : withCassette(asked, {
          ...cassette,
          directory: path.resolve(cassette.directory),
          models: [env.OPENAI_BASE_URL, env.OPENAI_API, env.OPENAI_MODEL, roles],
          log,
        });
  const { prices } = policy.models;
  const priceUsd = createEstimate({ model: env.OPENAI_MODEL, roles, prices });
  return { jira, gitlab, confluence, workspaces, model, ...createExecution(options), priceUsd };
}

/** The adapters with one breaker per system around them. Git and the API are two ways to the same GitLab and share one. */
export function guardAdapters(
  bare: Adapters,
  { config, log, breakers = {} }: OutsideOptions,
): { adapters: Adapters; outside: () => BreakerState[] } {
  const { jira, gitlab, confluence, workspaces, model } = bare;
  const { environment: env } = config;
  const around = (system: string, url: string | undefined, setting: string, whoAmI?: () => Promise<unknown>) =>
    createBreaker({
      system,
      ...(url === undefined ? {} : { host: new URL(url).host }),
      setting,
      log,
      ...breakers,
      ...(whoAmI === undefined ? {} : { whoAmI }),
    });
  const all = {
    jira: around("Jira", env.JIRA_BASE_URL, "JIRA_API_TOKEN", () => jira.whoAmI()),
    gitlab: around("GitLab", env.GITLAB_BASE_URL, "GITLAB_TOKEN", () => gitlab.whoAmI()),
    model: around("the model server", env.OPENAI_BASE_URL, "OPENAI_API_KEY"),
  };
  const wiki =
    confluence && around("Confluence", env.CONFLUENCE_BASE_URL, "CONFLUENCE_API_TOKEN", () => confluence.whoAmI());
  const adapters: Adapters = {
    ...bare,
    jira: guarded(jira, all.jira),
    gitlab: guarded(gitlab, all.gitlab),
    confluence: confluence && wiki && guarded(confluence, wiki),
    workspaces: guarded(workspaces, all.gitlab, ["open", "ensureBranch"]),
    model: guarded(model, all.model),
  };
  const list = [...Object.values(all), ...(wiki ? [wiki] : [])];
  return { adapters, outside: () => list.map((breaker) => breaker.state()) };
}

/** Asks one system who we are there. @throws UserError naming the settings to look at */
async function probe(settings: string, who: () => Promise<{ id: string }>): Promise<string> {
  try {
    return (await who()).id;
  } catch (error) {
    if (error instanceof Permanent || error instanceof UserError) {
      throw new UserError(`${settings}: ${error.message}`, { cause: error });
    }
    throw new UserError(
      `${settings}: cannot be reached: ${messageOf(error)}. Is the address right, and the service up?`,
      {
        cause: error,
      },
    );
  }
}

/** Hosts that outgoing bodies may link to. */
export function hostsOf(config: Config): string[] {
  const { environment: env, policy } = config;
  const own = [env.JIRA_BASE_URL, env.GITLAB_BASE_URL, env.CONFLUENCE_BASE_URL, env.PUBLIC_URL];
  return [...own.flatMap((url) => (url === undefined ? [] : [new URL(url).host])), ...policy.policy.allowedHosts];
}

/** Our account ids in Jira and GitLab. @throws UserError naming the settings of a system that does not let us in */
export async function probeAll({ jira, gitlab, confluence }: Adapters): Promise<{ jira: string; gitlab: string }> {
  const [inJira, inGitLab] = await Promise.all([
    probe("JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN", () => jira.whoAmI()),
    probe("GITLAB_BASE_URL, GITLAB_TOKEN", () => gitlab.whoAmI()),
    confluence === null
      ? null
      : probe("CONFLUENCE_BASE_URL, CONFLUENCE_EMAIL, CONFLUENCE_API_TOKEN", () => confluence.whoAmI()),
  ]);
  return { jira: inJira, gitlab: inGitLab };
}

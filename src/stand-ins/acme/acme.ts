/**
 * Acme, a made-up company that uses all four systems: one Jira project, one GitLab project, one Confluence space and a
 * scripted model. The demo shows it, and the flow tests live in it.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { type ConfluenceStandIn, startConfluence } from "../confluence/start.ts";
import { type GitLabStandIn, type GitLabStandInOptions, startGitLab } from "../gitlab/gitlab.ts";
import { type JiraStandIn, startJira } from "../jira/jira.ts";
import { type ModelStandIn, startModel } from "../model/server.ts";

/** People of Acme: Mia may start runs, Otto is an outsider who may file and comment. */
export const people = {
  mia: { accountId: "5b10-mia", displayName: "Mia Keller", email: "mia@acme.test", apiToken: "mia-jira-token" },
  otto: { accountId: "5b10-otto", displayName: "Otto Brandt", email: "otto@acme.test", apiToken: "otto-jira-token" },
} as const;

export const bot = {
  jira: { email: "ticketsmith@acme.test", apiToken: "bot-atlassian-token", accountId: "5b10-bot" },
  gitlab: { id: 900, username: "ticketsmith", token: "glpat-bot-gitlab-token" },
} as const;

export interface Acme {
  readonly jira: JiraStandIn;
  readonly gitlab: GitLabStandIn;
  readonly confluence: ConfluenceStandIn;
  readonly model: ModelStandIn;
  /** Settings with which a bot works for Acme. */
  readonly variables: Readonly<Record<string, string>>;
  /** Makes Jira and GitLab send their webhooks to the bot. */
  connect(botUrl: string): void;
  close(): Promise<void>;
}

export interface AcmeOptions {
  /** Folder with scenario files; default: those of the demo. */
  readonly scenarioDirectory?: string;
  readonly scenarios?: Parameters<typeof startModel>[0]["scenarios"];
  /** Models that are programs, by ticket; they go before scenarios. */
  readonly policies?: NonNullable<Parameters<typeof startModel>[0]["policies"]>;
  /** How long the model thinks, milliseconds. */
  readonly latencyMs?: number;
  /** Pause before Jira sends a webhook again that the bot did not take, milliseconds. */
  readonly webhookBackoffMs?: number;
  /** More people in GitLab than Mia, and whatever else its stand-in is to be. */
  readonly gitlab?: Partial<Omit<GitLabStandInOptions, "bot">>;
}

const here = import.meta.dirname;

/** Starts all four on free loopback ports. */
export async function startAcme(options: AcmeOptions = {}): Promise<Acme> {
  const secrets = {
    jira: randomBytes(24).toString("hex"),
    gitlab: randomBytes(24).toString("hex"),
    model: `sk-${randomBytes(24).toString("hex")}`,
  };
  const [jira, gitlab, confluence, model] = await Promise.all([
    startJira({
      projects: [
        {
          key: "SHOP",
          name: "Web shop",
          roles: { Developers: { users: [people.mia.accountId] }, Reporters: { users: [people.otto.accountId] } },
        },
      ],
      users: [people.mia, people.otto],
      bot: { ...bot.jira, displayName: "Ticketsmith" },
      ...(options.webhookBackoffMs === undefined ? {} : { webhookBackoffMs: options.webhookBackoffMs }),
    }),
    startGitLab({
      projects: [{ path: "acme/shop", defaultBranch: "main", seedDirectory: path.join(here, "shop") }],
      ...options.gitlab,
      users: [
        ...(options.gitlab?.users ?? []),
        {
          id: 11,
          username: "mia",
          name: people.mia.displayName,
          token: "glpat-mia-gitlab-token",
          accessLevels: { "acme/shop": 40 },
        },
      ],
      bot: bot.gitlab,
    }),
    startConfluence({
      spaces: [{ key: "SHOP", name: "Web shop" }],
      users: [people.mia],
      bot: bot.jira,
    }),
    startModel({
      apiKey: secrets.model,
      ...(options.scenarios === undefined
        ? { scenarioDirectory: options.scenarioDirectory ?? path.join(here, "scenarios") }
        : { scenarios: options.scenarios }),
      ...(options.policies === undefined ? {} : { policies: options.policies }),
      ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
    }),
  ]);
  const space = confluence.wiki.spaces.find(({ key }) => key === "SHOP");
  if (space === undefined) throw new Error("Acme's wiki has no space SHOP");
  const body = "<p>What has changed in the shop.</p>";
  confluence.wiki.createPage({ spaceId: space.id, authorId: people.mia.accountId, title: "Changes", body });
  return {
    jira,
    gitlab,
    confluence,
    model,
    variables: {
      JIRA_BASE_URL: jira.url,
      JIRA_EMAIL: bot.jira.email,
      JIRA_API_TOKEN: bot.jira.apiToken,
      JIRA_WEBHOOK_SECRET: secrets.jira,
      GITLAB_BASE_URL: gitlab.url,
      GITLAB_TOKEN: bot.gitlab.token,
      GITLAB_WEBHOOK_SECRET: secrets.gitlab,
      CONFLUENCE_BASE_URL: confluence.url,
      OPENAI_BASE_URL: model.baseUrl,
      OPENAI_API_KEY: secrets.model,
      OPENAI_MODEL: "scripted",
    },
    connect(botUrl) {
      jira.hooks.push({
        id: 1,
        name: "Ticketsmith",
        events: [],
        filter: "",
        url: `${botUrl}/webhooks/jira`,
        secret: secrets.jira,
      });
      gitlab.addWebhook({ url: `${botUrl}/webhooks/gitlab`, secretToken: secrets.gitlab });
    },
    async close() {
      await Promise.all([jira.close(), gitlab.close(), confluence.close(), model.close()]);
      await rm(gitlab.directory, { recursive: true, force: true });
    },
  };
}

/** What customers of the shop complained about: the ticket of the demo. */
export const demoTicket = {
  project: "SHOP",
  type: "Bug",
  summary: "Discount codes should not care about upper and lower case",
  description: [
    "Customers type spring10 or Spring10 and are told that there is no such code. Some paste it with a blank in front.",
    "",
    "A code should count however it is typed. A code that does not exist must still be refused, and the message should show what was typed.",
  ].join("\n"),
} as const;

/**
 * A company with one Jira project and one GitLab project per task, one wiki space, a model, and one bot that works for all of them. A
 * project of its own in Jira, because the policy says per Jira project where the code is and how it is tested.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { type Bot, startBot } from "../src/main.ts";
import { loadConfig } from "../src/platform/config.ts";
import type { Log } from "../src/platform/log.ts";
import { startConfluence } from "../src/stand-ins/confluence/start.ts";
import { type GitLabStandIn, startGitLab } from "../src/stand-ins/gitlab/gitlab.ts";
import { type JiraStandIn, startJira } from "../src/stand-ins/jira/jira.ts";
import type { Policy } from "../src/stand-ins/model/policy.ts";
import { type ModelStandIn, startModel } from "../src/stand-ins/model/server.ts";
import type { Task } from "./task.ts";

/** One task for one model. */
export interface Assignment {
  readonly task: Task;
  /** As it is shown. */
  readonly model: string;
  /** The scripted model, or null where a real one is asked. */
  readonly policy: Policy | null;
}

/** An assignment with its places in the company. */
export interface Seat extends Assignment {
  readonly ticket: string;
  /** Path of the GitLab project. */
  readonly repository: string;
}

export interface Company {
  readonly seats: readonly Seat[];
  readonly bot: Bot;
  readonly jira: JiraStandIn;
  readonly gitlab: GitLabStandIn;
  readonly model: ModelStandIn | null;
  /** Where the bot sends what it asks a model. */
  readonly modelUrl: string;
  readonly gitlabToken: string;
  readonly botUserId: number;
  /** Acts in GitLab as the person who develops. */
  readonly developerToken: string;
  /** Acts as the person who wants the tickets done. */
  readonly person: string;
  /** Stops the bot and everything else. */
  close(): Promise<void>;
}

export interface CompanyOptions {
  readonly assignments: readonly Assignment[];
  /** Folder for everything that is written; deleted by `close`. */
  readonly directory: string;
  /** Connection of a real model (OPENAI_…), and settings beside it such as DATABASE_URL. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Sections of an operator's policy that count here too: models, budgets, policy. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly sandbox: "auto" | "process-for-demo";
  readonly concurrency: number;
  readonly log: Log;
}

const person = { accountId: "5c20-nora", displayName: "Nora Lindt", email: "nora@acme.test", apiToken: "nora-token" };
const bot = {
  jira: { email: "ticketsmith@acme.test", apiToken: "bot-atlassian-token", accountId: "5c20-bot" },
  gitlab: { id: 900, username: "ticketsmith", token: "glpat-bot-gitlab-token" },
};
const developer = { id: 21, username: "nora", name: "Nora Lindt", token: "glpat-nora-gitlab-token" };
const space = "EVAL";
const parentPage = "Changes";

/** The policy for this company. The longest of the tasks' limits of a command is everybody's. */
function policyOf(seats: readonly Seat[], given: CompanyOptions["policy"], models: readonly string[]): object {
  const section = (name: string): Record<string, unknown> => ({
    ...(given[name] as Record<string, unknown> | undefined),
  });
  const price = { inputPerMillion: 1.25, cachedPerMillion: 0.125, outputPerMillion: 10 };
  const scripted = models.filter((name) => name.startsWith("scripted")).map((name) => [name, price] as const);
  const settings = section("models");
  return {
    ...("budgets" in given ? { budgets: given.budgets } : {}),
    ...("mergeRequests" in given ? { mergeRequests: given.mergeRequests } : {}),
    models: { ...settings, prices: { ...Object.fromEntries(scripted), ...(settings.prices as object | undefined) } },
    policy: {
      ...section("policy"),
      commandSeconds: Math.ceil(Math.max(...seats.map((s) => s.task.limits.commandSeconds))),
    },
    projects: Object.fromEntries(
      seats.map(({ ticket, repository, task }) => [
        ticket.replace(/-1$/, ""),
        { repository, space, parentPage, test: task.test },
      ]),
    ),
    people: { start: { roles: ["Developers"] } },
  };
}

/** Starts the company and its bot. Throws UserError for a configuration that is not complete. */
export async function startCompany(options: CompanyOptions): Promise<Company> {
  const { assignments, directory, log } = options;
  const seats = assignments.map((assignment, index) => ({
    ...assignment,
    ticket: `EVAL${index + 1}-1`,
    repository: `acme/${assignment.task.name.replace(/[^\w-]+/g, "-")}-${index + 1}`,
  }));
  const closers: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const each of closers.toReversed()) await each();
  };
  const secrets = { jira: randomBytes(24).toString("hex"), gitlab: randomBytes(24).toString("hex") };
  try {
    await mkdir(directory, { recursive: true });
    const jira = await startJira({
      projects: seats.map(({ ticket, task }) => ({
        key: ticket.replace(/-1$/, ""),
        name: task.title,
        roles: { Developers: { users: [person.accountId] } },
      })),
      users: [person],
      bot: { ...bot.jira, displayName: "Ticketsmith" },
    });
    closers.push(() => jira.close());
    const gitlab = await startGitLab({
      projects: seats.map(({ repository, task }) => ({
        path: repository,
        defaultBranch: "main",
        seedDirectory: path.join(task.folder, "repo"),
      })),
      users: [{ ...developer, accessLevels: Object.fromEntries(seats.map(({ repository }) => [repository, 40])) }],
      bot: bot.gitlab,
    });
    closers.push(() => gitlab.close());
    const confluence = await startConfluence({
      spaces: [{ key: space, name: "Evaluation" }],
      users: [person],
      bot: bot.jira,
    });
    closers.push(() => confluence.close());
    const spaceId = confluence.wiki.spaces[0]?.id ?? "";
    confluence.wiki.createPage({ spaceId, authorId: person.accountId, title: parentPage, body: "<p>Changes.</p>" });
    const model = await startScripted(seats);
    if (model !== null) closers.push(() => model.close());

    const policyFile = path.join(directory, "policy.yaml");
    const variables = {
      ...options.variables,
      JIRA_BASE_URL: jira.url,
      JIRA_EMAIL: bot.jira.email,
      JIRA_API_TOKEN: bot.jira.apiToken,
      JIRA_WEBHOOK_SECRET: secrets.jira,
      GITLAB_BASE_URL: gitlab.url,
      GITLAB_TOKEN: bot.gitlab.token,
      GITLAB_WEBHOOK_SECRET: secrets.gitlab,
      CONFLUENCE_BASE_URL: confluence.url,
      PORT: "0",
      TICKETSMITH_DATA_DIR: path.join(directory, "data"),
      TICKETSMITH_CONFIG: policyFile,
      ...(model === null
        ? {}
        : { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: scriptedKey, OPENAI_MODEL: seats[0]?.model ?? "scripted" }),
    };
    const models = [...seats.map((seat) => seat.model), "scripted"];
    await writeFile(policyFile, stringify(policyOf(seats, options.policy, models)));
    const config = loadConfig(variables);
    const started = await startBot({
      config,
      role: "all",
      log,
      sandbox: options.sandbox,
      concurrency: options.concurrency,
      sweepMs: 1000,
    });
    closers.push(() => started.stop());
    const url = started.url ?? "";
    jira.hooks.push({
      id: 1,
      name: "Ticketsmith",
      events: [],
      filter: "",
      url: `${url}/webhooks/jira`,
      secret: secrets.jira,
    });
    gitlab.addWebhook({ url: `${url}/webhooks/gitlab`, secretToken: secrets.gitlab });
    return {
      seats,
      bot: started,
      jira,
      gitlab,
      model,
      modelUrl: config.environment.OPENAI_BASE_URL,
      gitlabToken: bot.gitlab.token,
      botUserId: bot.gitlab.id,
      developerToken: developer.token,
      person: person.accountId,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const scriptedKey = "sk-scripted-model-of-the-evaluation";

/** The server of the scripted models, or null when none of the seats has one. */
async function startScripted(seats: readonly Seat[]): Promise<ModelStandIn | null> {
  const policies = Object.fromEntries(
    seats.flatMap(({ ticket, policy }) => (policy === null ? [] : [[ticket, policy]])),
  );
  if (Object.keys(policies).length === 0) return null;
  return startModel({ apiKey: scriptedKey, policies });
}

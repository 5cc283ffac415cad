/**
 * A Jira Cloud site on loopback: stateful, refuses what the real one refuses, and sends signed web hooks.
 * People and the bot act through the same REST API with their own credentials, so every change has its real author.
 */
import { type StandIn, startStandIn } from "../server.ts";
import { type Adf, typedToAdf } from "./adf-schema.ts";
import { createIssue, deleteIssue, editIssue, moveIssue, transitionsOf } from "./changes.ts";
import { commentRoutes } from "./comment-routes.ts";
import { addComment } from "./discussion.ts";
import { createDoor, findIssue, usualWriteLimits, type WriteLimit } from "./door.ts";
import { issueRoutes } from "./issue-routes.ts";
import { parseJql } from "./jql.ts";
import { pageRoutes } from "./pages.ts";
import { webhookBody } from "./shapes.ts";
import { siteRoutes } from "./site-routes.ts";
import { createWebhookSender, type Hook, type WebhookDelivery } from "./webhooks.ts";
import {
  type JiraChange,
  type JiraComment,
  type JiraIssue,
  type JiraUser,
  type JiraWorld,
  type ProjectSpec,
  projectFrom,
} from "./world.ts";

export interface UserSpec {
  readonly accountId: string;
  readonly displayName: string;
  readonly email: string;
  readonly apiToken: string;
  readonly groups?: readonly string[];
  readonly admin?: boolean;
}

export interface JiraOptions {
  readonly projects: readonly ProjectSpec[];
  readonly users: readonly UserSpec[];
  /** Administers Jira unless `admin: false`. */
  readonly bot: {
    readonly email: string;
    readonly apiToken: string;
    readonly accountId: string;
    readonly displayName?: string;
    readonly groups?: readonly string[];
    readonly admin?: boolean;
  };
  /** A web hook for all events that is there from the start. */
  readonly webhook?: { readonly url: string; readonly secret: string };
  /** Stands for the minutes that Jira waits before it sends a web hook again. Default 200. */
  readonly webhookBackoffMs?: number;
  /** Default: those of Jira Cloud; `[]` switches them off. */
  readonly writeLimits?: readonly WriteLimit[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly port?: number;
}

export interface JiraStandIn extends StandIn {
  /** By key. The live state: tests may look and tamper. */
  readonly issues: Map<string, JiraIssue>;
  readonly users: readonly JiraUser[];
  readonly webhookDeliveries: readonly WebhookDelivery[];
  /** Web hooks that are registered; changed over REST as well. */
  readonly hooks: Hook[];
  /** Throws when there is no such ticket. */
  issue(key: string): JiraIssue;
  /** What a person does in the browser. `by` is an account id (default: the first user); text is taken as typed. */
  createIssue(input: {
    project: string;
    summary: string;
    type?: string;
    description?: string | Adf;
    labels?: readonly string[];
    assignee?: string;
    by?: string;
  }): JiraIssue;
  comment(key: string, body: string | Adf, by?: string): JiraComment;
  editLabels(key: string, change: { add?: readonly string[]; remove?: readonly string[] }, by?: string): void;
  edit(key: string, fields: Readonly<Record<string, unknown>>, by?: string): void;
  /** Throws when the workflow offers no way to that status. */
  moveTo(key: string, status: string, by?: string): void;
  deleteIssue(key: string, by?: string): void;
  /** Sends any body to all web hooks, signed like a real one. */
  fireWebhook(event: string, body: unknown): WebhookDelivery[];
  /** Sends a delivery again with the same identifier. */
  repeatWebhook(delivery: WebhookDelivery): void;
  /** Resolves when all web hooks have arrived or were given up. */
  webhooksSettled(): Promise<void>;
}

function worldOf(options: JiraOptions): JiraWorld {
  const bot: UserSpec = { displayName: "Ticketsmith", admin: true, ...options.bot };
  let lastId = 10_000;
  return {
    url: "",
    users: [...options.users, bot].map((user) => ({ groups: [], admin: false, ...user })),
    projects: options.projects.map(projectFrom),
    issues: new Map(),
    now: options.now ?? Date.now,
    nextId: () => {
      lastId += 1;
      return String(lastId);
    },
    changed: () => undefined,
  };
}

function isWanted(world: JiraWorld, hook: Hook, event: string, change: JiraChange): boolean {
  if (hook.events.length > 0 && !hook.events.includes(event)) return false;
  return parseJql(hook.filter, world.now()).tests.every((test) => test(change.issue));
}

/** Starts the site. `close()` also stops web hooks that are still being retried. */
export async function startJira(options: JiraOptions): Promise<JiraStandIn> {
  const world = worldOf(options);
  const hooks: Hook[] = [];
  if (options.webhook) hooks.push({ id: 1, name: "Ticketsmith", events: [], filter: "", ...options.webhook });
  const sender = createWebhookSender({ backoffMs: options.webhookBackoffMs ?? 200 });
  world.changed = (change) => {
    const changelogId = world.nextId();
    if (change.kind === "updated") {
      const { issue, actor, items } = change;
      issue.history.push({ id: changelogId, actor, created: world.now(), items });
    }
    const { event, body } = webhookBody(world, change, changelogId);
    for (const hook of hooks) if (isWanted(world, hook, event, change)) sender.send(hook, event, JSON.stringify(body));
  };
  const door = createDoor(world, options.writeLimits ?? usualWriteLimits);
  const standIn = await startStandIn(
    [
      ...pageRoutes(world),
      ...siteRoutes(world, door, hooks),
      ...commentRoutes(world, door),
      ...issueRoutes(world, door),
    ],
    options.port === undefined ? {} : { port: options.port },
  );
  world.url = standIn.url;

  const person = (accountId = options.users[0]?.accountId ?? options.bot.accountId): JiraUser => {
    const user = world.users.find((one) => one.accountId === accountId);
    if (user === undefined) throw new Error(`the Jira stand-in knows no account ${accountId}`);
    return user;
  };
  const typed = (text: string | Adf): Adf => (typeof text === "string" ? typedToAdf(text) : text);
  const closeServer = standIn.close;

  return Object.assign(standIn, {
    issues: world.issues,
    users: world.users,
    hooks,
    webhookDeliveries: sender.deliveries,
    issue: (key: string) => findIssue(world, key),
    createIssue: (input: Parameters<JiraStandIn["createIssue"]>[0]) =>
      createIssue(world, person(input.by), {
        project: input.project,
        summary: input.summary,
        type: input.type ?? "Story",
        description: input.description === undefined ? null : typed(input.description),
        labels: input.labels ?? [],
        assignee: input.assignee === undefined ? undefined : { accountId: input.assignee },
      }),
    comment: (key: string, body: string | Adf, by?: string) =>
      addComment(world, person(by), findIssue(world, key), { body: typed(body) }),
    editLabels: (key: string, change: { add?: readonly string[]; remove?: readonly string[] }, by?: string) => {
      const labels = [
        ...(change.add ?? []).map((add) => ({ add })),
        ...(change.remove ?? []).map((remove) => ({ remove })),
      ];
      editIssue(world, person(by), findIssue(world, key), { fields: {}, update: { labels } });
    },
    edit: (key: string, fields: Readonly<Record<string, unknown>>, by?: string) =>
      editIssue(world, person(by), findIssue(world, key), { fields, update: {} }),
    moveTo: (key: string, status: string, by?: string) => {
      const issue = findIssue(world, key);
      const transition = transitionsOf(issue).find((one) => one.to === status);
      moveIssue(world, person(by), issue, { transition: transition?.id ?? status, fields: {} });
    },
    deleteIssue: (key: string, by?: string) => deleteIssue(world, person(by), findIssue(world, key)),
    fireWebhook: (event: string, body: unknown) => hooks.map((hook) => sender.send(hook, event, JSON.stringify(body))),
    repeatWebhook: (delivery: WebhookDelivery) => sender.repeat(delivery),
    webhooksSettled: () => sender.settled(),
    async close() {
      await sender.close();
      await closeServer();
    },
  });
}

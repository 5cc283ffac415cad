/**
 * A self-managed GitLab in one process: REST API v4, real git over HTTP, webhooks, pipelines that run a script, and pages to look at.
 * It refuses what GitLab refuses. Unknown calls are answered 404 and remembered in `unknown`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Route, type StandIn, startStandIn } from "../server.ts";
import { gitRoutes } from "./git-http.ts";
import { pageRoutes } from "./pages.ts";
import { groupRoutes } from "./routes-groups.ts";
import { hookRoutes, newHook } from "./routes-hooks.ts";
import { mergeRequestReadRoutes } from "./routes-merge-request-reads.ts";
import { mergeRequestRoutes } from "./routes-merge-requests.ts";
import { discussionRoutes, draftNoteRoutes, noteRoutes } from "./routes-notes.ts";
import { jobRoutes, pipelineRoutes } from "./routes-pipelines.ts";
import { projectRoutes } from "./routes-projects.ts";
import { pushRuleRoutes } from "./routes-push-rules.ts";
import { repositoryRoutes } from "./routes-repository.ts";
import { settingsRoutes } from "./routes-settings.ts";
import { suggestionRoutes } from "./routes-suggestions.ts";
import { type GitLabSeedProject, type GitLabSeedUser, seedGroups, seedProject, seedUser } from "./seed.ts";
import type { ExecutedQuickAction, HookDelivery, MergeRequest, PipelineScript, Project, User, World } from "./world.ts";

export type { GitLabSeedProject, GitLabSeedUser } from "./seed.ts";

export interface GitLabStandInOptions {
  readonly projects: readonly GitLabSeedProject[];
  readonly users?: readonly GitLabSeedUser[];
  /** The account of the bot; Developer everywhere unless it says otherwise. */
  readonly bot: GitLabSeedUser;
  /** A hook on every project for pushes, merge requests, notes and pipelines. */
  readonly webhook?: { readonly url: string; readonly secretToken?: string; readonly signingToken?: string };
  /** Where the bare repositories go; default a temporary directory that is deleted on close. */
  readonly directory?: string;
  readonly port?: number;
  /** Relative URL root, e.g. `/gitlab`. */
  readonly path?: string;
  /** What becomes of pipelines; default one job that succeeds. */
  readonly pipeline?: PipelineScript;
  /** Milliseconds between two statuses of a pipeline. Default 20. */
  readonly pipelineTickMs?: number;
  /** Version of the server, default `19.1.0`. Older ones do not have what came later (see `isSince`). */
  readonly version?: string;
  /** Default `premium`, where a project has no push rules and needs no approvals unless its settings say so. */
  readonly tier?: "free" | "premium";
  /** Bytes of a file's difference from which on it is collapsed, and from which on it is left out. Default 20 and 200 KiB, as GitLab's. */
  readonly diffLimits?: { readonly collapse: number; readonly tooLarge: number };
  /** What becomes of a comment on a line that is not in the diff: a plain one (default), or 400. */
  readonly misplaced?: "plain" | "refused";
  /** Switch webhooks off that fail, as GitLab.com does. Default false, as on self-managed instances. */
  readonly autoDisable?: boolean;
}

export interface GitLabStandIn extends StandIn {
  /** Address of the instance, the relative URL root included: what GITLAB_BASE_URL would be. */
  readonly baseUrl: string;
  readonly directory: string;
  readonly projects: readonly Project[];
  readonly users: readonly User[];
  /** Quick actions found in descriptions and notes, in order. */
  readonly executedQuickActions: readonly ExecutedQuickAction[];
  /** Throws for a project that is not there. */
  project(path: string): Project;
  mergeRequests(path: string): readonly MergeRequest[];
  /** Every hook delivery of a project, oldest first. */
  deliveries(path: string): readonly HookDelivery[];
  /** Adds a hook like the `webhook` option does, to every project. */
  addWebhook(webhook: NonNullable<GitLabStandInOptions["webhook"]>): void;
  /** Resolves when no pipeline runs and no hook is under way. */
  idle(): Promise<void>;
}

/** Starts a GitLab with the given projects and people. */
export async function startGitLab(options: GitLabStandInOptions): Promise<GitLabStandIn> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "ticketsmith-gitlab-")));
  const everywhere = Object.fromEntries(options.projects.map(({ path }) => [path, 30]));
  const users = [...(options.users ?? []), { ...options.bot, accessLevels: options.bot.accessLevels ?? everywhere }];
  let lastId = 1000;
  const world: World = {
    url: "",
    version: options.version ?? "19.1.0",
    projects: [],
    groups: [],
    users: users.map(seedUser),
    tier: options.tier ?? "premium",
    diffLimits: options.diffLimits ?? { collapse: 20 * 1024, tooLarge: 200 * 1024 },
    misplaced: options.misplaced ?? "plain",
    executedQuickActions: [],
    script: options.pipeline ?? (() => ({ status: "success", jobs: [{ name: "test", status: "success" }] })),
    tickMs: options.pipelineTickMs ?? 20,
    autoDisable: options.autoDisable ?? false,
    background: new Set(),
    closing: new AbortController(),
    nextId() {
      lastId += 1;
      return lastId;
    },
    report: () => undefined,
  };
  for (const seed of options.projects) world.projects.push(await seedProject(world, directory, seed));
  world.groups.push(...seedGroups(world));
  const prefix = (options.path ?? "").replace(/\/+$/, "");
  const server = await startStandIn(routes(world, prefix), options.port === undefined ? {} : { port: options.port });
  world.url = `${server.url}${prefix}`;
  world.report = (failure) => server.unknown.push(failure);

  const project = (path: string): Project => {
    const found = world.projects.find((candidate) => candidate.path === path);
    if (found === undefined) throw new Error(`the stand-in has no project ${path}`);
    return found;
  };
  // Assigned onto the server, not copied from it: `fault` is set on what tests hold and read by the server.
  const standIn: GitLabStandIn = Object.assign(server, {
    baseUrl: world.url,
    directory,
    projects: world.projects,
    users: world.users,
    executedQuickActions: world.executedQuickActions,
    project,
    mergeRequests: (path: string) => project(path).mergeRequests,
    deliveries: (path: string) =>
      project(path)
        .hooks.flatMap((hook) => hook.deliveries)
        .sort((a, b) => a.id - b.id),
    addWebhook(webhook: NonNullable<GitLabStandInOptions["webhook"]>) {
      for (const each of world.projects) {
        const triggers = { push_events: true, merge_requests_events: true, note_events: true, pipeline_events: true };
        const hook = newHook(world, webhook.url, triggers);
        hook.token = webhook.secretToken ?? null;
        hook.signingToken = webhook.signingToken ?? null;
        each.hooks.push(hook);
      }
    },
    async idle() {
      while (world.background.size > 0) await Promise.all(world.background);
    },
  });
  const closeServer = server.close.bind(server);
  standIn.close = async () => {
    world.closing.abort();
    await Promise.allSettled(world.background);
    await closeServer();
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  if (options.webhook !== undefined) standIn.addWebhook(options.webhook);
  return standIn;
}

function routes(world: World, prefix: string): Route[] {
  const api = [
    ...projectRoutes(world),
    ...repositoryRoutes(world),
    ...settingsRoutes(world),
    ...pushRuleRoutes(world),
    ...groupRoutes(world),
    ...mergeRequestRoutes(world),
    ...mergeRequestReadRoutes(world),
    ...noteRoutes(world),
    ...discussionRoutes(world),
    ...draftNoteRoutes(world),
    ...suggestionRoutes(world),
    ...pipelineRoutes(world),
    ...jobRoutes(world),
    ...hookRoutes(world),
  ];
  return [
    ...api.map(([method, pattern, handler]): Route => [method, prefix + pattern, handler]),
    ...world.projects.flatMap((project) => gitRoutes(world, project, prefix)),
    ...pageRoutes(world, prefix),
  ];
}

/** Composition root: configuration -> adapters -> api | worker | both, and an orderly end. Every choice of a part is made here. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { createDoorHandler, createDoors } from "../webhooks/doors.ts";
import { parseBody } from "../webhooks/parse-body.ts";
import { messageOf, UserError } from "./domain/errors.ts";
import type { SandboxStatus } from "./domain/ports.ts";
import type { Door, Writers } from "./effects/door.ts";
import { settleLeftovers } from "./effects/leftovers.ts";
import { createInbox } from "./events/accept.ts";
import { createDecider } from "./events/decide.ts";
import { foregone } from "./events/foregone.ts";
import { type Desk, replayDelivery } from "./events/replay.ts";
import { createOutsideBoard } from "./events/standing.ts";
import { createWatch } from "./events/watch.ts";
import { createApp } from "./http/app.ts";
import { type Adapters, createAdapters, guardAdapters, hostsOf, type OutsideOptions, probeAll } from "./outside.ts";
import type { BreakerState } from "./platform/breaker.ts";
import type { Log } from "./platform/log.ts";
import { advance } from "./runs/advance.ts";
import type { Engine } from "./runs/engine.ts";
import { createQuarantine } from "./runs/quarantine.ts";
import { openBell } from "./runs/queue.ts";
import { sweepRuns } from "./runs/sweep.ts";
import { loadWorkflows } from "./runs/workflow.ts";
import type { Services } from "./steps/step.ts";
import { openDatabase } from "./store/database.ts";
import type { Database } from "./store/queryable.ts";
import { requestCancel } from "./store/runs.ts";

/** `api` takes deliveries and shows the dashboard, `worker` advances runs. */
export type Role = "api" | "worker" | "all";

export interface Bot {
  /** Where the bot listens; null for a pure worker. */
  readonly url: string | null;
  readonly database: Database;
  /** How each outside system has been answering. */
  outside(): readonly BreakerState[];
  /** Stops taking work, hands running runs back, and closes everything. Takes at most 25 s. */
  stop(): Promise<void>;
}

export interface BotOptions extends OutsideOptions {
  readonly role: Role;
  /** Told once how code of repositories is executed, or that it is not. */
  readonly onSandbox?: (status: SandboxStatus) => void;
  /** How long a worker may be silent before another takes its run over. */
  readonly leaseMs?: number;
  /** Pause between two sweeps. */
  readonly sweepMs?: number;
  /** How long a due run is left alone before the sweeper concludes that its job was lost. */
  readonly quietMs?: number;
  /** Runs that one worker advances at the same time. */
  readonly concurrency?: number;
  /** How often is asked for what no webhook told of, instead of the policy's pause, and how long a webhook is given to arrive. */
  readonly reconcile?: { readonly everyMs: number; readonly graceMs: number };
}

/** Runs mostly wait for models. What needs the machine, the sandbox, has a line of its own. */
const usualConcurrency = 20;

/** Longest wait for running steps when the process is told to stop. */
const stopMs = 25_000;

/** What nobody has touched on the disk for so long is of no use any more: no step of a run takes a day. */
const disk = { sweepMs: 10 * 60_000, maxAgeMs: 24 * 3_600_000 };

async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const mend = error.code === "EADDRINUSE" ? "Another program listens there: set PORT." : "Set PORT and HOST.";
      reject(new UserError(`Cannot listen on ${host}:${port}: ${error.message}. ${mend}`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** Repeats `work` with a pause, never two at once, until stopped. */
function every(ms: number, work: () => Promise<unknown>, log: Log): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();
  const round = (): void => {
    current = work()
      .then(
        () => {},
        (error: unknown) => log.warn("a sweep went wrong", { error }),
      )
      .then(() => {
        if (!stopped) timer = setTimeout(round, ms);
      });
  };
  timer = setTimeout(round, ms);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await current;
  };
}

/**
 * Starts the bot.
 * @throws UserError when something that the operator set is wrong, naming it
 */
export async function startBot(options: BotOptions): Promise<Bot> {
  const { config, log } = options;
  const { environment: env, policy } = config;
  const workflows = loadWorkflows(path.resolve(import.meta.dirname, "../config/workflows"));
  for (const workflow of [
    ...Object.values(policy.triggers.labels),
    ...Object.values(policy.projects).map((p) => p.workflow),
  ]) {
    if (workflow !== undefined && !workflows.has(workflow)) {
      throw new UserError(
        `config: there is no workflow "${workflow}" (there are: ${[...workflows.keys()].join(", ")})`,
      );
    }
  }
  const bare = createAdapters(options);
  const opening = openDatabase({ url: env.DATABASE_URL, directory: path.resolve(env.TICKETSMITH_DATA_DIR), log });
  // Looked at below; until then a refusal of the database must not count as nobody's.
  opening.catch(() => {});
  const self = await probeAll(bare).catch(async (error: unknown) => {
    // An embedded database that is still opening would keep the process alive.
    await opening.then(
      (database) => database.close(),
      () => {},
    );
    throw error;
  });
  const database = await opening;
  try {
    return await assemble(options, { database, ...guardAdapters(bare, options), self, workflows });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * The part of the bot that decides on deliveries, for commands: beside a bot on the same Postgres, or while none runs. What it
 * starts is advanced by whichever worker comes next. Close it when done.
 * @throws UserError as `startBot`, and when a bot holds the embedded database
 */
export async function openDesk(
  options: Pick<BotOptions, "config" | "log">,
): Promise<Desk & { close(): Promise<void> }> {
  const { config, log } = options;
  const { environment: env } = config;
  const workflows = loadWorkflows(path.resolve(import.meta.dirname, "../config/workflows"));
  const adapters = createAdapters(options);
  const database = await openDatabase({
    url: env.DATABASE_URL,
    directory: path.resolve(env.TICKETSMITH_DATA_DIR),
    log,
  });
  try {
    const desk = await createDesk(options, { database, adapters, self: await probeAll(adapters), workflows });
    return {
      ...desk,
      async close() {
        await desk.bell.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Where deliveries are taken in and decided. */
async function createDesk(options: Pick<BotOptions, "config" | "log" | "leaseMs">, parts: DeskParts) {
  const { config, log, leaseMs } = options;
  const { database, adapters, self, workflows } = parts;
  const { environment: env, policy } = config;
  const bell = await openBell({
    database,
    redisUrl: env.REDIS_URL,
    log,
    ...(leaseMs === undefined ? {} : { lockMs: leaseMs }),
  });
  const decidePending = createDecider({
    database,
    bell,
    policy,
    workflows,
    tickets: adapters.jira,
    code: adapters.gitlab,
    self,
    log,
  });
  const inbox = createInbox({
    database,
    foregone: (event) => foregone(event, self, policy),
    onCommitted: () => void decidePending(),
  });
  return { database, bell, inbox, decidePending };
}

interface DeskParts {
  readonly database: Database;
  readonly adapters: Adapters;
  readonly self: { readonly jira: string; readonly gitlab: string };
  readonly workflows: ReturnType<typeof loadWorkflows>;
}

async function assemble(
  options: BotOptions,
  parts: DeskParts & { readonly outside: () => BreakerState[] },
): Promise<Bot> {
  const { config, role, log } = options;
  const { environment: env, policy } = config;
  const { database, adapters, outside, workflows } = parts;
  const desk = await createDesk(options, parts);
  const { bell, inbox, decidePending } = desk;
  const watch = createWatch({
    database,
    inbox,
    tickets: adapters.jira,
    code: adapters.gitlab,
    gitlab: { site: env.GITLAB_BASE_URL, authorId: parts.self.gitlab },
    policy,
    site: env.JIRA_BASE_URL,
    publicUrl: env.PUBLIC_URL,
    dryRun: env.DRY_RUN === "1",
    everyMs: policy.reconcile.minutes * 60_000,
    ...options.reconcile,
    log,
  });

  const board = createOutsideBoard({
    database,
    breakers: outside,
    repositories: Object.values(policy.projects).map(({ repository }) => repository),
  });

  const server = createServer();
  let url: string | null = null;
  if (role !== "worker") {
    const doors = createDoorHandler({
      jira: { secrets: env.JIRA_WEBHOOK_SECRET, site: env.JIRA_BASE_URL },
      gitlab: { secretTokens: env.GITLAB_WEBHOOK_SECRET ?? [], signingTokens: env.GITLAB_SIGNING_TOKEN ?? [] },
      ...(env.CONFLUENCE_WEBHOOK_SECRET === undefined
        ? {}
        : { confluence: { secrets: env.CONFLUENCE_WEBHOOK_SECRET } }),
      accept: (delivery) => inbox.accept(delivery),
      log,
    });
    const app = createApp({
      doors: createDoors(doors),
      database,
      environment: env,
      jiraUrl: env.JIRA_BASE_URL,
      cancelRun: async (runId, reason) => {
        const run = await requestCancel(database, runId, reason);
        // It has been worked on: a worker tells the ticket.
        if (run?.state === "queued") await bell.ring(runId);
        return run;
      },
      policy,
      replay: (id) => replayDelivery(desk, id, parseBody),
      isReady: () =>
        database.query("select 1").then(
          () => ({ ready: true, reason: "" }),
          (error: unknown) => ({ ready: false, reason: `the database does not answer: ${messageOf(error)}` }),
        ),
      outside: () => board.read(),
      log,
    });
    // Webhooks come in storms: express, which a storm would feel, is asked about the rest only.
    server.on("request", (request, response) => void (doors(request, response) ?? app(request, response)));
    url = await listen(server, env.PORT, env.HOST).catch(async (error: unknown) => {
      await bell.close();
      throw error;
    });
  }

  const stopping = new AbortController();
  let settleOld: () => Promise<unknown> = () => Promise.resolve();
  if (role !== "api") {
    const sandbox = await adapters.sandbox.status();
    if (sandbox.kind === "none") log.warn("no sandbox: tests will be reported as not run", { reason: sandbox.reason });
    options.onSandbox?.(sandbox);
    const services: Services = {
      tickets: adapters.jira,
      code: adapters.gitlab,
      reviews: adapters.gitlab,
      pages: adapters.confluence,
      model: adapters.model,
      workspaces: adapters.workspaces,
      sandbox: adapters.sandbox,
      dependencies: adapters.dependencies,
      policy,
      priceUsd: adapters.priceUsd,
      publicUrl: env.PUBLIC_URL ?? url ?? "",
    };
    const writers: Writers = {
      tickets: adapters.jira,
      code: adapters.gitlab,
      reviews: adapters.gitlab,
      branches: adapters.workspaces,
      pages: adapters.confluence,
    };
    const door: Door = { database, writers, allowedHosts: hostsOf(config), dryRun: env.DRY_RUN === "1", log };
    settleOld = () =>
      settleLeftovers(door, { tickets: adapters.jira, code: adapters.gitlab, pages: adapters.confluence });
    const engine: Engine = {
      database,
      bell,
      workflows,
      services,
      door,
      log,
      stopping: stopping.signal,
      leaseMs: options.leaseMs ?? 30_000,
      quarantine: createQuarantine(),
      ...(options.retryBaseMs === undefined ? {} : { retryBaseMs: options.retryBaseMs }),
    };
    bell.answer((runId) => advance(engine, runId), options.concurrency ?? usualConcurrency);
  }
  const stopSweeping = every(
    options.sweepMs ?? 5000,
    async () => {
      await decidePending();
      await board.note();
      const { quietMs } = options;
      if (role !== "api") await sweepRuns({ database, bell, log, ...(quietMs === undefined ? {} : { quietMs }) });
    },
    log,
  );
  // Beside the sweeper, which shall not wait for Jira and GitLab.
  const watchAll = async (): Promise<void> => {
    await watch();
    await settleOld();
  };
  const stopWatching = role === "api" ? undefined : every(options.sweepMs ?? 5000, watchAll, log);
  const tidy = (): Promise<unknown> => adapters.workspaces.sweep(disk.maxAgeMs);
  const stopTidying = role === "api" ? undefined : every(disk.sweepMs, tidy, log);
  log.info("ticketsmith is ready", {
    role,
    url,
    database: database.kind,
    queue: env.REDIS_URL === undefined ? "postgres" : "redis",
  });

  let ended: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("the process stops"));
    server.close();
    const orderly = (async () => {
      const watching = stopWatching?.();
      await stopSweeping();
      await bell.close();
      await Promise.all([watching, stopTidying?.()]);
    })();
    const patience = AbortSignal.timeout(stopMs);
    await Promise.race([orderly, new Promise((resolve) => patience.addEventListener("abort", resolve))]);
    server.closeAllConnections();
    await database.close();
  };
  return {
    url,
    database,
    outside,
    stop() {
      ended ??= stop();
      return ended;
    },
  };
}

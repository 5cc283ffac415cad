/** Composition root: configuration -> adapters -> api | worker | both, and an orderly end. Every choice of a part is made here. */
import { createServer } from "node:http";
import path from "node:path";
import { openApi } from "./api.ts";
import { createDesk, type DeskParts } from "./desk.ts";
import { UserError } from "./domain/errors.ts";
import { createOutsideBoard } from "./events/standing.ts";
import { createWatch } from "./events/watch.ts";
import type { BotOptions } from "./options.ts";
import { createAdapters, guardAdapters, probeAll } from "./outside.ts";
import type { BreakerState } from "./platform/breaker.ts";
import type { Log } from "./platform/log.ts";
import { sweepRuns } from "./runs/sweep.ts";
import { loadWorkflows } from "./runs/workflow.ts";
import { openDatabase } from "./store/database.ts";
import type { Database } from "./store/queryable.ts";
import { startWorker } from "./worker.ts";

export type { BotOptions, Role } from "./options.ts";

export interface Bot {
  /** Where the bot listens; null for a pure worker. */
  readonly url: string | null;
  readonly database: Database;
  /** How each outside system has been answering. */
  outside(): readonly BreakerState[];
  /** Stops taking work, hands running runs back, and closes everything. Takes at most 25 s. */
  stop(): Promise<void>;
}

/** Longest wait for running steps when the process is told to stop. */
const stopMs = 25_000;

/** What nobody has touched on the disk for so long is of no use any more: no step of a run takes a day. */
const disk = { sweepMs: 10 * 60_000, maxAgeMs: 24 * 3_600_000 };

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

async function assemble(
  options: BotOptions,
  parts: DeskParts & { readonly outside: () => BreakerState[] },
): Promise<Bot> {
  const { config, role, log } = options;
  const { environment: env, policy } = config;
  const { database, adapters, outside } = parts;
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
    url = await openApi(options, { server, database, desk, board }).catch(async (error: unknown) => {
      await bell.close();
      throw error;
    });
  }

  const stopping = new AbortController();
  const settleOld = role === "api" ? undefined : await startWorker(options, parts, { bell, stopping: stopping.signal });
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
    await settleOld?.();
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

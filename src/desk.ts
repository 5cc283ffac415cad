/** The part of the composition root that takes deliveries in and decides on them. */
import path from "node:path";
import { createInbox } from "./events/accept.ts";
import { createDecider } from "./events/decide.ts";
import { foregone } from "./events/foregone.ts";
import type { Desk } from "./events/replay.ts";
import type { BotOptions } from "./options.ts";
import { type Adapters, createAdapters, probeAll } from "./outside.ts";
import { openBell } from "./runs/queue.ts";
import { loadWorkflows, type Workflows } from "./runs/workflow.ts";
import { openDatabase } from "./store/database.ts";
import type { Database } from "./store/queryable.ts";

/** What is there before anything is decided. */
export interface DeskParts {
  readonly database: Database;
  readonly adapters: Adapters;
  readonly self: { readonly jira: string; readonly gitlab: string };
  readonly workflows: Workflows;
}

/** Where deliveries are taken in and decided. */
export async function createDesk(options: Pick<BotOptions, "config" | "log" | "leaseMs">, parts: DeskParts) {
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

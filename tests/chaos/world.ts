/**
 * A world to break: Acme and a database in this process, bots in processes of their own. Requests and commits can be watched,
 * so that a bot is hit at an exact point.
 */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { stringify } from "yaml";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Acme, demoTicket, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import type { Scenario } from "../../src/stand-ins/model/server.ts";
import type { Fault, StandInRequest } from "../../src/stand-ins/server.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/queryable.ts";
import { listRuns } from "../../src/store/runs.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { type BotProcess, type Spawn, type StandBy, standBy, startProcess } from "./processes.ts";
import { anyTicket } from "./scenario.ts";

export type System = "jira" | "gitlab" | "confluence" | "model";

/** A row of the run's tables as it was committed. */
export interface Commit {
  readonly table: "deliveries" | "runs" | "steps" | "effects" | "turns";
  readonly row: Readonly<Record<string, string | number | null>>;
}

export interface World {
  readonly acme: Acme;
  readonly database: Database;
  /** Everything that bots keep on disk. */
  readonly directory: string;
  /** Settings of every bot. */
  readonly variables: Readonly<Record<string, string>>;
  /** Every bot that was ever started here. */
  readonly bots: readonly BotProcess[];
  /** Asked for every request of a bot; returns what is to go wrong with it. */
  onRequest: (system: System, request: StandInRequest) => Fault | undefined;
  /** Told of every commit, a moment after it. */
  onCommit: (commit: Commit) => void;
  /** Starts a bot that listens where the webhooks go, or a worker. */
  start(options?: Partial<Spawn>): Promise<BotProcess>;
  /** Prepares the next bot while this one is at work. */
  standBy(options?: Partial<Spawn>): StandBy;
  /** Files a ticket and puts the label on it. Returns its key. */
  begin(): string;
  /** The newest run of a ticket. */
  run(ticket: string): Promise<Run | null>;
  /** The run once it has ended or waits. */
  ended(ticket: string, patienceMs?: number): Promise<Run>;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** Address of a Postgres server; a database is made on it. */
  readonly postgresUrl: string;
  readonly scenarios?: readonly Scenario[];
  readonly latencyMs?: number;
  readonly webhookBackoffMs?: number;
  /** Whether `onCommit` is told of commits; default true. */
  readonly watch?: boolean;
}

export const policy = {
  projects: { SHOP: { repository: "acme/shop", space: "SHOP", parentPage: "Changes", test: ["true"] } },
  people: { start: { roles: ["Developers"] } },
};

/** Waits until `look` gives something other than null, undefined or false. Failures of `look` itself only count at the end. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  options: { patienceMs?: number; everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + (options.patienceMs ?? 60_000);
  let trouble: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found as NonNullable<Exclude<T, false>>;
      trouble = undefined;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited in vain for ${what}${trouble === undefined ? "" : `: ${String(trouble)}`}`, {
        cause: trouble,
      });
    }
    await sleep(options.everyMs ?? 20);
  }
}

/** A free port, for a bot that is to come back at the same address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Acme with a bot's settings and a folder for its files, but without a bot and without a database. */
export async function openAcme(options: Omit<WorldOptions, "postgresUrl"> = {}): Promise<{
  acme: Acme;
  directory: string;
  variables: Record<string, string>;
  begin(): string;
  close(): Promise<void>;
}> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-chaos-"));
  const policyFile = path.join(directory, "policy.yaml");
  await writeFile(policyFile, stringify(policy));
  for (const folder of ["data", "tmp", "logs"]) mkdirSync(path.join(directory, folder));
  const acme = await startAcme({
    scenarios: options.scenarios ?? [anyTicket],
    // Five tries with this pause must outlast a restart of the bot; the real Jira goes on for an hour.
    webhookBackoffMs: options.webhookBackoffMs ?? 1000,
    ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
  });
  const port = await freePort();
  acme.connect(`http://127.0.0.1:${port}`);
  return {
    acme,
    directory,
    variables: {
      ...acme.variables,
      PORT: String(port),
      TICKETSMITH_DATA_DIR: path.join(directory, "data"),
      TICKETSMITH_CONFIG: policyFile,
      TMPDIR: path.join(directory, "tmp"),
    },
    begin() {
      const { key } = acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
      acme.jira.editLabels(key, { add: ["ticketsmith"] }, people.mia.accountId);
      return key;
    },
    async close() {
      await acme.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const watched: Readonly<Record<Commit["table"], readonly string[]>> = {
  deliveries: ["verdict", "run_id"],
  runs: ["id", "ticket", "state", "step", "epoch"],
  steps: ["run_id", "step", "state"],
  effects: ["run_id", "key", "state"],
  turns: ["run_id", "step"],
};

/** Makes Postgres tell of commits, and listens. Returns the end of listening. */
async function watchCommits(url: string, tell: (commit: Commit) => void): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  for (const [table, columns] of Object.entries(watched)) {
    const row = columns.map((column) => `'${column}', new.${column}`).join(", ");
    await client.query(
      `create function chaos_${table}() returns trigger language plpgsql as $$ begin
         perform pg_notify('chaos', json_build_object('table', '${table}', 'row', json_build_object(${row}))::text);
         return null; end $$`,
    );
    await client.query(
      `create trigger chaos after insert or update on ticketsmith.${table} for each row execute function chaos_${table}()`,
    );
  }
  client.on("notification", ({ payload }) => tell(JSON.parse(payload ?? "{}") as Commit));
  await client.query("listen chaos");
  return () => client.end();
}

/** Opens a world without a bot in it. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { acme, directory, variables, begin, close } = await openAcme(options);
  const databaseUrl = await createTestDatabase(options.postgresUrl);
  const database = await openDatabase({ url: databaseUrl, directory: "", log: silentLog, maxConnections: 2 });
  const bots: BotProcess[] = [];
  const waitingBots: StandBy[] = [];
  const spawnOf = (more: Partial<Spawn>): Spawn => ({
    role: "all",
    directory: path.join(directory, "logs"),
    ...more,
    variables: { ...world.variables, ...more.variables },
  });
  const world: World = {
    acme,
    database,
    directory,
    bots,
    variables: { ...variables, DATABASE_URL: databaseUrl },
    onRequest: () => undefined,
    onCommit: () => undefined,
    begin,
    async start(more = {}) {
      const bot = await startProcess(spawnOf(more));
      bots.push(bot);
      return bot;
    },
    standBy(more = {}) {
      const waiting = standBy(spawnOf(more));
      waitingBots.push(waiting);
      return {
        async go() {
          const bot = await waiting.go();
          bots.push(bot);
          return bot;
        },
        discard: waiting.discard,
      };
    },
    async run(ticket) {
      return (await listRuns(database, 200)).find((run) => run.target.ticket === ticket) ?? null;
    },
    async ended(ticket, patienceMs = 90_000) {
      let seen: Run | null = null;
      try {
        return await until(
          `the end of ${ticket}`,
          async () => {
            seen = await world.run(ticket);
            return seen !== null && (isEnd(seen.state) || seen.state === "waiting") ? seen : null;
          },
          { patienceMs },
        );
      } catch (error) {
        const now = seen as Run | null;
        const state =
          now === null ? "no run" : `${now.id} ${now.state} in ${now.step}, start ${now.starts}, ${now.reason}`;
        throw new Error(`${ticket} did not end (${state}); model: ${acme.model.unexpected.join("; ")}`, {
          cause: error,
        });
      }
    },
    async close() {
      for (const waiting of waitingBots) waiting.discard();
      for (const bot of bots) {
        bot.signal("SIGCONT");
        bot.signal("SIGKILL");
      }
      await Promise.all(bots.map((bot) => bot.ended));
      await stopWatching();
      await database.close();
      await close();
    },
  };
  const stopWatching =
    options.watch === false
      ? async () => undefined
      : await watchCommits(databaseUrl, (commit) => world.onCommit(commit));
  for (const system of ["jira", "gitlab", "confluence", "model"] as const) {
    acme[system].fault = (request) => world.onRequest(system, request);
  }
  return world;
}

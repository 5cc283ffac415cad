/**
 * The one way to Postgres. Two makers, same behaviour: a server by `DATABASE_URL` (node-postgres), or PGlite in a worker
 * thread under a folder of ours. Everything above sees only this file.
 */
import pg from "pg";
import type { Log } from "../platform/log.ts";
import { migrate } from "./migrate.ts";
import { asOutage } from "./outage.ts";
import { openPglitePool } from "./pglite-pool.ts";
import type { Database, Pool, Rows } from "./queryable.ts";

function outage(error: unknown): never {
  throw asOutage(error);
}

function wrap(parts: Pick<Database, "kind" | "queuePool" | "prepared" | "close"> & { readonly pool: Pool }): Database {
  const { pool, prepared, ...rest } = parts;
  return {
    ...rest,
    query: (sql, params) => pool.query<never>(sql, params).catch(outage),
    prepared: (name, sql, params) => prepared<never>(name, sql, params).catch(outage),
    async transaction(work) {
      const client = await pool.connect().catch(outage);
      // A connection that ends between two queries says so as an event, and an event that nobody hears ends the process.
      const unheard = (): void => {};
      client.on("error", unheard);
      try {
        await client.query("BEGIN");
        const result = await work(client);
        await client.query("COMMIT");
        client.off("error", unheard);
        client.release();
        return result;
      } catch (error) {
        // The connection may be the thing that broke: then ROLLBACK fails too, and the server rolls back by itself.
        const broken = await client.query("ROLLBACK").then(
          () => false,
          () => true,
        );
        client.off("error", unheard);
        client.release(broken);
        throw asOutage(error);
      }
    },
  };
}

/** Longest wait for a connection, milliseconds: a server that swallows packets is down as well. */
const connectMs = 10_000;

/** Our transactions take milliseconds. */
const idleMs = 15_000;

/**
 * Opens the database and brings our schema up to date. Safe to call from several processes at once (server) and refused
 * for a second process on the same folder (PGlite: UserError).
 * Queries throw Retryable while the database is away.
 * @param options.url Postgres URL; absent: PGlite
 * @param options.directory folder of PGlite's data; ":memory:" keeps nothing
 */
export async function openDatabase(options: {
  url?: string | undefined;
  directory: string;
  log: Log;
  maxConnections?: number;
}): Promise<Database> {
  const onError = (error: Error): void => options.log.warn("database connection lost", { error });
  if (options.url === undefined) {
    const pool = await openPglitePool(options.directory);
    const database = wrap({
      pool,
      queuePool: pool,
      kind: "pglite",
      prepared: (_name, sql, params) => pool.query(sql, params),
      close: () => pool.end(),
    });
    try {
      await migrate(database);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return database;
  }
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    keepAlive: true,
    application_name: "ticketsmith",
    connectionTimeoutMillis: connectMs,
    // A worker that is paused in the middle of a transaction must not hold the row of its run for ever.
    idle_in_transaction_session_timeout: idleMs,
  });
  // BullMQ takes one connection of its pool for LISTEN per worker, so this pool must be larger than that.
  const queuePool = new pg.Pool({
    connectionString: options.url,
    max: 4,
    keepAlive: true,
    options: "-c search_path=bullmq,public",
    application_name: "ticketsmith-queue",
  });
  pool.on("error", onError);
  queuePool.on("error", onError);
  const database = wrap({
    pool: pool as Pool,
    queuePool: queuePool as unknown as Pool,
    kind: "postgres",
    prepared: <R>(name: string, text: string, values: readonly unknown[]) =>
      pool.query({ name, text, values: [...values] }) as Promise<unknown> as Promise<Rows<R>>,
    close: async () => {
      await Promise.all([pool.end(), queuePool.end()]);
    },
  });
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

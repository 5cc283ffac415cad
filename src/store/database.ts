/**
 * The one way to Postgres. Two makers, same behaviour: a server by `DATABASE_URL` (node-postgres), or PGlite in a worker
 * thread under a folder of ours. Everything above sees only this file.
 */
import pg from "pg";
import type { Log } from "../platform/log.ts";
import { migrate } from "./migrate.ts";
import { openPglitePool } from "./pglite-pool.ts";
import type { Database, Pool, Rows } from "./queryable.ts";

function wrap(parts: Pick<Database, "kind" | "queuePool" | "prepared" | "close"> & { readonly pool: Pool }): Database {
  const { pool, ...rest } = parts;
  return {
    ...rest,
    query: (sql, params) => pool.query(sql, params),
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await work(client);
        await client.query("COMMIT");
        client.release();
        return result;
      } catch (error) {
        // The connection may be the thing that broke: then ROLLBACK fails too, and the server rolls back by itself.
        const broken = await client.query("ROLLBACK").then(
          () => false,
          () => true,
        );
        client.release(broken);
        throw error;
      }
    },
  };
}

/**
 * Opens the database and brings our schema up to date. Safe to call from several processes at once (server) and refused
 * for a second process on the same folder (PGlite: UserError).
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

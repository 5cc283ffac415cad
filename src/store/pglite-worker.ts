/**
 * The thread in which PGlite runs, so that its synchronous WebAssembly never holds up the event loop.
 * Talks to `pglite-pool.ts`: one message per query, answered in order, plus notifications.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { PGlite, types } from "@electric-sql/pglite";
import { dataDir as emptyCluster } from "@electric-sql/pglite-prepopulatedfs";

export type ToWorker = { id: number; sql: string; params: readonly unknown[] | null } | { id: number; close: true };
export type FromWorker =
  | { ready: true }
  | { failed: string }
  | { id: number; rows: unknown[]; rowCount: number }
  | {
      id: number;
      error: { message: string; code: string | undefined; detail: string | undefined; constraint: string | undefined };
    }
  | { channel: string; payload: string };

const port = parentPort as MessagePort;
const send = (message: FromWorker): void => port.postMessage(message);

/** node-postgres hands out bigint and numeric as text: be the same. */
const asText = (value: string): string => value;
/** PGlite's own goes byte by byte: for the bodies of webhooks that takes longer than to store them. */
const asHex = (value: Uint8Array): string =>
  `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
const options = {
  parsers: { [types.INT8]: asText, [types.NUMERIC]: asText },
  serializers: { [types.BYTEA]: asHex },
};

/** PGlite's errors carry the query and every parameter; only these parts may travel on. */
function describe(error: unknown): {
  message: string;
  code: string | undefined;
  detail: string | undefined;
  constraint: string | undefined;
} {
  const known = error as { message?: string; code?: string; detail?: string; constraint?: string };
  return {
    message: known.message ?? String(error),
    code: known.code,
    detail: known.detail,
    constraint: known.constraint,
  };
}

/**
 * Opens the folder, or makes it from an empty cluster that comes ready as a package: initdb takes seconds. A folder whose making was cut
 * off is begun anew: nobody was told that it is there.
 */
async function open(directory: string | undefined): Promise<PGlite> {
  if (directory === undefined) return PGlite.create({ loadDataDir: await emptyCluster() });
  const making = `${directory}.making`;
  if (existsSync(making)) rmSync(directory, { recursive: true, force: true });
  if (existsSync(path.join(directory, "PG_VERSION"))) return PGlite.create({ dataDir: directory });
  writeFileSync(making, "");
  const db = await PGlite.create({ dataDir: directory, loadDataDir: await emptyCluster() });
  rmSync(making);
  return db;
}

async function serve(directory: string | undefined): Promise<void> {
  const db = await open(directory);
  // BullMQ's SQL uses unqualified names; ours is always qualified.
  await db.exec("set search_path to bullmq, public; set timezone to 'UTC'");
  db.onNotification((channel, payload) => send({ channel, payload }));
  port.on("message", async (message: ToWorker) => {
    try {
      if ("close" in message) {
        await db.close();
        send({ id: message.id, rows: [], rowCount: 0 });
        port.close();
        return;
      }
      // Without parameters there may be several statements: that is the simple protocol, `exec` here.
      const result =
        message.params === null
          ? (await db.exec(message.sql, options)).at(-1)
          : await db.query(message.sql, [...message.params], options);
      const rows = result?.rows ?? [];
      send({ id: message.id, rows, rowCount: Math.max(result?.affectedRows ?? 0, rows.length) });
    } catch (error) {
      send({ id: message.id, error: describe(error) });
    }
  });
  send({ ready: true });
}

serve((workerData as { directory?: string }).directory).catch((error: unknown) => {
  send({ failed: describe(error).message });
  port.close();
});

/**
 * PGlite behind the face of a `pg.Pool`, shared by BullMQ and our store. There is one session only, so a transaction
 * holds all others off from its BEGIN to its COMMIT or ROLLBACK, and what LISTEN hears goes to every client.
 */
import { EventEmitter } from "node:events";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../domain/errors.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import type { FromWorker, ToWorker } from "./pglite-worker.ts";
import type { Pool, PoolClient, Rows } from "./queryable.ts";

const opens = /^(?:\s|--[^\n]*\n)*(?:begin|start\s+transaction)\b/i;
const closes = /^(?:\s|--[^\n]*\n)*(?:commit|rollback|end)\b(?!\s+to\b)/i;

/** Hands out a turn to one holder at a time, first come first served. */
class Turnstile {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with the function that ends the turn. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let done: () => void = () => {};
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    return done;
  }
}

interface Waiting {
  resolve(rows: Rows<never>): void;
  reject(error: Error): void;
}

/** The thread, seen from outside: queries by number, notifications as events. */
class Session extends EventEmitter {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    super();
    this.setMaxListeners(0);
    this.#worker = worker;
  }

  static async start(directory: string | undefined): Promise<Session> {
    const worker = new Worker(new URL("./pglite-worker.ts", import.meta.url), { workerData: { directory } });
    const session = new Session(worker);
    await new Promise<void>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (message: FromWorker) => {
        if ("failed" in message) reject(new Error(message.failed));
        else resolve();
      });
    });
    worker.removeAllListeners("error");
    worker.on("message", (message: FromWorker) => session.#receive(message));
    worker.on("error", (error) => session.#fail(error));
    worker.on("exit", () => session.#fail(new Error("the embedded database has stopped")));
    return session;
  }

  #receive(message: FromWorker): void {
    if ("channel" in message) {
      this.emit("notification", { channel: message.channel, payload: message.payload });
      return;
    }
    if (!("id" in message)) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting === undefined) return;
    if ("error" in message) waiting.reject(Object.assign(new Error(message.error.message), message.error));
    else waiting.resolve({ rows: message.rows as never[], rowCount: message.rowCount });
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }

  #ask<R>(message: ToWorker): Promise<Rows<R>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise<Rows<R>>((resolve, reject) => {
      this.#waiting.set(message.id, { resolve: resolve as Waiting["resolve"], reject });
      this.#worker.postMessage(message);
    });
  }

  query<R>(sql: string, params: readonly unknown[] | undefined): Promise<Rows<R>> {
    return this.#ask({ id: this.#next++, sql, params: params === undefined || params.length === 0 ? null : params });
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#ask({ id: this.#next++, close: true });
    await this.#worker.terminate();
  }
}

/** A connection as BullMQ and `database.ts` know it; all of them share the one session. */
class Client extends EventEmitter implements PoolClient {
  readonly #session: Session;
  readonly #turnstile: Turnstile;
  #endTurn: (() => void) | undefined;
  readonly #forward = (message: unknown): void => {
    this.emit("notification", message);
  };

  constructor(session: Session, turnstile: Turnstile) {
    super();
    this.#session = session;
    this.#turnstile = turnstile;
    session.on("notification", this.#forward);
  }

  async query<R>(sql: string, params?: readonly unknown[]): Promise<Rows<R>> {
    const inTransaction = this.#endTurn !== undefined;
    const endTurn = this.#endTurn ?? (await this.#turnstile.take());
    const begins = !inTransaction && opens.test(sql);
    if (begins) this.#endTurn = endTurn;
    try {
      return await this.#session.query<R>(sql, params);
    } finally {
      if (!inTransaction && !begins) endTurn();
      else if (inTransaction && closes.test(sql)) {
        this.#endTurn = undefined;
        endTurn();
      }
    }
  }

  release(): void {
    this.#session.off("notification", this.#forward);
    const endTurn = this.#endTurn;
    if (endTurn === undefined) return;
    // Given back in the middle of a transaction: nobody will commit it.
    this.#endTurn = undefined;
    void this.#session.query("ROLLBACK", undefined).then(endTurn, endTurn);
  }
}

/**
 * Opens PGlite in a thread. The folder is created when missing and locked for this process.
 * @param directory folder for the data, or ":memory:"
 * @throws UserError when another process uses the folder
 */
export async function openPglitePool(directory: string): Promise<Pool> {
  const inMemory = directory === ":memory:";
  let lock: DirectoryLock | undefined;
  if (!inMemory) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    lock = await lockDirectory(directory);
  }
  let session: Session;
  try {
    session = await Session.start(inMemory ? undefined : path.join(directory, "database"));
  } catch (error) {
    await lock?.release();
    throw new UserError(
      `The embedded database in ${directory} does not start: ${error instanceof Error ? error.message : String(error)}. ` +
        "Move the folder away to begin anew, or set DATABASE_URL to a Postgres server.",
      { cause: error },
    );
  }
  const turnstile = new Turnstile();
  const shared = new Client(session, turnstile);
  let ending: Promise<void> | undefined;
  const pool = Object.assign(new EventEmitter(), {
    options: { keepAlive: true },
    query: <R>(sql: string, params?: readonly unknown[]) => shared.query<R>(sql, params),
    connect: async () => new Client(session, turnstile),
    end: () => {
      ending ??= (async () => {
        const endTurn = await turnstile.take();
        await session.stop();
        endTurn();
        await lock?.release();
      })();
      return ending;
    },
  });
  return pool as Pool;
}

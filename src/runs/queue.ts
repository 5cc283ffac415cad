/**
 * The doorbell: the only file that knows BullMQ. A job carries a run id and nothing else; it may be lost, doubled or late,
 * and nothing depends on it but speed. BullMQ's own deduplication, attempts and `moveToDelayed` are not used (see docs/).
 */
import { createPostgresBackend, Queue, runMigrations, Worker } from "bullmq";
import { Redis } from "ioredis";
import { z } from "zod";
import { messageOf } from "../domain/errors.ts";
import type { Log } from "../platform/log.ts";
import type { Database } from "../store/queryable.ts";

const Job = z.object({ runId: z.string() });

export interface Bell {
  /** Asks for the run to be advanced, now or later. Never throws: a lost ring is found by the sweeper. */
  ring(runId: string, delayMs?: number): Promise<void>;
  /** Calls `advance` for every ring, at most `concurrency` at once. */
  answer(advance: (runId: string) => Promise<void>, concurrency: number): void;
  /** Stops taking rings, waits for running calls. */
  close(): Promise<void>;
}

const queueName = "runs";

/** How long a crashed worker's job stays locked before another takes it; renewed while the work goes on. */
const usualLockMs = 30_000;

/**
 * Opens the queue on Redis when there is an address, else on the database.
 * @param options.lockMs how long a job of a worker that fell silent stays locked, default 30 s
 */
export async function openBell(options: {
  database: Database;
  redisUrl: string | undefined;
  log: Log;
  lockMs?: number;
}): Promise<Bell> {
  const { log, redisUrl } = options;
  const lockMs = options.lockMs ?? usualLockMs;
  const redis: Redis[] = [];
  const connectRedis = (): Redis => {
    // BullMQ wants endless retries on its own connections, see its "going to production" guide.
    const connection = new Redis(redisUrl ?? "", { maxRetriesPerRequest: null });
    connection.on("error", (error) => log.warn("queue connection lost", { error }));
    redis.push(connection);
    return connection;
  };
  const make = await (async () => {
    if (redisUrl !== undefined) {
      return {
        queue: () => new Queue(queueName, { connection: connectRedis(), prefix: "ticketsmith" }),
        worker: (process: (job: { data: unknown }) => Promise<void>, concurrency: number) =>
          new Worker(queueName, process, {
            ...workerOptions(concurrency, lockMs),
            connection: connectRedis(),
            prefix: "ticketsmith",
          }),
      };
    }
    const pool = options.database.queuePool as never;
    const client = await options.database.queuePool.connect();
    try {
      await runMigrations(client as never);
    } finally {
      client.release();
    }
    return {
      queue: () => new Queue(queueName, { connection: pool }, createPostgresBackend as never),
      worker: (process: (job: { data: unknown }) => Promise<void>, concurrency: number) =>
        new Worker(
          queueName,
          process,
          { ...workerOptions(concurrency, lockMs), connection: pool },
          createPostgresBackend as never,
        ),
    };
  })();

  const queue = make.queue();
  queue.on("error", (error) => log.warn("queue is unwell", { error }));
  let worker: Worker | undefined;

  return {
    async ring(runId, delayMs) {
      try {
        await queue.add("advance", { runId }, { delay: delayMs ?? 0, removeOnComplete: true, removeOnFail: true });
      } catch (error) {
        log.warn("ring was lost, the sweeper will repeat it", { run: runId, error: messageOf(error) });
      }
    },
    answer(advance, concurrency) {
      worker = make.worker((job) => advance(Job.parse(job.data).runId), concurrency) as Worker;
      worker.on("error", (error) => log.warn("queue worker is unwell", { error }));
    },
    async close() {
      await worker?.close();
      await queue.close();
      for (const connection of redis) connection.disconnect();
    },
  };
}

function workerOptions(concurrency: number, lockMs: number) {
  // Two crashes on one job would put it to rest for ever with BullMQ's default of 1; we count crashes ourselves.
  return { concurrency, lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: 100 };
}

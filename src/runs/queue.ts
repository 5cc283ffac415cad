/**
 * The doorbell: the only file that knows BullMQ. A job carries a run id and nothing else; it may be lost, doubled or late,
 * and nothing depends on it but speed. BullMQ's own deduplication, attempts and `moveToDelayed` are not used (see docs/).
 */
import { createPostgresBackend, Queue, runMigrations, Worker } from "bullmq";
import { z } from "zod";
import { messageOf } from "../domain/errors.ts";
import type { Log } from "../platform/log.ts";
import type { Database } from "../store/queryable.ts";
import { createRedisLink } from "./redis.ts";
import { checkRedisSettings } from "./redis-settings.ts";

const Job = z.object({ runId: z.string() });

export interface Bell {
  /** Asks for the run to be advanced, now or later. Never throws: a lost ring is found by the sweeper. */
  ring(runId: string, delayMs?: number): Promise<void>;
  /** Calls `advance` for every ring, at most `concurrency` at once. */
  answer(advance: (runId: string) => Promise<void>, concurrency: number): void;
  /** Stops taking rings, waits for running calls. */
  close(): Promise<void>;
}

type Work = (job: { data: unknown }) => Promise<void>;

/** Where the queue lives. */
interface Home {
  readonly queue: Queue;
  worker(work: Work, concurrency: number): Worker;
  /** Whether it is known to be away: what BullMQ says of that has been said already. */
  isDown(): boolean;
  /** Resolves when it is away, now or later. */
  lost(): Promise<unknown>;
  close(): void;
}

const queueName = "runs";

/** How long a crashed worker's job stays locked before another takes it; renewed while the work goes on. */
const usualLockMs = 30_000;

/** A ring that takes longer is as good as lost: whoever rings has a run to hand on, or an inbox to decide. */
const ringMs = 2000;

function workerOptions(concurrency: number, lockMs: number) {
  return {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // Two crashes on one job would put it to rest for ever with BullMQ's default of 1; we count crashes ourselves.
    maxStalledCount: 100,
    // After an outage; BullMQ's default is 15 s.
    runRetryDelay: 1000,
  };
}

function openOnRedis(url: string, lockMs: number, log: Log): Home {
  const link = createRedisLink(url, log);
  const prefix = "ticketsmith";
  const ringing = link.connect(1);
  ringing.once("ready", () => void checkRedisSettings(ringing, log));
  return {
    queue: new Queue(queueName, { connection: ringing, prefix }),
    worker: (work, concurrency) =>
      new Worker(queueName, work, {
        ...workerOptions(concurrency, lockMs),
        // BullMQ insists on endless retries for workers, see its "Going to production" guide.
        connection: link.connect(null),
        prefix,
      }) as Worker,
    isDown: () => link.isDown(),
    lost: () => link.lost(),
    close: () => link.close(),
  };
}

async function openOnPostgres(database: Database, lockMs: number): Promise<Home> {
  const pool = database.queuePool as never;
  const client = await database.queuePool.connect();
  try {
    await runMigrations(client as never);
  } finally {
    client.release();
  }
  return {
    queue: new Queue(queueName, { connection: pool }, createPostgresBackend as never),
    worker: (work, concurrency) =>
      new Worker(
        queueName,
        work,
        { ...workerOptions(concurrency, lockMs), connection: pool },
        createPostgresBackend as never,
      ) as Worker,
    isDown: () => false,
    lost: () => new Promise(() => {}),
    close() {},
  };
}

/**
 * Opens the queue on Redis when there is an address, else on the database. A Redis that is away is waited for.
 * @param options.lockMs how long a job of a worker that fell silent stays locked, default 30 s
 */
export async function openBell(options: {
  database: Database;
  redisUrl: string | undefined;
  log: Log;
  lockMs?: number;
}): Promise<Bell> {
  const { log, redisUrl, lockMs = usualLockMs } = options;
  const home =
    redisUrl === undefined ? await openOnPostgres(options.database, lockMs) : openOnRedis(redisUrl, lockMs, log);
  const { queue } = home;
  const complain = (what: string) => (error: Error) => log[home.isDown() ? "debug" : "warn"](what, { error });
  queue.on("error", complain("queue is unwell"));
  let worker: Worker | undefined;
  const running = new Set<Promise<void>>();
  /** Rings that got no answer: they may come through yet, so they are not piled up. */
  const hanging = new Set<string>();

  async function add(runId: string, delayMs: number): Promise<void> {
    try {
      await queue.add("advance", { runId }, { delay: delayMs, removeOnComplete: true, removeOnFail: true });
    } catch (error) {
      log.warn("ring was lost, the sweeper will repeat it", { run: runId, error: messageOf(error) });
    } finally {
      hanging.delete(runId);
    }
  }

  return {
    async ring(runId, delayMs = 0) {
      if (hanging.has(runId)) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          hanging.add(runId);
          resolve();
        }, ringMs);
      });
      await Promise.race([add(runId, delayMs), late]);
      clearTimeout(timer);
    },
    answer(advance, concurrency) {
      const work: Work = async (job) => {
        const call = advance(Job.parse(job.data).runId);
        running.add(call);
        await call.finally(() => running.delete(call));
      };
      worker = home.worker(work, concurrency);
      worker.on("error", complain("queue worker is unwell"));
    },
    async close() {
      const orderly = async (): Promise<void> => {
        await worker?.close();
        await queue.close();
      };
      // BullMQ would wait for a Redis that is gone; our own work is waited for in any case.
      await Promise.race([orderly(), home.lost()]);
      await Promise.allSettled(running);
      home.close();
    },
  };
}

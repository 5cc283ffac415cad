/** The machine's own `redis-server`, on a free port in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { Redis } from "ioredis";

/** Whether there is a `redis-server` on this machine. */
export function hasRedis(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export interface RedisServer {
  /** redis://… */
  readonly url: string;
  /** Forgets everything, as FLUSHALL does. */
  flush(): Promise<void>;
  /** How many jobs wait for their time. */
  delayed(): Promise<number>;
  /** Crashes it (SIGKILL) and leaves it down. */
  kill(): Promise<void>;
  /** Starts it again, on the data that it kept. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a server.
 * @param settings command line options, e.g. `["--appendonly", "yes"]`; without them it is as Debian ships it, but for snapshots
 */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const argv = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", ...settings];
  let child: ChildProcess | undefined;

  async function ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  const server: RedisServer = {
    url,
    async flush() {
      await ask((redis) => redis.flushall());
    },
    delayed: () => ask((redis) => redis.zcard("ticketsmith:runs:delayed")),
    async start() {
      child = spawn("redis-server", argv, { stdio: "ignore" });
      const deadline = Date.now() + 10_000;
      while (
        !(await ask((redis) => redis.ping()).then(
          () => true,
          () => false,
        ))
      ) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error("the test Redis does not start");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async kill() {
      const dying = child;
      if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
      const ended = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill("SIGKILL");
      await ended;
    },
    async close() {
      await server.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

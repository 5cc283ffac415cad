/** Start: from the start of the process to the first 200 of /readyz. Held against a Node that does nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { startAcme } from "../../src/stand-ins/acme/acme.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { inFolder } from "../folder.ts";
import { median, type Outcome } from "../outcome.ts";

const times = 3;
const aimSeconds = 3;
const patienceMs = 30_000;
const program = path.resolve(import.meta.dirname, "../../src/cli/ticketsmith.ts");

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve));

async function isReady(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url);
    await body.dump();
    return statusCode === 200;
  } catch {
    // Nobody listens yet.
    return false;
  }
}

/** Seconds until a bot with these settings is ready; it is ended in order afterwards. */
async function startOnce(variables: Readonly<Record<string, string>>): Promise<number> {
  const port = await freePort();
  const begin = performance.now();
  const child = spawn(process.execPath, [program, "start"], {
    env: { PATH: process.env.PATH, ...variables, PORT: String(port), LOG_LEVEL: "warn" },
    stdio: "ignore",
  });
  try {
    while (!(await isReady(`http://127.0.0.1:${port}/readyz`))) {
      if (child.exitCode !== null) throw new Error(`the bot ended with ${child.exitCode} before it was ready`);
      if (performance.now() - begin > patienceMs) throw new Error(`the bot was not ready after ${patienceMs} ms`);
      await sleep(10);
    }
    return (performance.now() - begin) / 1000;
  } finally {
    child.kill("SIGTERM");
    await ended(child);
  }
}

async function idleNode(): Promise<number> {
  const begin = performance.now();
  await ended(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }));
  return (performance.now() - begin) / 1000;
}

function outcomeOf(name: string, seconds: readonly number[], idle: readonly number[]): Outcome {
  const [measured, floor] = [median(seconds), median(idle)];
  return {
    name: `start ${name}`,
    measured: `${measured.toFixed(2)} s`,
    floor: `${floor.toFixed(2)} s`,
    ratio: measured / floor,
    aim: `< ${aimSeconds} s`,
    ok: measured < aimSeconds,
    notes: [],
    details: { seconds, idle },
  };
}

/** On the embedded database in a new folder and in one that was used before, and on a Postgres server. */
export async function start(): Promise<Outcome[]> {
  const [acme, server] = await Promise.all([startAcme(), startPostgres(["fsync=on"])]);
  const seconds: Record<"new" | "used" | "postgres" | "idle", number[]> = { new: [], used: [], postgres: [], idle: [] };
  try {
    for (let time = 0; time < times; time += 1) {
      await inFolder(async (directory) => {
        const variables = { ...acme.variables, TICKETSMITH_DATA_DIR: directory };
        seconds.idle.push(await idleNode());
        seconds.new.push(await startOnce(variables));
        seconds.used.push(await startOnce(variables));
        seconds.postgres.push(await startOnce({ ...variables, DATABASE_URL: server.url }));
      });
    }
  } finally {
    await Promise.all([acme.close(), server.close()]);
  }
  return [
    outcomeOf("pglite, new folder", seconds.new, seconds.idle),
    outcomeOf("pglite, used folder", seconds.used, seconds.idle),
    outcomeOf("postgres", seconds.postgres, seconds.idle),
  ];
}

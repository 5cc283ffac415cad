/** Bots as child processes, and what is left of them. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { BotSettings } from "./bot-process.ts";

export interface BotProcess {
  readonly pid: number;
  /** Where it listens; null for a pure worker. */
  readonly url: string | null;
  /** File with what it printed. */
  readonly logFile: string;
  readonly startedAfterMs: number;
  /** Sends a signal now. Nothing happens when it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly isAlive: boolean;
}

export interface Spawn extends BotSettings {
  readonly variables: Readonly<Record<string, string>>;
  /** Folder for its log. */
  readonly directory: string;
  /** More arguments for node, e.g. `--import`. */
  readonly nodeOptions?: readonly string[];
}

/** Locks of the battery: short, so that a takeover takes seconds. */
export const testLocks = { leaseMs: 1500, sweepMs: 300, quietMs: 1000, concurrency: 8 } as const;

/** Saves a third of the time that a start takes. */
const compileCache = path.join(os.tmpdir(), "ticketsmith-compile-cache");

let count = 0;

/** Starts a process without waiting until it is ready. */
export function launch(options: Spawn): { child: ChildProcess; logFile: string; ready: Promise<string | null> } {
  const { variables, directory, nodeOptions, ...settings } = options;
  count += 1;
  const logFile = path.join(directory, `bot-${String(count).padStart(4, "0")}.log`);
  const log = openSync(logFile, "a");
  const program = path.join(import.meta.dirname, "bot-process.ts");
  const child = spawn(
    process.execPath,
    ["--no-warnings", ...(nodeOptions ?? []), program, JSON.stringify({ ...testLocks, ...settings })],
    {
      env: { PATH: process.env.PATH ?? "", LOG_LEVEL: "info", NODE_COMPILE_CACHE: compileCache, ...variables },
      stdio: ["ignore", log, log, "ipc"],
    },
  );
  closeSync(log);
  const ready = new Promise<string | null>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { url: string | null }).url));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`the bot ended (${code ?? signal}) before it was ready:\n${readFileSync(logFile, "utf8")}`));
    });
  });
  // Nobody may be waiting for it any more when the process is killed early.
  ready.catch(() => undefined);
  return { child, logFile, ready };
}

/** Starts a bot and waits until it is ready. Throws with its output when it ends before. */
export async function startProcess(options: Spawn): Promise<BotProcess> {
  return whenReady(launch(options));
}

/** A bot that has loaded its program and waits for `go`. */
export interface StandBy {
  go(): Promise<BotProcess>;
  discard(): void;
}

/** Starts a bot that begins only when it is told to, and then in a moment. */
export function standBy(options: Spawn): StandBy {
  const launched = launch({ ...options, standBy: true });
  return {
    go() {
      launched.child.send("go");
      return whenReady(launched);
    },
    discard: () => void launched.child.kill("SIGKILL"),
  };
}

async function whenReady({ child, logFile, ready }: ReturnType<typeof launch>): Promise<BotProcess> {
  const before = performance.now();
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const url = await ready;
  return {
    pid: child.pid ?? 0,
    url,
    logFile,
    startedAfterMs: performance.now() - before,
    signal: (signal) => void child.kill(signal),
    ended,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
  };
}

/** The last lines that a bot logged. */
export function tailOf(bot: BotProcess, lines = 12): string {
  const text = readFileSync(bot.logFile, "utf8").trimEnd().split("\n");
  return text
    .slice(-lines)
    .map((line) => `    ${line.slice(0, 500)}`)
    .join("\n");
}

/** Command lines of living processes that belong to a folder: by working folder, environment or arguments. Linux only. */
export function processesOf(directory: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      const folder = readlinkSync(`/proc/${pid}/cwd`);
      if ([command, environment, folder].some((text) => text.includes(directory))) {
        found.push(`${pid} ${command.replaceAll("\0", " ").slice(0, 200)}`);
      }
    } catch {
      // It ended while we looked, or it is none of ours.
    }
  }
  return found;
}

/** Files and folders below a folder, two levels deep; empty when it is not there. */
export function leftBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory);
}

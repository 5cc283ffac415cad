/** The one place where a child process is started: without a shell, in its own process group, with exactly the environment given. */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Sink } from "./output.ts";

export interface ProcessInput {
  /** Program: a path, or a name looked up in `env.PATH`. */
  readonly file: string;
  readonly argv: readonly string[];
  /** The whole environment of the child. Ours is never inherited: it holds the credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to stdin; stdin is empty without it. */
  readonly input?: string | Uint8Array;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Receives what the child writes to its file descriptor 3. */
  readonly status?: Sink;
  /** Receives what the child writes to its file descriptor 4. */
  readonly files?: Sink;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Asked after every chunk; true ends the process. */
  readonly enough?: () => boolean;
  /** Asked a few times a second with the child's id; a text ends the process and comes back as `stopped`. */
  readonly watch?: (pid: number) => string | null;
}

export interface ProcessEnd {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Why `watch` ended it. */
  readonly stopped: string | null;
  readonly durationMs: number;
}

const watchEveryMs = 200;

/**
 * Runs a program to its end. Throws the signal's reason when aborted, and the spawn error (`code` is `ENOENT` when the
 * program or `cwd` is missing) when it cannot be started. The whole process group is killed on timeout and abort.
 */
export async function runProcess(input: ProcessInput): Promise<ProcessEnd> {
  input.signal?.throwIfAborted();
  const started = performance.now();
  const child = spawn(input.file, input.argv, {
    env: { ...input.env },
    ...(input.cwd === undefined ? {} : { cwd: input.cwd }),
    detached: true,
    stdio: [
      input.input === undefined ? "ignore" : "pipe",
      "pipe",
      "pipe",
      input.status ? "pipe" : "ignore",
      input.files ? "pipe" : "ignore",
    ],
  });

  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch (error) {
      // ESRCH: it ended in this very moment, which is what was wanted.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, input.timeoutMs);
  input.signal?.addEventListener("abort", kill, { once: true });
  let stopped: string | null = null;
  const watcher = setInterval(() => {
    if (child.pid === undefined || stopped !== null) return;
    stopped = input.watch?.(child.pid) ?? null;
    if (stopped !== null) kill();
  }, watchEveryMs);

  const listen = (stream: Readable | null | undefined, sink: Sink | undefined): void => {
    stream?.on("data", (chunk: Buffer) => {
      sink?.add(chunk);
      if (input.enough?.()) kill();
    });
  };
  listen(child.stdout, input.stdout);
  listen(child.stderr, input.stderr);
  listen(child.stdio[3] as Readable | null | undefined, input.status);
  listen(child.stdio[4] as Readable | null | undefined, input.files);
  // A child that ends without reading its stdin makes the pipe fail; its exit code tells the story.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input.input);

  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => {
        // Stragglers that left the group could hold the pipes open for ever: give the last bytes a moment, then let go.
        setTimeout(() => {
          for (const stream of [child.stdout, child.stderr, child.stdio[3], child.stdio[4]]) stream?.destroy();
        }, 2_000).unref();
      });
      child.once("close", resolve);
    });
    input.signal?.throwIfAborted();
    const killed = timedOut || stopped !== null;
    return {
      exitCode: killed ? null : exitCode,
      timedOut,
      stopped,
      durationMs: Math.round(performance.now() - started),
    };
  } finally {
    clearInterval(watcher);
    clearTimeout(timer);
    input.signal?.removeEventListener("abort", kill);
  }
}

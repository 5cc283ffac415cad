/** The one door to child processes: without a shell, in their own process group, with exactly the environment given. */
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Sink } from "./output.ts";
import { spawnChild } from "./spawn-child.ts";
import type { ProcessSpec, Raw, Wants } from "./spawner-messages.ts";
import { openSpawner, type Spawner } from "./started-elsewhere.ts";

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

/** A child that runs. Its output waits for `finish`. */
export interface Started {
  readonly pid: number | undefined;
  /** True from its end on. */
  readonly ended: boolean;
  /** Hands over its stdin and sees it through to its end: see `runProcess`. The clock starts now. To be called once. */
  finish(input: Omit<ProcessInput, "file" | "argv" | "env" | "cwd">): Promise<ProcessEnd>;
  /** Ends the whole process group, if it still runs. */
  kill(): void;
  /** Whether the child keeps this process from ending by itself. It does at first. */
  hold(held: boolean): void;
}

function startHere(spec: ProcessSpec, wants: Wants): Raw {
  const child = spawnChild(spec, wants);
  const streams = child.stdio.filter((stream) => stream !== null && stream !== undefined);
  let failure: unknown;
  let exited = false;
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => {
      failure = error;
      reject(error);
    });
    child.once("exit", () => {
      exited = true;
      // Stragglers that left the group could hold the pipes open for ever: give the last bytes a moment, then let go.
      setTimeout(() => {
        for (const stream of streams) stream.destroy();
      }, 2_000).unref();
    });
    child.once("close", resolve);
  });
  // A child that ends without reading its stdin makes the pipe fail; its exit code tells the story.
  child.stdin?.on("error", () => {});
  return {
    pid: child.pid,
    get ended() {
      return exited || failure !== undefined;
    },
    closed,
    kill() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        // ESRCH: it ended in this very moment, which is what was wanted.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    },
    hold(held) {
      const word = held ? "ref" : "unref";
      child[word]();
      // The pipes of a child are sockets, whatever the types say.
      for (const stream of streams) (stream as Partial<Socket>)[word]?.();
    },
    listen(fd, sink) {
      (child.stdio[fd] as Readable | null | undefined)?.on("data", sink);
    },
    input: (bytes) => child.stdin?.end(bytes),
  };
}

let spawner: Spawner | undefined;

/** Has processes started by a small helper from now on, as soon as it is up: for a bot, whose own size makes starting slow. */
export function startElsewhere(): void {
  spawner ??= openSpawner();
}

/** Starts a program with pipes for stdin (where `input` is wanted), stdout, stderr, and file descriptors 3 and 4 where they are wanted. */
export function startProcess(spec: ProcessSpec, wants: Wants): Started {
  const raw = spawner?.ready === true ? spawner.start(spec, wants) : startHere(spec, wants);
  // Told to whoever finishes it; one that nobody needs any more may fail unnoticed.
  raw.closed.catch(() => {});
  return {
    get pid() {
      return raw.pid;
    },
    get ended() {
      return raw.ended;
    },
    kill: () => raw.kill(),
    hold: (held) => raw.hold(held),
    async finish(input) {
      if (input.signal?.aborted) {
        raw.kill();
        throw input.signal.reason;
      }
      const kill = (): void => raw.kill();
      const began = performance.now();
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        kill();
      }, input.timeoutMs);
      input.signal?.addEventListener("abort", kill, { once: true });
      let stopped: string | null = null;
      const watcher = setInterval(() => {
        if (raw.pid === undefined || stopped !== null) return;
        stopped = input.watch?.(raw.pid) ?? null;
        if (stopped !== null) kill();
      }, watchEveryMs);
      const listen = (fd: number, sink: Sink | undefined): void =>
        raw.listen(fd, (bytes) => {
          sink?.add(bytes);
          if (input.enough?.()) kill();
        });
      [input.stdout, input.stderr, input.status, input.files].forEach((sink, index) => {
        listen(index + 1, sink);
      });
      if (wants.input) raw.input(input.input ?? "");
      try {
        const exitCode = await raw.closed;
        input.signal?.throwIfAborted();
        const killed = timedOut || stopped !== null;
        return {
          exitCode: killed ? null : exitCode,
          timedOut,
          stopped,
          durationMs: Math.round(performance.now() - began),
        };
      } finally {
        clearInterval(watcher);
        clearTimeout(timer);
        input.signal?.removeEventListener("abort", kill);
      }
    },
  };
}

/**
 * Runs a program to its end. Throws the signal's reason when aborted, and the spawn error (`code` is `ENOENT` when the
 * program or `cwd` is missing) when it cannot be started. The whole process group is killed on timeout and abort.
 */
export async function runProcess(input: ProcessInput): Promise<ProcessEnd> {
  input.signal?.throwIfAborted();
  const { status, files } = input;
  const wants = { input: input.input !== undefined, status: status !== undefined, files: files !== undefined };
  return startProcess(input, wants).finish(input);
}

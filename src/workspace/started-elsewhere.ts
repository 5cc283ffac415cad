/** Children that are started by a small process instead of this large one; see spawner.ts. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { Order, ProcessSpec, Raw, Report, Wants } from "./spawner-messages.ts";

interface Known {
  hear(report: Report): void;
  /** The spawner is gone, and its children with it. */
  lost(): void;
}

export interface Spawner {
  /** False until it is up, and when it is gone for good: then processes are to be started from here. */
  readonly ready: boolean;
  start(spec: ProcessSpec, wants: Wants): Raw;
  /** Ends it, and with it what it started. */
  stop(): void;
}

/** Starts a spawner. It ends with this process, however that ends, and does not keep it alive. */
export function openSpawner(): Spawner {
  const child: ChildProcess = fork(path.join(import.meta.dirname, "spawner.ts"), {
    // Our environment holds the credentials.
    env: {},
    execArgv: ["--no-warnings", "--max-semi-space-size=1"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const known = new Map<number, Known>();
  let count = 0;
  let held = 0;
  let ready = false;
  const hold = (change: number): void => {
    held += change;
    if (held > 0) child.channel?.ref();
    else child.channel?.unref();
  };
  child.unref();
  hold(0);
  const gone = (): void => {
    ready = false;
    for (const one of known.values()) one.lost();
    known.clear();
  };
  child.on("message", (report: Report) => {
    if (report.say === "ready") ready = true;
    else known.get(report.id)?.hear(report);
  });
  child.once("error", gone);
  child.once("disconnect", gone);

  function start(spec: ProcessSpec, wants: Wants): Raw {
    count += 1;
    const id = count;
    const send = (order: Order): void => {
      if (child.connected) child.send(order);
    };
    const sinks = new Map<number, (bytes: Buffer) => void>();
    /** What came before somebody listened. */
    const early: { fd: number; bytes: Buffer }[] = [];
    let pid: number | undefined;
    let ended = false;
    let isHeld = false;
    const holdThis = (wanted: boolean): void => {
      if (wanted !== isHeld) hold(wanted ? 1 : -1);
      isHeld = wanted;
    };
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    const leave = (): void => {
      ended = true;
      known.delete(id);
      holdThis(false);
    };
    known.set(id, {
      hear(report) {
        if (report.say === "started") pid = report.pid;
        else if (report.say === "exited") ended = true;
        else if (report.say === "data") {
          const bytes = Buffer.from(report.bytes.buffer, report.bytes.byteOffset, report.bytes.byteLength);
          const sink = sinks.get(report.fd);
          if (sink === undefined) early.push({ fd: report.fd, bytes });
          else sink(bytes);
        } else if (report.say === "closed") {
          leave();
          resolve(report.code);
        } else if (report.say === "failed") {
          leave();
          reject(Object.assign(new Error(report.message), { code: report.code }));
        }
      },
      lost() {
        leave();
        reject(new Error(`the process that runs ${spec.file} was lost`));
      },
    });
    holdThis(true);
    const { file, argv, env, cwd } = spec;
    send({ do: "start", id, spec: { file, argv, env, ...(cwd === undefined ? {} : { cwd }) }, wants });
    return {
      get pid() {
        return pid;
      },
      get ended() {
        return ended;
      },
      closed: promise,
      kill: () => send({ do: "kill", id }),
      hold: holdThis,
      listen(fd, sink) {
        sinks.set(fd, sink);
        for (const { bytes } of early.filter((one) => one.fd === fd)) sink(bytes);
      },
      input: (bytes) => send({ do: "input", id, bytes }),
    };
  }

  return {
    get ready() {
      return ready && child.connected;
    },
    start,
    stop() {
      if (child.connected) child.disconnect();
    },
  };
}

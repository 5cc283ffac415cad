/**
 * A program of its own: starts processes for the bot. To start one, the kernel copies the tables of the starter's memory, and Node waits for
 * it: 1 ms in here, 5 to 8 ms in a bot of 300 MB, in which nothing else happens. See started-elsewhere.ts for the other side.
 */

import type { Readable, Writable } from "node:stream";
import { spawnChild } from "./spawn-child.ts";
import type { Order, Report } from "./spawner-messages.ts";

interface Child {
  readonly stdin: Writable | null;
  kill(): void;
}

const children = new Map<number, Child>();
const stragglersMs = 2_000;

function report(message: Report, sent: () => void = () => {}): void {
  // When the bot is gone there is nobody to tell; `disconnect` ends everything.
  if (process.connected) process.send?.(message, undefined, {}, sent);
}

function start({ id, spec, wants }: Extract<Order, { do: "start" }>): void {
  const child = spawnChild(spec, wants);
  const streams = child.stdio.filter((stream) => stream !== null && stream !== undefined);
  child.stdin?.on("error", () => {});
  child.stdio.slice(1).forEach((stream, index) => {
    const readable = stream as Readable | null | undefined;
    readable?.on("data", (bytes: Buffer) => {
      // One piece under way per stream: a command that prints faster than the bot reads has to wait.
      readable.pause();
      report({ id, say: "data", fd: index + 1, bytes }, () => readable.resume());
    });
  });
  children.set(id, {
    stdin: child.stdin,
    kill() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended in this very moment.
      }
    },
  });
  child.once("error", (error: NodeJS.ErrnoException) => {
    children.delete(id);
    report({ id, say: "failed", message: error.message, code: error.code });
  });
  child.once("exit", () => {
    report({ id, say: "exited" });
    setTimeout(() => {
      for (const stream of streams) stream.destroy();
    }, stragglersMs).unref();
  });
  child.once("close", (code) => {
    children.delete(id);
    report({ id, say: "closed", code });
  });
  if (child.pid !== undefined) report({ id, say: "started", pid: child.pid });
}

process.on("message", (order: Order) => {
  if (order.do === "start") start(order);
  else if (order.do === "kill") children.get(order.id)?.kill();
  else children.get(order.id)?.stdin?.end(order.bytes);
});
process.on("disconnect", () => {
  for (const child of children.values()) child.kill();
  process.exit();
});
report({ id: 0, say: "ready" });

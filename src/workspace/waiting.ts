/**
 * Sandboxes that were started before they are needed: while a model thinks, the next command's namespaces are set up already. Each is
 * used for one command and gone; the tree is copied into it only when its command comes.
 */
import type { Started } from "./process.ts";

/** A sandbox that waits for its script. */
export interface Ready {
  readonly started: Started;
  /** Tells directories apart that follow one another under the same path. */
  readonly identity: string;
}

export interface Waiting {
  /** One that waits for this directory as it is now, or undefined. Whoever takes it has to finish it. */
  take(directory: string, identity: string): Started | undefined;
  /** Has one start for the next command in this directory. Throws nothing: a failure shows when it would be needed. */
  prepare(directory: string, start: () => Promise<Ready>): void;
}

/** Longer than most turns of a model take, short enough to leave nothing behind. */
const patienceMs = 30_000;
const most = 16;

/** Keeps at most one per directory. None of them keeps the process alive. */
export function createWaiting(): Waiting {
  const waiting = new Map<string, Ready>();
  const starting = new Set<string>();

  function forget(directory: string): void {
    waiting.get(directory)?.started.kill();
    waiting.delete(directory);
  }

  return {
    take(directory, identity) {
      const ready = waiting.get(directory);
      if (ready === undefined) return undefined;
      if (ready.identity !== identity || ready.started.ended) {
        forget(directory);
        return undefined;
      }
      waiting.delete(directory);
      ready.started.hold(true);
      return ready.started;
    },
    prepare(directory, start) {
      if (waiting.has(directory) || starting.has(directory) || waiting.size + starting.size >= most) return;
      starting.add(directory);
      start().then(
        (ready) => {
          starting.delete(directory);
          ready.started.hold(false);
          waiting.set(directory, ready);
          setTimeout(() => {
            if (waiting.get(directory) === ready) forget(directory);
          }, patienceMs).unref();
        },
        () => starting.delete(directory),
      );
    },
  };
}

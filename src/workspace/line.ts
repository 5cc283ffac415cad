/** A queue in front of something that only so many may use at once. */

/**
 * `inLine(signal, work)` starts `work` when fewer than `places` are at work, in the order of asking. Throws the signal's reason when it
 * goes off before that.
 */
export function createLine(places: number): <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const waiting: (() => void)[] = [];
  return async (signal, work) => {
    signal.throwIfAborted();
    if (busy >= places) {
      await new Promise<void>((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", giveUp, { once: true });
        waiting.push(enter);
      });
    } else busy += 1;
    try {
      return await work();
    } finally {
      // Whoever is next takes this place over.
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}

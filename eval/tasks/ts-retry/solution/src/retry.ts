export interface RetryOptions {
  /** Number of calls, the first one included. */
  readonly tries: number;
  /** First pause, milliseconds; each further one is twice as long. */
  readonly baseMs: number;
  /** Longest pause, milliseconds. */
  readonly capMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whether trying again makes no sense. */
  readonly isFinal?: (error: unknown) => boolean;
  /** Hears which try failed (from 1) and how long the pause before the next one is. */
  readonly onRetry?: (failed: number, pauseMs: number) => void;
}

/** Calls `work` until it succeeds. Throws the error of the last try, or the first final one. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let call = 1; ; call += 1) {
    try {
      return await work();
    } catch (error) {
      if (call >= options.tries || options.isFinal?.(error) === true) throw error;
      const pause = Math.min(options.capMs, options.baseMs * 2 ** (call - 1));
      options.onRetry?.(call, pause);
      await options.sleep(pause);
    }
  }
}

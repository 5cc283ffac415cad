export interface RetryOptions {
  readonly tries: number;
  readonly baseMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Calls `work` until it succeeds. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  let pause = options.baseMs;
  for (let failed = 0; ; failed += 1) {
    try {
      return await work();
    } catch (error) {
      if (failed >= options.tries) throw error;
      await options.sleep(pause);
      pause *= 2;
    }
  }
}

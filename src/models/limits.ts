/** The clock over one call to a model. */
import { Retryable } from "../domain/errors.ts";

export interface Limits {
  /** Whole call, milliseconds. */
  readonly timeoutMs: number;
  /** Longest silence, milliseconds: no byte for so long means that nobody is there any more. */
  readonly idleTimeoutMs: number;
}

/**
 * Runs `work` under a signal that goes off when the caller aborts, the time is up, or `alive` was not called for too long.
 * Throws the caller's abort reason, or Retryable when a limit was reached, whatever `work` made of the abort.
 */
export async function withLimits<T>(
  limits: Limits,
  signal: AbortSignal,
  work: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let stopped: { readonly why: unknown } | undefined;
  const stop = (why: unknown): void => {
    stopped ??= { why };
    controller.abort(why);
  };
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const late = (what: string, ms: number): Retryable => new Retryable(`The model ${what} within ${ms / 1000} s`);
  const deadline = setTimeout(() => stop(late("did not finish its answer", limits.timeoutMs)), limits.timeoutMs);
  const idle = setTimeout(() => stop(late("sent nothing", limits.idleTimeoutMs)), limits.idleTimeoutMs);
  try {
    const result = await work(controller.signal, () => idle.refresh());
    // The SDK's streams end without a word when they are aborted.
    if (stopped !== undefined) throw stopped.why;
    return result;
  } catch (error) {
    // Whatever went wrong, nobody reads on: let go of the connection.
    controller.abort(error);
    throw stopped === undefined ? error : stopped.why;
  } finally {
    clearTimeout(deadline);
    clearTimeout(idle);
    signal.removeEventListener("abort", onAbort);
  }
}

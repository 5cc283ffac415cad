/** The Model port over any server with an OpenAI-compatible API: which model is asked, how often, and what it costs. */
import {
  DelegateBackoff,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  type IRetryBackoffContext,
  type RetryPolicy,
  retry,
} from "cockatiel";
import { Retryable } from "../domain/errors.ts";
import type { Model, ModelReply, ModelRequest } from "../domain/ports.ts";
import { withOwnIds } from "./calls.ts";
import { type ConnectionOptions, connect } from "./connection.ts";
import { costOf, estimateUsage, type Price } from "./prices.ts";

export interface ModelOptions extends ConnectionOptions {
  /** OPENAI_MODEL: the model for every role that has none of its own. */
  readonly model: string;
  /** By agent: its model, and those to ask in this order when it does not answer. */
  readonly roles?: Readonly<Record<string, { readonly model?: string; readonly fallbacks?: readonly string[] }>>;
  /** By model name. A model without price counts as free. */
  readonly prices: Readonly<Record<string, Price>>;
  /** Further tries per model for what may pass. Default 2. */
  readonly maxRetries?: number;
  /** First pause between tries, milliseconds, growing with jitter. Default 500. */
  readonly retryDelayMs?: number;
}

/** A longer pause is not slept away while holding a worker: the run waits for it on the queue. */
const maxPauseMs = 30_000;

/**
 * A model. `complete` throws Retryable when all tries and fallbacks failed for reasons that may pass, Permanent when the
 * server refused for good (the message names the setting to mend), and the signal's reason when it was aborted.
 * An empty answer (no text, no calls, `stop`) is an answer: it was paid for, and the agent decides what to make of it.
 * Throws UserError when the base URL is none.
 */
export function createModel(options: ModelOptions): Model {
  const { log, roles = {} } = options;
  const ask = connect(options);
  const policy = retryPolicy(options);
  const unpriced = new Set<string>();

  function priceOf(model: string): Price {
    const price = options.prices[model];
    if (price === undefined && !unpriced.has(model)) {
      unpriced.add(model);
      log.warn("model has no price in the configuration, its cost counts as 0", { model });
    }
    return price ?? { inputPerMillion: 0, outputPerMillion: 0 };
  }

  async function completeWith(model: string, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const raw = await orAborted(
      policy.execute(() => ask(model, request, signal), signal),
      signal,
    );
    const written = raw.text + raw.calls.map((call) => call.name + call.arguments).join("");
    const usage = raw.usage ?? estimateUsage(request, written);
    return {
      text: raw.text,
      toolCalls: withOwnIds(raw.calls, request.messages),
      finish: raw.finish,
      usage,
      costUsd: costOf(usage, priceOf(model)),
      model: raw.model ?? model,
    };
  }

  return {
    async complete(request, signal) {
      const role = roles[request.role];
      const names = [...new Set([role?.model ?? options.model, ...(role?.fallbacks ?? [])])];
      const failures: Retryable[] = [];
      for (const model of names) {
        signal.throwIfAborted();
        try {
          return await completeWith(model, request, signal);
        } catch (error) {
          if (signal.aborted || !(error instanceof Retryable)) throw error;
          log.warn("model did not answer", { role: request.role, model, error });
          failures.push(error);
        }
      }
      throw outOfModels(failures);
    },
  };
}

/** Tries again what may pass: exponential pauses with jitter, and never before the server wants it. */
function retryPolicy({ maxRetries = 2, retryDelayMs = 500, log }: ModelOptions): RetryPolicy {
  const worthIt = (error: unknown): boolean => error instanceof Retryable && (error.afterMs ?? 0) <= maxPauseMs;
  const jitter = new ExponentialBackoff({ initialDelay: retryDelayMs, maxDelay: maxPauseMs });
  const backoff = new DelegateBackoff<IRetryBackoffContext<unknown>, IBackoff<unknown>>(({ result }, state) => {
    const next = state === undefined ? jitter.next() : state.next(undefined);
    const asked = "error" in result && result.error instanceof Retryable ? (result.error.afterMs ?? 0) : 0;
    return { delay: Math.max(asked, next.duration), state: next };
  });
  const policy = retry(handleWhen(worthIt), { maxAttempts: maxRetries, backoff });
  policy.onRetry((event) => {
    const error = "error" in event ? event.error : undefined;
    log.info("model call is tried again", { attempt: event.attempt, delayMs: Math.round(event.delay), error });
  });
  return policy;
}

/** Settles at once when the signal goes off; a pause between tries would sleep on. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stop = Promise.withResolvers<never>();
  const onAbort = (): void => stop.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, stop.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** One error for all models that were asked: what each said, and the shortest pause that any of them wants. */
function outOfModels(failures: readonly Retryable[]): Retryable {
  const [only] = failures;
  if (only !== undefined && failures.length === 1) return only;
  const waits = failures.flatMap((failure) => (failure.afterMs === undefined ? [] : [failure.afterMs]));
  return new Retryable(`No model answered: ${failures.map((failure) => failure.message).join("; ")}`, {
    cause: only,
    ...(waits.length > 0 ? { afterMs: Math.min(...waits) } : {}),
  });
}

/**
 * The Model port over any server with an OpenAI-compatible API. The only room that knows the `openai` package, and it uses
 * little of it: building URLs, headers and errors, and decoding streams. Retries are ours, so that they are bounded in one place.
 */
import {
  DelegateBackoff,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  type IRetryBackoffContext,
  type RetryPolicy,
  retry,
} from "cockatiel";
import OpenAI, { APIError } from "openai";
import { Stream } from "openai/streaming";
import { Retryable } from "../domain/errors.ts";
import type { Model, ModelReply, ModelRequest } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { withOwnIds } from "./calls.ts";
import { type Capabilities, detectProvider, type Provider, providers, withoutRefused } from "./capabilities.ts";
import { chat } from "./chat.ts";
import { type Destination, failureIn, failureOf } from "./failures.ts";
import type { Format, RawReply } from "./format.ts";
import { withLimits } from "./limits.ts";
import { costOf, estimateUsage, type Price } from "./prices.ts";
import { responses } from "./responses.ts";

export interface ModelOptions {
  /** OPENAI_BASE_URL, with the path of the API: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Wire format: every server knows `chat`, some know `responses`. */
  readonly api: "chat" | "responses";
  /** The model for every role that has none of its own. */
  readonly model: string;
  /** By agent: its model, and those to ask in this order when it does not answer. */
  readonly roles?: Readonly<Record<string, { readonly model?: string; readonly fallbacks?: readonly string[] }>>;
  /** By model name. A model without price counts as free. */
  readonly prices: Readonly<Record<string, Price>>;
  /** Limit for one try, milliseconds. */
  readonly timeoutMs: number;
  /** Longest silence within a try, milliseconds. Default 180 000: reasoning models are silent for minutes. */
  readonly idleTimeoutMs?: number;
  /** Further tries per model for what may pass. Default 2. */
  readonly maxRetries?: number;
  /** First pause between tries, milliseconds, growing with jitter. Default 500. */
  readonly retryDelayMs?: number;
  /** Whether answers are streamed, which shows that the model is alive. Default true. */
  readonly stream?: boolean;
  /** Default: guessed from the base URL. */
  readonly provider?: Provider;
  /** Corrections to what the provider is known for. */
  readonly capabilities?: Partial<Capabilities>;
  readonly log: Log;
}

/** A longer pause is not slept away while holding a worker: the run waits for it on the queue. */
const maxPauseMs = 30_000;
/** No answer is that long; a server that does not stop must not fill the memory. */
const maxBodyBytes = 64 * 1024 * 1024;

const formats: Readonly<Record<ModelOptions["api"], Format>> = { chat, responses };

/**
 * A model. `complete` throws Retryable when all tries and fallbacks failed for reasons that may pass, Permanent when the
 * server refused for good (the message names the setting to mend), and the signal's reason when it was aborted.
 * An empty answer (no text, no calls, `stop`) is an answer: it was paid for, and the agent decides what to make of it.
 * Throws UserError when the base URL is none.
 */
export function createModel(options: ModelOptions): Model {
  const { log, roles = {}, timeoutMs } = options;
  const limits = { timeoutMs, idleTimeoutMs: options.idleTimeoutMs ?? 180_000 };
  const stream = options.stream ?? true;
  const format = formats[options.api];
  let capabilities: Capabilities = {
    ...providers[options.provider ?? detectProvider(options.baseUrl)],
    ...options.capabilities,
  };
  const host = new URL(options.baseUrl).host;
  const client = createClient(options);
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

  /** One request, one answer. A field that the server does not know is left out from then on. */
  async function ask(
    model: string,
    request: ModelRequest,
    signal: AbortSignal,
    seen: readonly string[] = [],
  ): Promise<RawReply> {
    const to = { model, host };
    const used = capabilities;
    try {
      return await withLimits(limits, signal, async (inner, alive) => {
        const response = await format.send({ client, request, model, stream, capabilities: used, signal: inner });
        alive();
        return read(format, watched(response, alive), client, to);
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const narrowed = refusedField(error, used);
      if (narrowed !== undefined && !seen.includes(narrowed.field)) {
        capabilities = narrowed.capabilities;
        log.warn("model server does not know a field, it is left out from now on", { host, field: narrowed.field });
        return ask(model, request, signal, [...seen, narrowed.field]);
      }
      throw failureOf(error, to);
    }
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

function createClient(options: ModelOptions): OpenAI {
  return new OpenAI({
    baseURL: options.baseUrl,
    // Ollama and vLLM want some key, even where they check none.
    apiKey: options.apiKey === "" ? "none" : options.apiKey,
    // Explicit, because the SDK would look into the environment behind the configuration's back.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: options.timeoutMs,
    // It would write to the console.
    logLevel: "off",
  });
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

/** The body, with every byte taken as a sign of life: servers send comments to keep a silent stream open. */
function watched(response: Response, alive: () => void): Response {
  let bytes = 0;
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      alive();
      bytes += chunk.byteLength;
      if (bytes > maxBodyBytes) throw new Retryable("The model server does not stop sending");
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(watch) ?? null, { headers: response.headers });
}

/** Reads an answer by its content type, not by what was asked for: some servers do not stream, some proxies answer in HTML. */
async function read(format: Format, response: Response, client: OpenAI, to: Destination): Promise<RawReply> {
  if (/^text\/event-stream\b/.test(response.headers.get("content-type") ?? "")) {
    return format.readStream(Stream.fromSSEResponse<unknown>(response, new AbortController(), client));
  }
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new Retryable(
      `${to.host} sent something that is not JSON; does OPENAI_BASE_URL end in the path of its API?`,
      { cause: error },
    );
  }
  const failure = failureIn(body, to);
  if (failure !== undefined) throw failure;
  return format.readWhole(body);
}

function refusedField(error: unknown, used: Capabilities): ReturnType<typeof withoutRefused> {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return undefined;
  return withoutRefused(used, `${error.message} ${JSON.stringify(error.error ?? "")}`);
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

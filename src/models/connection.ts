/**
 * One request, one answer: the line to a model server, without retries. Uses little of the `openai` package: its URLs, headers
 * and errors, and its decoder of streams.
 */
import OpenAI, { APIError } from "openai";
import { Stream } from "openai/streaming";
import { Retryable } from "../domain/errors.ts";
import type { ModelRequest } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { type Capabilities, detectProvider, type Provider, providers, withoutRefused } from "./capabilities.ts";
import { chat } from "./chat.ts";
import { type Destination, failureIn, failureOf } from "./failures.ts";
import type { Format, RawReply } from "./format.ts";
import { withLimits } from "./limits.ts";
import { responses } from "./responses.ts";

export interface ConnectionOptions {
  /** OPENAI_BASE_URL, with the path of the API: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Wire format: every server knows `chat`, some know `responses`. */
  readonly api: "chat" | "responses";
  /** Limit for one try, milliseconds. */
  readonly timeoutMs: number;
  /**
   * Longest silence within a try, milliseconds. Default: 180 000 (reasoning models are silent for minutes), or no other limit
   * than `timeoutMs` when answers are not streamed.
   */
  readonly idleTimeoutMs?: number;
  /** Whether answers are streamed, which shows that the model is alive. Default true. */
  readonly stream?: boolean;
  /** Default: guessed from the base URL. */
  readonly provider?: Provider;
  /** Corrections to what the provider is known for. */
  readonly capabilities?: Partial<Capabilities>;
  readonly log: Log;
}

/** Sends one request. Throws Retryable, Permanent, or the signal's reason. */
export type Ask = (model: string, request: ModelRequest, signal: AbortSignal) => Promise<RawReply>;

const formats: Readonly<Record<ConnectionOptions["api"], Format>> = { chat, responses };

/** No answer is that long; a server that does not stop must not fill the memory. */
const maxBodyBytes = 64 * 1024 * 1024;

/** Opens a connection; nothing is sent yet. Throws UserError when the base URL is none. */
export function connect(options: ConnectionOptions): Ask {
  const { log, timeoutMs, stream = true, idleTimeoutMs = stream ? 180_000 : timeoutMs } = options;
  const format = formats[options.api];
  let capabilities: Capabilities = {
    ...providers[options.provider ?? detectProvider(options.baseUrl)],
    ...options.capabilities,
  };
  const { host } = new URL(options.baseUrl);
  const client = createClient(options);

  /** A field that the server does not know is left out from then on. `refused` are those of this request. */
  async function ask(
    model: string,
    request: ModelRequest,
    signal: AbortSignal,
    refused: readonly string[],
  ): Promise<RawReply> {
    const to = { model, host };
    const used = capabilities;
    try {
      return await withLimits({ timeoutMs, idleTimeoutMs }, signal, async (inner, alive) => {
        const response = await format.send({ client, request, model, stream, capabilities: used, signal: inner });
        alive();
        return read(format, watched(response, alive), client, to);
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const narrowed = refusedField(error, used);
      if (narrowed === undefined || refused.includes(narrowed.field)) throw failureOf(error, to);
      capabilities = narrowed.capabilities;
      log.warn("model server does not know a field, it is left out from now on", { host, field: narrowed.field });
      return ask(model, request, signal, [...refused, narrowed.field]);
    }
  }
  return (model, request, signal) => ask(model, request, signal, []);
}

function createClient(options: ConnectionOptions): OpenAI {
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

/** Turns everything that can go wrong on the way to a model into Retryable or Permanent, with words for whoever has to mend it. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { z } from "zod";
import { Permanent, Retryable } from "../domain/errors.ts";
import { redact } from "../platform/redact.ts";

/** Where a call went, for the messages. */
export interface Destination {
  readonly model: string;
  /** Host of OPENAI_BASE_URL; never the whole URL, which may hold a password. */
  readonly host: string;
}

const maxQuote = 300;

/** A server's words, fit for a message: one line, short, without secrets. */
function quote(text: string): string {
  const line = redact(text).replace(/\s+/g, " ").trim();
  return line.length > maxQuote ? `${line.slice(0, maxQuote)}…` : line;
}

/**
 * Milliseconds that the server asked to wait: `retry-after-ms`, else `retry-after` in seconds or as a date.
 * The first one is OpenAI's own (openai-node, `retryRequest`).
 */
export function retryAfterOf(headers: Headers | undefined, now = Date.now()): number | undefined {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const after = headers?.get("retry-after") ?? "";
  const seconds = /^\s*[\d.]+\s*$/.test(after) ? Number.parseFloat(after) * 1000 : Date.parse(after) - now;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** What a person should look at, by status. */
function advice(status: number, code: string, text: string, { model, host }: Destination): string {
  if (/context_length|context length|context window|too long/i.test(`${code} ${text}`)) {
    return `The conversation is too long for ${model}. Set OPENAI_MODEL to a model with a larger context.`;
  }
  if (status === 401) return `${host} does not accept the key. Check OPENAI_API_KEY.`;
  if (status === 402 || code === "insufficient_quota")
    return `The account behind OPENAI_API_KEY is out of credit at ${host}.`;
  if (status === 403) return `The key may not use ${model} at ${host}. Check OPENAI_API_KEY and OPENAI_MODEL.`;
  if (status === 404) {
    return `${host} knows no ${model}, or this is not the address of its API. Check OPENAI_MODEL, and whether OPENAI_BASE_URL should end in /v1.`;
  }
  return `${host} refused the request for ${model}. Check that OPENAI_BASE_URL and OPENAI_MODEL belong together and the model can call tools.`;
}

function isTransient(status: number, code: string, shouldRetry: string | null): boolean {
  // OpenAI's header overrules the status (openai-node, `shouldRetry`).
  if (shouldRetry === "true") return true;
  if (shouldRetry === "false") return false;
  // A used-up quota is a 429 too, but no waiting brings it back.
  if (code === "insufficient_quota") return false;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

function ofStatus(error: APIError<number, Headers>, to: Destination): Retryable | Permanent {
  const { status, headers } = error;
  const code = String(error.code ?? "");
  const text = quote(error.message);
  if (isTransient(status, code, headers.get("x-should-retry"))) {
    const afterMs = retryAfterOf(headers);
    const message = `${to.host} could not answer for ${to.model} (${text})`;
    return new Retryable(message, { cause: error, ...(afterMs === undefined ? {} : { afterMs }) });
  }
  return new Permanent(`${advice(status, code, text, to)} It said: ${text}`, { status, cause: error });
}

/** Codes and messages of the network, along the causes: `fetch failed` alone helps nobody. */
function reasons(error: Error): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 4; at = at.cause) {
    const code = "code" in at && typeof at.code === "string" ? ` (${at.code})` : "";
    parts.push(`${at.message}${code}`);
  }
  return quote(parts.join(": "));
}

/** undici reports a connection that breaks in the middle of a body as this. */
function isBrokenBody(error: unknown): error is TypeError {
  return error instanceof TypeError && (error.message === "terminated" || error.message === "fetch failed");
}

/**
 * The failure behind an error of the SDK or of the connection. Anything else is a bug of ours and comes back as it is.
 * What the caller aborted must be sorted out before.
 */
export function failureOf(error: unknown, to: Destination): unknown {
  if (error instanceof APIConnectionTimeoutError) {
    return new Retryable(`${to.host} did not begin to answer for ${to.model} in time`, { cause: error });
  }
  if (error instanceof APIConnectionError || isBrokenBody(error)) {
    return new Retryable(`The connection to ${to.host} failed (${reasons(error)}); is OPENAI_BASE_URL right?`, {
      cause: error,
    });
  }
  if (error instanceof APIError) {
    if (typeof error.status === "number") return ofStatus(error as APIError<number, Headers>, to);
    return (
      failureIn({ error: error.error ?? error.message }, to) ?? new Retryable(quote(error.message), { cause: error })
    );
  }
  // The SDK's reader: an event of a stream that is not JSON.
  if (error instanceof SyntaxError) {
    return new Retryable(`${to.host} sent something that is not JSON (${quote(error.message)})`, { cause: error });
  }
  return error;
}

const ErrorBody = z.union([
  z.object({ error: z.union([z.string(), z.record(z.string(), z.unknown())]) }),
  // vLLM before 0.10
  z.looseObject({ object: z.literal("error"), message: z.string() }),
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The failure that a body with status 200 holds, as OpenRouter and proxies send it; undefined when it holds none. */
export function failureIn(body: unknown, to: Destination): Retryable | Permanent | undefined {
  const found = ErrorBody.safeParse(body);
  if (!found.success) return undefined;
  const inner: unknown = "error" in found.data ? found.data.error : found.data;
  const details = isRecord(inner) ? inner : { message: inner };
  const text = quote(typeof details.message === "string" ? details.message : JSON.stringify(details));
  const code = details.code ?? details.type ?? "";
  const status = Number(code);
  if ([400, 401, 402, 403, 404, 422].includes(status) || code === "insufficient_quota") {
    const said = Number.isNaN(status) ? {} : { status };
    return new Permanent(`${advice(status, String(code), text, to)} It said: ${text}`, said);
  }
  return new Retryable(`${to.host} answered for ${to.model} with an error: ${text}`);
}

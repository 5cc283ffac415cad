/**
 * How we talk HTTP to GitLab. Gitbeaker's own handler repeats POST after a 502 and waits fractions of a millisecond after a 429
 * (github.com/jdalrymple/gitbeaker/issues/3805), so it is replaced: one attempt per call, whether to try again is the caller's decision.
 */
import { createRequesterFn, type FormattedResponse, type RequestOptions } from "@gitbeaker/requester-utils";
import { Permanent, Retryable } from "../../domain/errors.ts";
import { passFence } from "../../platform/fence.ts";
import type { Log } from "../../platform/log.ts";
import { redact } from "../../platform/redact.ts";

/** Longest part of GitLab's own words that is put into an error. */
const MESSAGE_LIMIT = 500;

/** Gitbeaker keeps our errors as they are; this is the type its constructors want as `requesterFn`. */
export type GitLabRequester = ReturnType<typeof createRequesterFn>;

/**
 * A requester for gitbeaker's resources. Throws Retryable for 429 (with `afterMs` when GitLab says how long), 408, 5xx, timeouts and network
 * failures, Permanent for every other answer that is not 2xx. Messages hold GitLab's own words, never what we sent.
 * `timeoutMs` covers the whole exchange, the body included.
 */
export function createRequester(options: { timeoutMs: number; log: Log }): GitLabRequester {
  return createRequesterFn(
    (_resource, request) => Promise.resolve(request),
    // Typed loosely by gitbeaker: what arrives is the RequestOptions that the first function returned.
    (endpoint, request) => exchange(endpoint, request as RequestOptions, options),
  );
}

async function exchange(
  endpoint: string,
  request: RequestOptions,
  { timeoutMs, log }: { timeoutMs: number; log: Log },
): Promise<FormattedResponse> {
  const method = request.method ?? "GET";
  // Some of gitbeaker's resources carry a part of the path in the prefix, and no slash behind it.
  const url = new URL(endpoint, `${request.prefixUrl ?? ""}/`.replace(/\/+$/, "/"));
  url.search = request.searchParams ?? "";
  const call = `${method} ${endpoint}`;
  await passFence();
  const startedAt = Date.now();
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text = "";
  // Whoever asks for the stream reads it, with `readHead` or `readTail`.
  const streams = (answer: Response): boolean => request.asStream === true && answer.ok;
  try {
    response = await fetch(url, {
      method,
      headers: request.headers ?? {},
      body: request.body ?? null,
      signal: request.signal === undefined ? signal : AbortSignal.any([request.signal, signal]),
      // PRIVATE-TOKEN would travel along to wherever a redirect points, and a redirected POST becomes a GET.
      redirect: "manual",
    });
    if (!streams(response)) text = await response.text();
  } catch (error) {
    throw unreachable(call, error, timeoutMs);
  }
  log.debug("GitLab answered", { method, endpoint, status: response.status, ms: Date.now() - startedAt });
  if (!response.ok) throw refusal(call, response, text);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers.entries()),
    body: streams(response) ? streamOf(call, response) : parse(call, response, text),
  };
}

function streamOf(call: string, response: Response): ReadableStream {
  if (/\bhtml\b/.test(response.headers.get("content-type") ?? "")) throw greeting(call);
  return response.body ?? new Blob([]).stream();
}

/** The beginning of a streamed answer, at most so many bytes. Retryable when it breaks off. */
export async function readHead(stream: unknown, maxBytes: number): Promise<{ text: string; cut: boolean }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of partsOf(stream)) {
    parts.push(part.subarray(0, maxBytes - bytes));
    bytes += part.length;
    if (bytes > maxBytes) return { text: Buffer.concat(parts).toString("utf8"), cut: true };
  }
  return { text: Buffer.concat(parts).toString("utf8"), cut: false };
}

/** The end of a streamed answer, at most so many bytes, with no more than twice that in memory. Retryable when it breaks off. */
export async function readTail(stream: unknown, maxBytes: number): Promise<{ text: string; cut: boolean }> {
  let kept: Uint8Array[] = [];
  let bytes = 0;
  let cut = false;
  const last = (): Buffer => Buffer.concat(kept).subarray(-maxBytes);
  for await (const part of partsOf(stream)) {
    kept.push(part);
    bytes += part.length;
    if (bytes <= 2 * maxBytes) continue;
    kept = [last()];
    bytes = maxBytes;
    cut = true;
  }
  return { text: last().toString("utf8"), cut: cut || bytes > maxBytes };
}

async function* partsOf(stream: unknown): AsyncGenerator<Uint8Array> {
  if (!(stream instanceof ReadableStream)) throw new Error("not a streamed answer");
  try {
    for await (const part of stream as ReadableStream<Uint8Array>) yield part;
  } catch (error) {
    throw new Retryable("GitLab's answer broke off", { cause: error });
  }
}

function parse(call: string, response: Response, text: string): FormattedResponse["body"] {
  if (response.status === 204 || text === "") return null;
  if (!/\bjson\b/.test(response.headers.get("content-type") ?? "")) {
    // A sign-in page or a proxy's greeting with status 200 must not pass for an answer.
    if (/^\s*<(?:!doctype|html)/i.test(text)) throw greeting(call);
    return text;
  }
  try {
    return JSON.parse(text) as FormattedResponse["body"];
  } catch (error) {
    throw new Retryable(`${call}: the JSON from GitLab is broken`, { cause: error });
  }
}

function greeting(call: string): Retryable {
  return new Retryable(`${call}: a web page came back instead of JSON; is the base URL that of GitLab?`);
}

function unreachable(call: string, error: unknown, timeoutMs: number): Retryable {
  if (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError")) {
    return new Retryable(`${call}: no answer from GitLab within ${timeoutMs} ms`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const text = redact(cause instanceof Error ? cause.message : String(cause));
  return new Retryable(
    `${call}: GitLab could not be reached (${[code, text].filter((part) => part !== "").join(": ")})`,
  );
}

function refusal(call: string, response: Response, text: string): Retryable | Permanent {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    return new Permanent(
      `${call}: GitLab redirects elsewhere (${status}); was the project moved, or is the base URL wrong?`,
      { status },
    );
  }
  const message = `${call}: GitLab answered ${status}: ${ownWords(text) || "(no reason given)"}`;
  if (status === 429 || status === 408 || status >= 500) {
    const afterMs = waitMs(headers, Date.now());
    return new Retryable(message, afterMs === undefined ? {} : { afterMs });
  }
  return new Permanent(message, { status });
}

/** What GitLab says about an error: `message` (text, list or object of lists), or `error` with `error_description`; else the text itself. */
export function ownWords(text: string): string {
  let said: unknown = text;
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) {
      const { message, error, error_description: detail } = body as Record<string, unknown>;
      said = message ?? (typeof detail === "string" ? `${String(error)}: ${detail}` : (error ?? text));
    }
  } catch {
    // Not JSON: a 429 is plain text, a proxy's 502 a page. Its words without the tags will do.
    said = text.replace(/<[^>]*>/g, " ");
  }
  return redact(flatten(said)).replace(/\s+/g, " ").trim().slice(0, MESSAGE_LIMIT);
}

function flatten(said: unknown): string {
  if (Array.isArray(said)) return said.map(flatten).join("; ");
  if (typeof said === "object" && said !== null) {
    return Object.entries(said)
      .map(([field, words]) => (field === "base" ? flatten(words) : `${field} ${flatten(words)}`))
      .join("; ");
  }
  return String(said);
}

/**
 * Milliseconds to wait: `Retry-After` in seconds or as a date, else `RateLimit-Reset` (unix seconds). Undefined when neither is there:
 * administrators may switch the headers off.
 */
export function waitMs(headers: Headers, now: number): number | undefined {
  const retryAfter = headers.get("retry-after")?.trim();
  if (retryAfter !== undefined && retryAfter !== "") {
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
    const at = Date.parse(retryAfter);
    if (!Number.isNaN(at)) return Math.max(0, at - now);
  }
  const reset = headers.get("ratelimit-reset")?.trim();
  if (reset !== undefined && /^\d+$/.test(reset)) return Math.max(0, Number(reset) * 1000 - now);
  return undefined;
}

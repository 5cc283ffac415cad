/** One call of jira.js: bounded in time, and every failure as one of our kinds. */
import {
  isApiError,
  isNetworkError,
  isRateLimitError,
  isSchemaMismatchError,
  isScopeError,
  type SchemaMismatchReport,
} from "jira.js";
import type { z } from "zod";
import { messageOf, Permanent, Retryable } from "../../domain/errors.ts";
import { passFence } from "../../platform/fence.ts";
import type { Log } from "../../platform/log.ts";
import { redact } from "../../platform/redact.ts";

/** Statuses below 500 that a later attempt can get past: timeout, edit conflict, locked, too early, rate limit. */
const passing = new Set([408, 409, 423, 425, 429]);

/** Jira says what is wrong in `errorMessages` and per field in `errors`; gateways send other shapes or HTML. */
function wordsOf(body: unknown): string {
  if (typeof body === "string") return body.trimStart().startsWith("<") ? "" : body;
  if (typeof body !== "object" || body === null) return "";
  const { errorMessages, errors, message } = body as Record<string, unknown>;
  const general = Array.isArray(errorMessages) ? errorMessages.map(String) : [];
  const fields =
    typeof errors === "object" && errors !== null
      ? Object.entries(errors).map(([field, words]) => `${field}: ${String(words)}`)
      : [];
  return [...general, ...fields, ...(typeof message === "string" ? [message] : [])].join("; ");
}

function hint(status: number): string {
  if (status === 401)
    return " (expired or revoked token? scoped tokens work only on https://api.atlassian.com/ex/jira/<cloudId>)";
  if (status === 403) return " (the bot's account lacks a permission)";
  if (status === 404) return " (it does not exist, or the bot's account may not see it)";
  return "";
}

function failed(what: string, error: unknown): Error {
  if (isApiError(error)) {
    const words = redact(wordsOf(error.body)).slice(0, 500);
    const message = `Jira answered ${error.status} to: ${what}${words === "" ? "" : ` – ${words}`}`;
    // jira.js 6.2 keeps Retry-After for 429 only and drops RateLimit-Reason and the headers of a 503.
    const afterMs = isRateLimitError(error) ? error.retryAfterMs : undefined;
    if (error.status >= 500 || passing.has(error.status)) {
      return new Retryable(message, { ...(afterMs === undefined ? {} : { afterMs }), cause: error });
    }
    const { status } = error;
    const why = isScopeError(error) ? " (the token lacks a scope)" : hint(status);
    return new Permanent(message + why, { status, cause: error });
  }
  // A 2xx that is no JSON, typically a proxy's page: for a write this means that nobody knows whether it happened.
  if (isSchemaMismatchError(error)) {
    return new Retryable(`Jira's answer is not JSON: ${what}`, { cause: error });
  }
  // A connection that breaks inside the body surfaces as a bare TypeError of fetch, with the reason as its cause.
  if (isNetworkError(error) || (error instanceof TypeError && error.message === "terminated")) {
    return new Retryable(`Jira is not reachable: ${what} – ${redact(messageOf(error))}`, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Runs one request and reads its answer with our own schema. */
export type Call = <T>(what: string, schema: z.ZodType<T>, request: () => Promise<unknown>) => Promise<T>;

/**
 * Makes the wrapper that every request goes through. `what` is a short phrase for people, e.g. `comment on SHOP-1`.
 * Throws Retryable for time-outs, broken connections, 5xx, 408/409/423/425/429 (with `afterMs` when Jira said so) and answers
 * that we cannot read, Permanent with status for every other refusal. Never retries.
 * A write that ended in Retryable may have happened: look before calling again.
 */
export function createCall(timeoutMs: number): Call {
  return async (what, schema, request) => {
    await passFence();
    let timer: NodeJS.Timeout | undefined;
    // jira.js 6.2 has neither a timeout nor an AbortSignal: the request may go on in the background and is only no longer waited for.
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Retryable(`Jira did not answer within ${timeoutMs} ms: ${what}`)), timeoutMs);
    });
    let answer: unknown;
    try {
      answer = await Promise.race([request(), late]);
    } catch (error) {
      throw error instanceof Retryable ? error : failed(what, error);
    } finally {
      clearTimeout(timer);
    }
    const read = schema.safeParse(answer);
    if (read.success) return read.data;
    const where = read.error.issues.map((issue) => issue.path.join(".") || "(root)").join(", ");
    throw new Retryable(`Jira's answer lacks what we need (${where}): ${what}`, { cause: read.error });
  };
}

/** Takes jira.js' notes about answers that its own schemas do not describe; each kind of note is logged once. */
export function createDriftLog(log: Log): (report: SchemaMismatchReport) => void {
  const seen = new Set<string>();
  return (report) => {
    const endpoint = report.endpoint.replace(/[A-Z][A-Z0-9_]*-\d+|\d+/g, "*");
    const fresh = report.issues.filter((issue) => {
      const kind = `${endpoint} ${issue.path.replace(/\d+/g, "*")} ${issue.expected}`;
      if (seen.has(kind)) return false;
      seen.add(kind);
      return true;
    });
    if (fresh.length > 0)
      log.warn("Jira answered in a shape that jira.js does not describe", { endpoint, issues: fresh });
  };
}

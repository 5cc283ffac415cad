/** One call to Confluence: the library's client with a time limit, its errors as ours. */
import {
  type Client,
  createClient,
  isApiError,
  isNetworkError,
  isRateLimitError,
  isSchemaMismatchError,
  type SendRequestOptions,
} from "confluence.js/core";
import { z } from "zod";
import { messageOf, Permanent, Retryable, UserError } from "../../domain/errors.ts";
import { passFence } from "../../platform/fence.ts";

export interface CloudOptions {
  /** The site, with or without `/wiki`; may carry a path, as `https://api.atlassian.com/ex/confluence/<cloudId>` does. */
  readonly baseUrl: string;
  readonly email: string;
  readonly apiToken: string;
  /** Milliseconds that one call may take; 20,000 unless told. */
  readonly timeoutMs?: number;
}

/** Everything Confluence says about a refusal, in either version's shape, on one line. */
function wordsOf(body: unknown): string {
  const v2 = z.object({ errors: z.array(z.object({ title: z.string() })).min(1) }).safeParse(body);
  if (v2.success) return v2.data.errors.map(({ title }) => title).join("; ");
  const v1 = z.object({ message: z.string() }).safeParse(body);
  return v1.success ? v1.data.message : "";
}

/** An error of the library as one of ours. `doing` completes "Confluence … while we tried to". */
function ourError(error: unknown, doing: string): Error {
  if (error instanceof Retryable || error instanceof Permanent) return error;
  if (isRateLimitError(error)) {
    const afterMs = error.retryAfterMs;
    return new Retryable(`Confluence asks for a pause while we tried to ${doing}`, {
      ...(afterMs !== undefined && { afterMs }),
    });
  }
  if (isApiError(error)) {
    const { status } = error;
    const words = wordsOf(error.body);
    const detail = words === "" ? `HTTP ${status}` : `HTTP ${status}: ${words.slice(0, 500)}`;
    if (status >= 500 || status === 408)
      return new Retryable(`Confluence failed while we tried to ${doing} (${detail})`);
    const hint = status === 401 ? ". Check CONFLUENCE_EMAIL and CONFLUENCE_API_TOKEN" : "";
    return new Permanent(`Confluence refused to let us ${doing} (${detail})${hint}`, { status });
  }
  if (isNetworkError(error))
    return new Retryable(`Confluence could not be reached to ${doing}: ${messageOf(error)}`, { cause: error });
  if (isSchemaMismatchError(error) || error instanceof z.ZodError) return new Unreadable(doing, error);
  return error instanceof Error ? error : new Error(String(error));
}

/** The call went through, but its answer says nothing we can use: whatever was asked for may have happened. */
export class Unreadable extends Retryable {
  constructor(doing: string, cause: unknown) {
    super(`Confluence gave an answer that we cannot read when we tried to ${doing}`, { cause });
  }
}

function connect(options: CloudOptions): { client: Client; site: string } {
  const site = options.baseUrl.replace(/\/+$/, "").replace(/\/wiki$/, "");
  try {
    const auth = { type: "basic", email: options.email, apiToken: options.apiToken } as const;
    return { client: createClient({ host: site, auth }), site };
  } catch (error) {
    // The library checks its settings with zod; which of ours is meant is all that helps.
    if (error instanceof z.ZodError) {
      const paths = error.issues.map((issue) => issue.path.join(".")).join(" ");
      const name = paths.includes("host") ? "CONFLUENCE_BASE_URL" : "CONFLUENCE_EMAIL or CONFLUENCE_API_TOKEN";
      throw new UserError(`${name} is not usable: an address, an e-mail address and a token are needed.`);
    }
    throw error;
  }
}

export interface Transport {
  /** To be handed to the library's functions. */
  readonly client: Client;
  /** Address of the site, without `/wiki` and without a slash at the end. */
  readonly site: string;
  /**
   * Waits for one call and checks its answer. `doing` names it in error messages ("create the page …").
   * Throws Retryable (429 with the pause asked for, 5xx, network, time limit, unreadable answer) or Permanent (any other refusal).
   */
  call<T>(doing: string, schema: z.ZodType<T>, send: () => Promise<unknown>): Promise<T>;
}

/** Opens no connection yet. Throws UserError when the settings cannot work. */
export function createTransport(options: CloudOptions): Transport {
  const { client: inner, site } = connect(options);
  const timeoutMs = options.timeoutMs ?? 20_000;
  // The library checks every 2xx answer against its own schema and throws, so that a page that was created looks like a failure:
  // drop its schema and check the few fields we need.
  const client: Client = {
    sendRequest: <T>({ schema: _, ...request }: SendRequestOptions<T>) =>
      inner.sendRequest<T>(request as SendRequestOptions<T>),
  };

  /** The library knows no time limit and no abort: stop waiting, and let the next attempt find out what happened. */
  async function call<T>(doing: string, schema: z.ZodType<T>, send: () => Promise<unknown>): Promise<T> {
    await passFence();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Retryable(`Confluence did not answer within ${timeoutMs} ms when we tried to ${doing}`)),
        timeoutMs,
      );
    });
    try {
      return schema.parse(await Promise.race([send(), late]));
    } catch (error) {
      throw ourError(error, doing);
    } finally {
      clearTimeout(timer);
    }
  }

  return { client, site, call };
}

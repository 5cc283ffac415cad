/**
 * What every stand-in is made of: an HTTP server on loopback with a literal route table and a log of all requests.
 * A call that no route knows is answered 404 *and* remembered in `unknown`: tests fail on it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StandInRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: Buffer;
  /** Parsed JSON body; undefined when there is none or it is not JSON. */
  readonly body: unknown;
  /** Named parts of the route's pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export interface StandInReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON, strings and bytes as they are (set content-type), undefined as an empty body. */
  readonly body?: unknown;
}

/** A handler answers, or takes over the response itself (git, streams) and returns "taken". */
export type Handler = (
  request: StandInRequest,
  response: ServerResponse,
) => StandInReply | "taken" | Promise<StandInReply | "taken">;

/** `["GET", "/rest/api/3/issue/:key", handler]`; `:name` matches one segment (percent-decoded), `*name` the rest of the path. */
export type Route = readonly [method: string, pattern: string, handler: Handler];

export interface LoggedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly status: number;
}

/**
 * A fault for one request: answer instead of the service, before it processed the request or after it did
 * (the effect has happened, the answer is lost).
 */
export type Fault =
  | { readonly when: "before" | "after"; readonly answer: StandInReply }
  | { readonly when: "before" | "after"; readonly reset: true }
  /** No answer ever comes; the connection stays open. */
  | { readonly when: "before" | "after"; readonly silent: true }
  | { readonly delayMs: number }
  /** The request lies there until this settles and is processed then, whatever became of the one who sent it. */
  | { readonly until: Promise<unknown> }
  /** Called once the whole answer has been handed to the network. */
  | { readonly answered: () => void };

export interface StandIn {
  /** e.g. `http://127.0.0.1:40123` */
  readonly url: string;
  readonly requests: LoggedRequest[];
  /** `METHOD /path` of every call that no route knew. */
  readonly unknown: string[];
  /** Asked for every request; return a fault to make it fail. */
  fault: (request: StandInRequest) => Fault | undefined;
  close(): Promise<void>;
}

function compile(pattern: string): RegExp {
  const source = pattern
    .split("/")
    .map((part) =>
      part.startsWith(":")
        ? `(?<${part.slice(1)}>[^/]+)`
        : part.startsWith("*")
          ? `(?<${part.slice(1)}>.*)`
          : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("/");
  return new RegExp(`^${source}$`);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parseJson(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString("utf8"));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, reply: StandInReply): void {
  const { body } = reply;
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const type: Record<string, string> = body === undefined || isRaw ? {} : { "content-type": "application/json" };
  response.writeHead(reply.status, { ...type, ...reply.headers });
  response.end(body === undefined ? "" : isRaw ? body : JSON.stringify(body));
}

/** Starts a stand-in on a free loopback port (or the given one). Routes are tried in order; the first match wins. */
export async function startStandIn(routes: readonly Route[], options: { port?: number } = {}): Promise<StandIn> {
  const table = routes.map(([method, pattern, handler]) => ({ method, regexp: compile(pattern), handler }));
  const requests: LoggedRequest[] = [];
  const unknown: string[] = [];

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? "/", "http://stand-in");
    const method = incoming.method ?? "GET";
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([k, v]) => [k, String(v)]));
    const raw = await readBody(incoming);
    const match = table
      .filter((route) => route.method === method)
      .map((route) => ({ route, found: route.regexp.exec(url.pathname) }))
      .find(({ found }) => found !== null);
    const params = Object.fromEntries(
      Object.entries(match?.found?.groups ?? {}).map(([k, v]) => [k, decodeURIComponent(v ?? "")]),
    );
    const request: StandInRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      raw,
      body: parseJson(raw),
      params,
    };
    const log = (status: number): void => {
      requests.push({
        at: Date.now(),
        method,
        path: url.pathname,
        query: url.search,
        headers,
        body: request.body ?? (raw.length > 0 && raw.length < 10_000 ? raw.toString("utf8") : undefined),
        status,
      });
    };
    const fault = standIn.fault(request);
    if (fault !== undefined && "delayMs" in fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault !== undefined && "until" in fault) await fault.until;
    if (fault !== undefined && "answered" in fault) response.once("finish", fault.answered);
    const strike = (): void => {
      if (fault === undefined || !("when" in fault)) return;
      log("answer" in fault ? fault.answer.status : 0);
      if ("answer" in fault) send(response, fault.answer);
      else if ("reset" in fault) incoming.socket.destroy();
    };
    if (fault !== undefined && "when" in fault && fault.when === "before") return strike();
    if (match === undefined) {
      unknown.push(`${method} ${url.pathname}`);
      log(404);
      return send(response, { status: 404, body: { error: `stand-in knows no ${method} ${url.pathname}` } });
    }
    const reply = await match.route.handler(request, response);
    if (fault !== undefined && "when" in fault && fault.when === "after") return strike();
    log(reply === "taken" ? response.statusCode : reply.status);
    if (reply !== "taken") send(response, reply);
  }

  const server: Server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      unknown.push(`${incoming.method} ${incoming.url} crashed the stand-in: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: { error: String(error) } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const standIn: StandIn = {
    url: `http://127.0.0.1:${port}`,
    requests,
    unknown,
    fault: () => undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return standIn;
}

/** Escapes text for the simple HTML pages of the stand-ins. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

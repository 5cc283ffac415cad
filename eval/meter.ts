/**
 * Counts what goes to the model server and comes back, per ticket. Node's fetch tells of every chunk of a body on diagnostics channels
 * (https://undici.nodejs.org/#/docs/api/DiagnosticsChannel), so nothing stands between the bot and its model, and retries count too.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

export interface Traffic {
  requests: number;
  /** Bytes of request bodies. */
  sent: number;
  /** Bytes of answers, as they came over the wire. */
  received: number;
  /** Bytes of the developer agent's first request. */
  firstDeveloperRequest: number | null;
}

export interface Meter {
  /** What belongs to a ticket so far. */
  of(ticket: string): Traffic;
  close(): void;
}

interface Exchange {
  traffic: Traffic | null;
  sent: number;
}

interface Message {
  readonly request: { readonly origin?: unknown; readonly path?: unknown };
  readonly chunk?: Uint8Array;
}

/** Starts counting requests to `baseUrl` in this process. A request belongs to the first of the `tickets` that it names. */
export function startMeter(baseUrl: string, tickets: readonly string[]): Meter {
  const { origin, pathname } = new URL(baseUrl);
  const empty = (): Traffic => ({ requests: 0, sent: 0, received: 0, firstDeveloperRequest: null });
  const traffic = new Map(tickets.map((ticket) => [ticket, empty()]));
  const exchanges = new WeakMap<object, Exchange>();

  const ownerOf = (text: string): Traffic | null => {
    const named = text.match(/\b[A-Z][A-Z0-9]+-\d+\b/g)?.find((key) => traffic.has(key));
    return named === undefined ? null : (traffic.get(named) ?? null);
  };
  const onCreate = (message: unknown): void => {
    const { request } = message as Message;
    const ours = String(request.origin) === origin && String(request.path).startsWith(pathname);
    if (ours) exchanges.set(request, { traffic: null, sent: 0 });
  };
  const onSent = (message: unknown): void => {
    const { request, chunk } = message as Message;
    const exchange = exchanges.get(request);
    if (exchange === undefined || chunk === undefined) return;
    exchange.sent += chunk.byteLength;
    if (exchange.traffic !== null) {
      exchange.traffic.sent += chunk.byteLength;
      return;
    }
    const text = Buffer.from(chunk).toString();
    exchange.traffic = ownerOf(text);
    if (exchange.traffic === null) return;
    exchange.traffic.requests += 1;
    exchange.traffic.sent += exchange.sent;
    if (/You are the developer\b/.test(text)) exchange.traffic.firstDeveloperRequest ??= exchange.sent;
  };
  const onReceived = (message: unknown): void => {
    const { request, chunk } = message as Message;
    const owner = exchanges.get(request)?.traffic;
    if (owner != null && chunk !== undefined) owner.received += chunk.byteLength;
  };
  const listeners = [
    ["undici:request:create", onCreate],
    ["undici:request:bodyChunkSent", onSent],
    ["undici:request:bodyChunkReceived", onReceived],
  ] as const;
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return {
    of: (ticket) => traffic.get(ticket) ?? empty(),
    close() {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener);
    },
  };
}

/**
 * Counts what goes to the model server and comes back, per ticket. Node's fetch tells of every chunk of a body on diagnostics channels
 * (https://undici.nodejs.org/#/docs/api/DiagnosticsChannel), so nothing stands between the bot and its model, and retries count too.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

export interface Traffic {
  /** Bytes of request bodies. */
  sent: number;
  /** Bytes of answers, as they came over the wire. */
  received: number;
  /** By agent: how often it asked, bytes of all its request bodies and of the first. */
  readonly agents: Record<string, { requests: number; sent: number; first: number }>;
}

export interface Meter {
  /** What belongs to a ticket so far. */
  of(ticket: string): Traffic;
  close(): void;
}

interface Exchange {
  traffic: Traffic | null;
  agent: Traffic["agents"][string] | null;
}

interface Message {
  readonly request: { readonly origin?: unknown; readonly path?: unknown };
  readonly chunk?: Uint8Array;
}

/** Starts counting requests to `baseUrl` in this process. A request belongs to the first of the `tickets` that it names. */
export function startMeter(baseUrl: string, tickets: readonly string[]): Meter {
  const { origin, pathname } = new URL(baseUrl);
  const empty = (): Traffic => ({ sent: 0, received: 0, agents: {} });
  const traffic = new Map(tickets.map((ticket) => [ticket, empty()]));
  const exchanges = new WeakMap<object, Exchange>();

  const ownerOf = (text: string): Traffic | null => {
    const named = text.match(/\b[A-Z][A-Z0-9]+-\d+\b/g)?.find((key) => traffic.has(key));
    return named === undefined ? null : (traffic.get(named) ?? null);
  };
  const onCreate = (message: unknown): void => {
    const { request } = message as Message;
    const ours = String(request.origin) === origin && String(request.path).startsWith(pathname);
    if (ours) exchanges.set(request, { traffic: null, agent: null });
  };
  /** A body comes in one chunk as a rule; what tells whose it is stands at its beginning. */
  const onSent = (message: unknown): void => {
    const { request, chunk } = message as Message;
    const exchange = exchanges.get(request);
    if (exchange === undefined || chunk === undefined) return;
    if (exchange.traffic === null) {
      const text = Buffer.from(chunk).toString();
      exchange.traffic = ownerOf(text);
      if (exchange.traffic === null) return;
      const agent = /You are the (\w+)/.exec(text)?.[1] ?? "other";
      exchange.traffic.agents[agent] ??= { requests: 0, sent: 0, first: chunk.byteLength };
      exchange.agent = exchange.traffic.agents[agent];
      exchange.agent.requests += 1;
    }
    exchange.traffic.sent += chunk.byteLength;
    if (exchange.agent !== null) exchange.agent.sent += chunk.byteLength;
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

/**
 * The senders: keep-alive connections with one request under way each, on bare sockets. A client of node:http would take as
 * much of the processor as the server does, and so flatter whoever is slower.
 */
import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { answerParent } from "../child.ts";
import { makeBodies, type Signed } from "./bodies.ts";

export interface Order {
  readonly url: string;
  readonly secret: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Report {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const bodyCount = 256;

interface Tally {
  readonly statuses: Record<string, number>;
  readonly latencies: number[];
}

function request(host: string, path: string, { body, signature }: Signed): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\nUser-Agent: Atlassian Webhook HTTP Client\r\n` +
    `Content-Type: application/json; charset=UTF-8\r\nX-Atlassian-Webhook-Flow: Primary\r\n` +
    `X-Atlassian-Webhook-Identifier: ${randomUUID()}\r\nX-Hub-Signature: ${signature}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Length of the answer at the start of the text, 0 while it is not complete. */
function answerLength(text: string): number {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text.slice(0, 200)}`);
  const total = end + 4 + Number(length);
  return text.length >= total ? total : 0;
}

/** Sends one request after the other until the time is up; the one under way is finished. */
function converse(order: Order, bodies: readonly Signed[], first: number, until: number, tally: Tally): Promise<void> {
  const url = new URL("/webhooks/jira", order.url);
  return new Promise((resolve, reject) => {
    let next = first;
    let sent = 0;
    let text = "";
    const socket: Socket = connect(Number(url.port), url.hostname);
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    const send = (): void => {
      const signed = bodies[next % bodies.length];
      next += 1;
      if (signed === undefined) throw new Error("there are no bodies");
      const bytes = request(url.host, url.pathname, signed);
      sent = performance.now();
      socket.write(bytes);
    };
    socket.on("connect", send);
    socket.on("data", (chunk: Buffer | string) => {
      text += String(chunk);
      const length = answerLength(text);
      if (length === 0) return;
      const now = performance.now();
      const status = text.slice(9, 12);
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      tally.latencies.push(now - sent);
      text = text.slice(length);
      if (now < until) send();
      else socket.end(resolve);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server hung up")));
  });
}

let bodies: Signed[] | undefined;

answerParent<Order>(async (order): Promise<Report> => {
  bodies ??= makeBodies(bodyCount, order.secret);
  const signed = bodies;
  const tally: Tally = { statuses: {}, latencies: [] };
  const begin = performance.now();
  const until = begin + order.seconds * 1000;
  await Promise.all(
    Array.from({ length: order.connections }, (_, index) => converse(order, signed, index * 7, until, tally)),
  );
  const seconds = (performance.now() - begin) / 1000;
  const sorted = Float64Array.from(tally.latencies).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { statuses: tally.statuses, perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99) };
});

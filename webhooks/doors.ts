/**
 * The doors in: POST /webhooks/{jira,gitlab,confluence}. Each request goes bytes -> signature -> meaning -> `accept` (which commits)
 * -> 202. An authentic request is never answered 4xx, however odd its body: GitLab counts those as failures and switches
 * a webhook off, Jira drops the delivery. 5xx means that nothing was stored, and that trying again helps.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Router } from "express";
import type { IncomingDelivery, Sender } from "../src/domain/event.ts";
import type { Log } from "../src/platform/log.ts";
import { type NotTaken, readBody } from "./body.ts";
import { createConfluenceReceiver } from "./confluence/receiver.ts";
import { createGitLabReceiver } from "./gitlab/receiver.ts";
import { createJiraReceiver } from "./jira/receiver.ts";
import { readJson } from "./json.ts";
import type { Receiver } from "./receiver.ts";

export interface DoorOptions {
  /** `site` (base URL or host) is part of the delivery keys. A sender that is absent is answered 404. */
  readonly jira?: { readonly secrets: readonly string[]; readonly site: string };
  readonly gitlab?: { readonly secretTokens: readonly string[]; readonly signingTokens: readonly string[] };
  readonly confluence?: { readonly secrets: readonly string[] };
  /** Commits the delivery, or finds that its key is known. Throws when it could not be stored. */
  readonly accept: (delivery: IncomingDelivery) => Promise<{ readonly duplicate: boolean }>;
  /** Told of every request that was turned away unauthenticated; nothing else is kept of it. */
  readonly reject?: (info: { readonly sender: Sender; readonly reason: string; readonly bytes: number }) => void;
  readonly log: Log;
  /** Both Jira and GitLab send up to 25 MB; a smaller limit would lose authentic deliveries. */
  readonly bodyLimitBytes?: number;
  /** Milliseconds, for the age of signatures. */
  readonly now?: () => number;
}

/** Both senders send up to 25 MB. */
const defaultBodyLimit = 25 * 1024 * 1024;

/** Seconds to wait when the database did not take a delivery. */
const retryAfterSeconds = 30;

/**
 * Answers a request to one of the doors; undefined when the path is not a door, and then nothing was touched.
 * The promise is fulfilled when the answer is on its way.
 */
export type DoorHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | undefined;

/**
 * All doors as a plain handler of node:http. What express does for every request is a tenth of the work of a delivery,
 * so a server that expects storms asks this first and express only about the rest:
 * `createServer((request, response) => doors(request, response) ?? app(request, response))`.
 * @throws Error when a sender is configured without a secret or with an empty one, naming the setting
 */
export function createDoorHandler(options: DoorOptions): DoorHandler {
  const receivers: ReadonlyMap<Sender, Receiver | undefined> = new Map<Sender, Receiver | undefined>([
    ["jira", options.jira && createJiraReceiver(options.jira)],
    ["gitlab", options.gitlab && createGitLabReceiver(options.gitlab, options.now)],
    ["confluence", options.confluence && createConfluenceReceiver(options.confluence)],
  ]);
  return (request, response) => {
    // Jira may add a query to the address: variables such as {issue.key}.
    const sender = /^\/webhooks\/(jira|gitlab|confluence)\/?(?:\?|$)/.exec(request.url ?? "")?.[1] as
      | Sender
      | undefined;
    return sender && open(sender, receivers.get(sender), request, response, options);
  };
}

/**
 * All doors as a router. Mount it at the root, before anything that reads bodies.
 * @param doors what to make them of, or the handler that is asked before express
 * @throws Error as `createDoorHandler`
 */
export function createDoors(doors: DoorOptions | DoorHandler): Router {
  const handler = typeof doors === "function" ? doors : createDoorHandler(doors);
  const router = Router();
  router.use((request, response, next) => handler(request, response) ?? next());
  return router;
}

async function open(
  sender: Sender,
  receiver: Receiver | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  options: DoorOptions,
): Promise<void> {
  if (receiver === undefined) return answer(response, 404, { error: `no webhook secret is set for ${sender}` });
  if (request.method !== "POST") return answer(response, 405, { error: "POST only" }, { allow: "POST" });
  try {
    await receive(receiver, request, response, options);
  } catch (error) {
    // Ours to mend. Nothing is lost: the sender was not told that we have it.
    options.log.error("A webhook door failed", { sender, error });
    if (!response.headersSent) answer(response, 500, { error: "our mistake, see the log" });
  }
}

async function receive(
  receiver: Receiver,
  request: IncomingMessage,
  response: ServerResponse,
  options: DoorOptions,
): Promise<void> {
  const { sender } = receiver;
  const body = await readBody(request, options.bodyLimitBytes ?? defaultBodyLimit);
  if (!Buffer.isBuffer(body)) return turnAway(sender, body, response, options);

  const verification = receiver.verify(request.headers, body);
  if (!verification.ok) {
    options.reject?.({ sender, reason: verification.reason, bytes: body.length });
    options.log.warn("A webhook was refused", { sender, reason: verification.reason });
    return answer(response, 401, { status: "rejected", reason: verification.reason });
  }

  const delivery = readDelivery(receiver, request.headers, body, options.log);
  let duplicate: boolean;
  try {
    ({ duplicate } = await options.accept(delivery));
  } catch (error) {
    options.log.error("A delivery could not be stored", { sender, delivery: delivery.key, error });
    return answer(response, 503, { error: "not stored, send again" }, { "retry-after": String(retryAfterSeconds) });
  }
  answer(response, 202, { status: duplicate ? "duplicate" : "accepted" });
}

/** Makes a delivery of an authentic body. Never throws, whatever the body says: it has to be committed, to be looked at later. */
function readDelivery(
  receiver: Receiver,
  headers: IncomingMessage["headers"],
  bytes: Buffer,
  log: Log,
): IncomingDelivery {
  const body = bytes.toString("utf8");
  const json = readJson(body);
  const value = "value" in json ? json.value : undefined;
  const delivery = {
    sender: receiver.sender,
    key: receiver.key(headers, value, bytes),
    // Postgres takes no NUL in text, and JSON has none either: the body is unreadable anyway.
    body: body.includes("\0") ? body.replaceAll("\0", "\ufffd") : body,
    kind: receiver.kind(headers, value),
  };
  if ("unreadable" in json) return { ...delivery, parsed: { unsupported: json.unreadable } };
  try {
    return { ...delivery, parsed: receiver.parse(headers, value) };
  } catch (error) {
    log.error("A parser of webhooks threw", { sender: receiver.sender, delivery: delivery.key, error });
    return { ...delivery, parsed: { unsupported: "our parser failed: see the log" } };
  }
}

/** Answers a request whose body was not taken. It may have been authentic, so this is worth a line in the log. */
function turnAway(sender: Sender, body: NotTaken, response: ServerResponse, options: DoorOptions): void {
  options.log.warn("A webhook was not read", { sender, reason: body.reason });
  if (body.status === 0) return;
  options.reject?.({ sender, reason: body.reason, bytes: 0 });
  answer(response, body.status, { error: body.reason });
}

/** Plain node:http on purpose: what express adds to an answer (ETag, content negotiation) no sender reads. */
function answer(
  response: ServerResponse,
  status: number,
  body: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

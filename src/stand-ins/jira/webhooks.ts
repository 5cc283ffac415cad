/**
 * Web hooks as Jira Cloud sends them: signed over the raw body, the identifier the same across retries, up to five retries.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";

export interface Hook {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly secret: string | null;
  /** e.g. `jira:issue_updated`; empty: everything. */
  readonly events: readonly string[];
  /** JQL that an issue must match; empty: every issue. */
  readonly filter: string;
}

export interface WebhookDelivery {
  /** `X-Atlassian-Webhook-Identifier` */
  readonly id: string;
  readonly event: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it was signed. */
  readonly body: string;
  /** HTTP status of every attempt; 0 when there was no answer. */
  readonly attempts: number[];
}

export interface WebhookSender {
  readonly deliveries: WebhookDelivery[];
  /** Queues one request; deliveries arrive in the order in which things happened. */
  send(hook: Pick<Hook, "url" | "secret">, event: string, body: string): WebhookDelivery;
  /** Sends a delivery once more, as Jira does when it missed the answer. */
  repeat(delivery: WebhookDelivery): void;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const retried = (status: number): boolean => status === 0 || status >= 500 || [408, 409, 425, 429].includes(status);

/** `backoffMs` stands for the five to fifteen minutes that Jira waits. */
export function createWebhookSender(options: { backoffMs: number }): WebhookSender {
  const deliveries: WebhookDelivery[] = [];
  const agent = new Agent({ connect: { timeout: 5_000 }, headersTimeout: 20_000, bodyTimeout: 20_000 });
  const closing = new AbortController();
  let line: Promise<void> = Promise.resolve();

  async function attempt(delivery: WebhookDelivery): Promise<number> {
    const retry = delivery.attempts.length;
    const headers = retry > 0 ? { ...delivery.headers, "x-atlassian-webhook-retry": String(retry) } : delivery.headers;
    try {
      const answer = await request(delivery.url, {
        method: "POST",
        headers,
        body: delivery.body,
        dispatcher: agent,
        signal: closing.signal,
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      return 0;
    }
  }

  async function deliver(delivery: WebhookDelivery): Promise<void> {
    for (let round = 0; round <= 5 && !closing.signal.aborted; round += 1) {
      if (round > 0) await sleep(options.backoffMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      const status = await attempt(delivery);
      delivery.attempts.push(status);
      if (!retried(status)) return;
    }
  }

  function enqueue(delivery: WebhookDelivery): void {
    line = line.then(() => deliver(delivery));
  }

  return {
    deliveries,
    send(hook, event, body) {
      const signature =
        hook.secret === null
          ? {}
          : { "x-hub-signature": `sha256=${createHmac("sha256", hook.secret).update(body).digest("hex")}` };
      const id = randomUUID();
      const delivery: WebhookDelivery = {
        id,
        event,
        url: hook.url,
        headers: {
          "content-type": "application/json; charset=UTF-8",
          "user-agent": "Atlassian Webhook HTTP Client",
          "x-atlassian-webhook-identifier": id,
          "x-atlassian-webhook-flow": "Primary",
          ...signature,
        },
        body,
        attempts: [],
      };
      deliveries.push(delivery);
      enqueue(delivery);
      return delivery;
    },
    repeat: enqueue,
    async settled() {
      for (let seen: Promise<void> | undefined; seen !== line; ) {
        seen = line;
        await seen;
      }
    },
    async close() {
      closing.abort();
      await line;
      await agent.destroy();
    },
  };
}

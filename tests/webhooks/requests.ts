/** Signed requests as the senders make them, and a running server to send them to. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { IncomingDelivery, Sender } from "../../src/domain/event.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createDoors, type DoorOptions } from "../../webhooks/doors.ts";

export const jiraSecret = "lantern-on-the-quay";
export const gitlabToken = "tide-table-token";
export const signingToken = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
export const confluenceSecret = "chart-room";

export function fixture(sender: Sender, name: string): string {
  return readFileSync(new URL(`../../webhooks/${sender}/fixtures/${name}.json`, import.meta.url), "utf8");
}

/** `X-Hub-Signature` of a body. */
export function hubSignature(secret: string, body: string | Buffer): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** One `v1,<base64>` of Standard Webhooks. */
export function standardSignature(token: string, id: string, seconds: number | string, body: string | Buffer): string {
  const key = Buffer.from(token.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest("base64")}`;
}

export interface Doors {
  readonly url: string;
  readonly accepted: IncomingDelivery[];
  readonly rejected: { sender: Sender; reason: string; bytes: number }[];
  post(sender: string, body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** All doors open on a free port; what they accept and refuse is kept. A key seen before is a duplicate. */
export async function openDoors(options: Partial<DoorOptions> = {}): Promise<Doors> {
  const accepted: IncomingDelivery[] = [];
  const rejected: Doors["rejected"] = [];
  const app = express();
  app.use(
    createDoors({
      jira: { secrets: [jiraSecret], site: "harbour.atlassian.net" },
      gitlab: { secretTokens: [gitlabToken], signingTokens: [signingToken] },
      confluence: { secrets: [confluenceSecret] },
      accept: async (delivery) => {
        const duplicate = accepted.some((known) => known.key === delivery.key);
        if (!duplicate) accepted.push(delivery);
        return { duplicate };
      },
      reject: (info) => rejected.push(info),
      log: silentLog,
      ...options,
    }),
  );
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    accepted,
    rejected,
    post: (sender, body, headers = {}) =>
      fetch(`${url}/webhooks/${sender}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : new Uint8Array(body),
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

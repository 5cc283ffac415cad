/** The real application on a real port, over a real database. */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Router } from "express";
import { type AppOptions, createApp } from "../../src/http/app.ts";
import { silentLog } from "../../src/platform/log.ts";
import { Policy } from "../../src/platform/policy.ts";
import type { Database } from "../../src/store/queryable.ts";
import { requestCancel } from "../../src/store/runs.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface TestServer {
  readonly url: string;
  /** Sends exactly these headers: `fetch` would not let us set Host, Origin or Sec-Fetch-*. */
  ask(path: string, options?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Answer>;
  close(): Promise<void>;
}

const policy = Policy.parse({
  projects: { SHOP: { repository: "acme/shop" } },
  people: { start: { accounts: ["712020:ada"] } },
});

export const apiKey = "a-key-for-tests-0123456789";

/** Starts the application on a free port of loopback. */
export async function startServer(database: Database, options: Partial<AppOptions> = {}): Promise<TestServer> {
  const doors = Router();
  doors.post("/webhooks/jira", (_request, response) => {
    response.status(202).json({ status: "accepted" });
  });
  const app = createApp({
    doors,
    database,
    environment: { HOST: "127.0.0.1" },
    jiraUrl: "https://acme.atlassian.net/",
    cancelRun: (runId, reason) => requestCancel(database, runId, reason),
    replay: () => Promise.resolve(null),
    policy,
    outside: () => Promise.resolve([]),
    isReady: () => Promise.resolve({ ready: true, reason: "" }),
    log: silentLog,
    ...options,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    ask: (path, { method = "GET", headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          });
        });
        request.on("error", reject);
        request.end(body);
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The part of the composition root that listens: doors for webhooks, API and dashboard. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createDoorHandler, createDoors } from "../webhooks/doors.ts";
import { parseBody } from "../webhooks/parse-body.ts";
import type { createDesk } from "./desk.ts";
import { messageOf, UserError } from "./domain/errors.ts";
import { replayDelivery } from "./events/replay.ts";
import type { createOutsideBoard } from "./events/standing.ts";
import { createApp } from "./http/app.ts";
import type { BotOptions } from "./options.ts";
import type { Database } from "./store/queryable.ts";
import { requestCancel } from "./store/runs.ts";

async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const mend = error.code === "EADDRINUSE" ? "Another program listens there: set PORT." : "Set PORT and HOST.";
      reject(new UserError(`Cannot listen on ${host}:${port}: ${error.message}. ${mend}`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** Has the server answer requests. @returns its address @throws UserError when it cannot listen where it should */
export async function openApi(
  { config, log }: Pick<BotOptions, "config" | "log">,
  parts: {
    readonly server: Server;
    readonly database: Database;
    readonly desk: Awaited<ReturnType<typeof createDesk>>;
    readonly board: ReturnType<typeof createOutsideBoard>;
  },
): Promise<string> {
  const { environment: env, policy } = config;
  const { server, database, desk, board } = parts;
  const { bell, inbox } = desk;
  const doors = createDoorHandler({
    jira: { secrets: env.JIRA_WEBHOOK_SECRET, site: env.JIRA_BASE_URL },
    gitlab: { secretTokens: env.GITLAB_WEBHOOK_SECRET ?? [], signingTokens: env.GITLAB_SIGNING_TOKEN ?? [] },
    ...(env.CONFLUENCE_WEBHOOK_SECRET === undefined ? {} : { confluence: { secrets: env.CONFLUENCE_WEBHOOK_SECRET } }),
    accept: (delivery) => inbox.accept(delivery),
    log,
  });
  const app = createApp({
    doors: createDoors(doors),
    database,
    environment: env,
    jiraUrl: env.JIRA_BASE_URL,
    cancelRun: async (runId, reason) => {
      const run = await requestCancel(database, runId, reason);
      // It has been worked on: a worker tells the ticket.
      if (run?.state === "queued") await bell.ring(runId);
      return run;
    },
    policy,
    replay: (id) => replayDelivery(desk, id, parseBody),
    isReady: () =>
      database.query("select 1").then(
        () => ({ ready: true, reason: "" }),
        (error: unknown) => ({ ready: false, reason: `the database does not answer: ${messageOf(error)}` }),
      ),
    outside: () => board.read(),
    log,
  });
  // Webhooks come in storms: express, which a storm would feel, is asked about the rest only.
  server.on("request", (request, response) => void (doors(request, response) ?? app(request, response)));
  return listen(server, env.PORT, env.HOST);
}

/**
 * The HTTP server's one application. What a request passes, in this order:
 * doors (webhooks, nothing before them) -> security headers -> host name -> health -> foreign pages -> assets, login -> auth -> API, dashboard.
 */
import path from "node:path";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from "express";
import helmet from "helmet";
import type { Run } from "../domain/run.ts";
import { isTrouble, type OutsideState } from "../events/standing.ts";
import type { Environment } from "../platform/environment.ts";
import type { Log } from "../platform/log.ts";
import type { Policy } from "../platform/policy.ts";
import type { DeliveryRow } from "../store/deliveries.ts";
import type { Database } from "../store/queryable.ts";
import { createApi } from "./api/router.ts";
import { createLogin, requireAuth } from "./auth.ts";
import { createDashboard } from "./dashboard/router.ts";
import { checkHost, createHostRule } from "./hosts.ts";
import { refuseForeign } from "./origin.ts";
import { problemOf, sendProblem } from "./problem.ts";
import { sendProblemPage } from "./view.ts";

export interface AppOptions {
  /** From `createDoors`; serves /webhooks/…. */
  readonly doors: Router;
  readonly database: Database;
  readonly environment: Pick<Environment, "HOST" | "PUBLIC_URL" | "TICKETSMITH_API_KEY">;
  /** Base address of Jira, for links to tickets. */
  readonly jiraUrl: string;
  /** Stops a run; null when there is none to stop. The reason is shown to people. */
  readonly cancelRun: (runId: string, reason: string) => Promise<Run | null>;
  /** Decides a delivery again; null when there is none. */
  readonly replay: (deliveryId: string) => Promise<DeliveryRow | null>;
  /** What the budgets are, and of which projects. */
  readonly policy: Pick<Policy, "budgets" | "projects">;
  /** Whether work can be taken, and why not. */
  readonly isReady: () => Promise<{ ready: boolean; reason: string }>;
  /** How the systems outside stand. */
  readonly outside: () => Promise<readonly OutsideState[]>;
  readonly log: Log;
}

/** Headers of every answer but those of the doors. No script and no style but our own files, no framing, no CORS. */
function securityHeaders(secure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // helmet's "no-referrer" would make browsers send `Origin: null` with our own forms (Fetch, "append a request Origin header").
    referrerPolicy: { policy: "same-origin" },
    // Only where people come over https; on plain http it would lock a neighbour on the same host name out.
    strictTransportSecurity: secure,
    xFrameOptions: { action: "deny" },
  });
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set("cache-control", "no-store");
  next();
};

function health({ isReady, outside, log }: AppOptions): { live: RequestHandler; ready: RequestHandler } {
  return {
    live: (_request, response) => {
      response.json({ status: "ok" });
    },
    ready: async (_request, response) => {
      const { ready, reason } = await isReady().catch((error: unknown) => {
        log.warn("Readiness could not be determined", { error });
        return { ready: false, reason: "readiness could not be determined, see the log" };
      });
      if (!ready) return void response.status(503).json({ ready, reason });
      // Work is taken in and waits: nobody is helped by turning it away. No reasons here, which may quote the system: anybody may ask.
      const troubles = (await outside()).filter(isTrouble);
      const degraded = troubles.map(({ kind, name, state, since }) => ({ kind, name, state, since }));
      response.json({ ready, reason, ...(degraded.length === 0 ? {} : { degraded }) });
    },
  };
}

/** Four parameters make it an error handler for express. */
function landError(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, detail, bug } = problemOf(error);
    if (bug) log.error("A request failed because of a bug", { method: request.method, path: request.path, error });
    if (request.path.startsWith("/api/")) return sendProblem(response, status, detail);
    sendProblemPage(response, status, detail);
  };
}

/** Makes the application; the caller listens. Never throws for what a request says. */
export function createApp(options: AppOptions): Express {
  const { environment, log } = options;
  const { PUBLIC_URL: publicUrl, TICKETSMITH_API_KEY: apiKey } = environment;
  const secure = publicUrl?.startsWith("https:") ?? false;
  const auth = { apiKey, secure, log };
  const app = express();
  app.disable("x-powered-by");
  app.locals.canSignOut = apiKey !== undefined;

  app.use(options.doors);

  app.use(securityHeaders(secure));
  app.use(checkHost(createHostRule(environment)));
  const { live, ready } = health(options);
  app.get("/healthz", noStore, live);
  app.get("/readyz", noStore, ready);

  app.use(refuseForeign(publicUrl));
  // Checked with the server every time (ETag): a new version must not be drawn with an old stylesheet.
  app.use("/assets", express.static(path.join(import.meta.dirname, "assets"), { maxAge: 0, index: false }));
  app.use(noStore);
  app.use(createLogin(auth));
  app.use(requireAuth(auth));
  // The dashboard first: /api/docs is one of its pages, and the API answers for all else under /api.
  app.use(createDashboard(options));
  app.use(createApi(options));

  app.use((_request, response) => sendProblemPage(response, 404, "There is no such page."));
  app.use(landError(log));
  return app;
}

/**
 * Who may look. With an API key: programs send it as bearer token, people sign in with it and get a cookie that does not
 * contain it. Without one the process listens on loopback only (the configuration refuses anything else) and all may.
 */
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { z } from "zod";
import type { Log } from "../platform/log.ts";
import { sendProblem } from "./problem.ts";
import { cookiesNamed, hasBearer, isApiKey, isSession, makeSession, sessionCookie, sessionMs } from "./session.ts";
import { sendView } from "./view.ts";

const LoginForm = z.object({ key: z.string(), next: z.string().default("/") });

export interface AuthOptions {
  /** Undefined: everybody may. */
  readonly apiKey: string | undefined;
  /** Whether people come over https, so that the cookie is never sent without it. */
  readonly secure: boolean;
  readonly log: Log;
}

/** A path of ours to go on to; anything that leads elsewhere becomes `/`. */
export function localPath(next: unknown): string {
  const here = "http://ticketsmith.invalid";
  const url = typeof next === "string" ? URL.parse(next, here) : null;
  // "/.//evil.example" has our origin, but its path alone would be read as the address of another host.
  if (url === null || url.origin !== here || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search;
}

function isSignedIn(request: Request, apiKey: string): boolean {
  const now = Date.now();
  return cookiesNamed(sessionCookie, request.headers.cookie).some((token) => isSession(token, apiKey, now));
}

function cookieOptions(secure: boolean) {
  return { httpOnly: true, sameSite: "strict", path: "/", secure } as const;
}

/** GET and POST /login, POST /logout. */
export function createLogin({ apiKey, secure, log }: AuthOptions): Router {
  const router = Router();
  router.get("/login", (request, response) => {
    const next = localPath(request.query.next);
    if (apiKey === undefined || isSignedIn(request, apiKey)) return response.redirect(303, next);
    sendView(response, "login", { next, wrong: false });
  });
  router.post("/login", express.urlencoded({ extended: false, limit: "4kb" }), (request, response) => {
    const form = LoginForm.safeParse(request.body);
    const next = localPath(form.data?.next);
    if (apiKey === undefined) return response.redirect(303, next);
    if (!form.success || !isApiKey(form.data.key.trim(), apiKey)) {
      log.warn("Somebody tried to sign in with a wrong key", { address: request.socket.remoteAddress });
      return sendView(response.status(401), "login", { next, wrong: true });
    }
    const token = makeSession(Date.now() + sessionMs, apiKey);
    response.cookie(sessionCookie, token, { ...cookieOptions(secure), maxAge: sessionMs });
    response.redirect(303, next);
  });
  router.post("/logout", (_request, response) => {
    response.clearCookie(sessionCookie, cookieOptions(secure));
    response.redirect(303, "/login");
  });
  return router;
}

/** Lets nobody past who has not shown the key: programs get 401, people the login form. */
export function requireAuth({ apiKey }: AuthOptions): RequestHandler {
  return (request, response, next) => {
    if (apiKey === undefined || hasBearer(request.headers.authorization, apiKey) || isSignedIn(request, apiKey)) {
      return next();
    }
    if (request.path.startsWith("/api/")) {
      response.set("www-authenticate", 'Bearer realm="ticketsmith"');
      return sendProblem(response, 401, "Send the API key as `Authorization: Bearer …`, or sign in at /login.");
    }
    if (request.method !== "GET" && request.method !== "HEAD") return response.redirect(303, "/login");
    sendToLogin(request, response);
  };
}

/**
 * A strict cookie is not sent when a person follows a link from Jira, signed in or not. A page of ours that goes to the
 * same address makes the next request ours, with the cookie; only then the login form is due.
 */
function sendToLogin(request: Request, response: Response): void {
  const next = localPath(request.originalUrl);
  const site = request.headers["sec-fetch-site"];
  if (site === "cross-site" || site === "same-site") sendView(response, "bounce", { next });
  else response.redirect(303, `/login?next=${encodeURIComponent(next)}`);
}

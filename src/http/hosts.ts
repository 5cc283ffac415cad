/**
 * The names that we answer to. A page on the internet can point its own name at 127.0.0.1 (DNS rebinding) and is then of the
 * same origin as us for a browser; only the Host header still shows the foreign name.
 */
import { isIP } from "node:net";
import type { RequestHandler } from "express";
import { sendProblem } from "./problem.ts";

/** The name in a Host header in normal form (lower case, no port, `[::1]` with brackets), or null when it is not one. */
export function hostnameOf(header: string | undefined): string | null {
  if (header === undefined || !/^[^\s/?#@\\]+$/.test(header)) return null;
  const url = URL.parse(`http://${header}`);
  return url === null ? null : url.hostname.replace(/\.$/, "");
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}

/**
 * Whether a request with this Host header is meant for us: loopback, HOST, or the host of PUBLIC_URL. Listening everywhere
 * (HOST is 0.0.0.0 or ::) makes every bare IP address ours too, as health probes use it; rebinding always needs a name.
 */
export function createHostRule(environment: {
  readonly HOST: string;
  readonly PUBLIC_URL?: string | undefined;
}): (header: string | undefined) => boolean {
  const bound = isIP(environment.HOST) === 6 ? `[${environment.HOST}]` : environment.HOST;
  const own = new Set([hostnameOf(bound)]);
  if (environment.PUBLIC_URL !== undefined) own.add(hostnameOf(new URL(environment.PUBLIC_URL).host));
  const everywhere = own.has("0.0.0.0") || own.has("[::]");
  return (header) => {
    const name = hostnameOf(header);
    return name !== null && (isLoopback(name) || own.has(name) || (everywhere && isAddress(name)));
  };
}

/** Answers 421 to requests for any other host. */
export function checkHost(isOurs: (header: string | undefined) => boolean): RequestHandler {
  return (request, response, next) => {
    if (isOurs(request.headers.host)) return next();
    sendProblem(
      response,
      421,
      "Ticketsmith does not go by this host name. Set PUBLIC_URL to the address that people use.",
    );
  };
}

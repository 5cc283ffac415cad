/**
 * Requests that another site makes a browser send. Two rules, from the W3C note "Fetch Metadata" and RFC 6454:
 * what changes something must come from our own pages, and foreign pages may lead people here but not load anything.
 * Programs send neither `Sec-Fetch-Site` nor `Origin`, and are not a browser that could be misled.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { RequestHandler } from "express";
import { sendProblem } from "./problem.ts";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

function isOwnOrigin(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  // A proxy may end TLS and may replace the Host header: the scheme cannot be compared, and PUBLIC_URL counts as well.
  return url.host === host?.toLowerCase() || (publicUrl !== undefined && url.origin === new URL(publicUrl).origin);
}

/** Why a browser's request must be refused, or null when it may pass. */
export function foreignRequest(
  method: string,
  headers: IncomingHttpHeaders,
  publicUrl: string | undefined,
): string | null {
  const site = headers["sec-fetch-site"];
  if (safeMethods.has(method)) {
    const isForeign = site === "cross-site" || site === "same-site";
    if (!isForeign || headers["sec-fetch-mode"] === "navigate") return null;
    return "Pages of other sites may link to Ticketsmith but not load from it.";
  }
  // Browsers send this header over https and on loopback only, and no page can forge it.
  if (site !== undefined) {
    return site === "same-origin" || site === "none" ? null : "This request was made by a page of another site.";
  }
  const { origin } = headers;
  if (origin === undefined || isOwnOrigin(origin, headers.host, publicUrl)) return null;
  return "This request was made by a page of another site.";
}

/** Answers 403 to what other sites make browsers send. */
export function refuseForeign(publicUrl: string | undefined): RequestHandler {
  return (request, response, next) => {
    const refusal = foreignRequest(request.method, request.headers, publicUrl);
    if (refusal === null) return next();
    sendProblem(response, 403, refusal);
  };
}

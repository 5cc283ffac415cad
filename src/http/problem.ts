/** Errors as answers: RFC 9457 `application/problem+json` for programs. */
import { STATUS_CODES } from "node:http";
import type { Response } from "express";

/** Thrown by handlers; its detail is shown to whoever asked. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** The standard words for a status, e.g. "Not Found". */
export function titleOf(status: number): string {
  return STATUS_CODES[status] ?? "Error";
}

/** Answers with a problem document. */
export function sendProblem(response: Response, status: number, detail: string): void {
  const problem = { type: "about:blank", title: titleOf(status), status, detail };
  response.status(status).type("application/problem+json").send(JSON.stringify(problem));
}

/**
 * What may be told of anything that was thrown. Errors of express itself (bad percent-encoding, body too large) carry a
 * status below 500; everything else is ours and its text stays in the log.
 */
export function problemOf(error: unknown): { status: number; detail: string; bug: boolean } {
  if (error instanceof Problem) return { status: error.status, detail: error.message, bug: false };
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  if (status >= 400 && status < 500) return { status, detail: "The request cannot be understood.", bug: false };
  return { status: 500, detail: "Something went wrong inside Ticketsmith. The log says more.", bug: true };
}

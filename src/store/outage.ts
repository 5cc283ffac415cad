/** When the database does not answer: told apart from our own mistakes, so that the work waits instead of being given up. */
import { messageOf, Retryable, SystemAway } from "../domain/errors.ts";

/**
 * SQLSTATE classes and codes that pass: 08 connection, 53 resources (disk full, memory, connections), 57P server going down, starting
 * or cutting us off, 58 input and output, 40 rolled back because of others, 25006 read only (a failover), 25P03 idle in transaction,
 * 55P03 lock not to be had. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passingStates = /^(?:08...|53...|57P..|58...|40001|40P01|25006|25P03|55P03)$/;

/** What node's sockets and resolver say. */
const network = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Errors of node-postgres 8.23 have no code when the connection ends under a query, or before one could be sent. */
const lostConnection =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error)/;

/** The error as SystemAway when it means that the database is away, else as it is. A commit that failed so may have happened. */
export function asOutage(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Retryable) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!passingStates.test(code) && !network.has(code) && !lostConnection.test(error.message)) return error;
  return new SystemAway(`the database does not answer: ${code === "" ? "" : `${code} `}${messageOf(error)}`, {
    system: "the database",
    cause: error,
  });
}

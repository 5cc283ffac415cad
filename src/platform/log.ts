/**
 * The log. Messages are static sentences; what varies goes into the fields. Levels: error = our bug, warn = look at it some day,
 * info = what happened (a user's mistake is info), debug = for the curious.
 */
import winston from "winston";
import { redact } from "./redact.ts";

/** Fields of a log line. Use these names: ticket, run, step, effect, delivery. Errors may be passed as `error`. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
}

/** winston prints an Error inside fields as `{}`: spell it out, causes included. */
function plain(value: unknown, depth = 0): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause !== undefined && depth < 3 ? { cause: plain(value.cause, depth + 1) } : {};
  return { name: value.name, message: value.message, stack: value.stack, ...cause };
}

/** A log that writes JSON lines (or short text on a terminal) to stderr. Everything passes the redaction. */
export function createLog(options: { level: string; pretty?: boolean }): Log {
  const line = winston.format.printf((info) => {
    const { level, message, timestamp, ...fields } = info;
    const text = options.pretty
      ? `${String(timestamp).slice(11, 19)} ${level.padEnd(5)} ${message} ${Object.keys(fields).length > 0 ? JSON.stringify(fields) : ""}`
      : JSON.stringify({ timestamp, level, message, ...fields });
    return redact(text);
  });
  const logger = winston.createLogger({
    level: options.level,
    format: winston.format.combine(winston.format.timestamp(), line),
    transports: [new winston.transports.Console({ stderrLevels: ["error", "warn", "info", "debug"] })],
  });
  const write =
    (level: string) =>
    (message: string, fields: Fields = {}): void => {
      logger.log(level, message, Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, plain(v)])));
    };
  return { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") };
}

/** A log that says nothing, for tests and one-shot commands. */
export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** Errors in the shape of the OpenAI API: `{ error: { message, type, param, code } }`. */
import type { StandInReply } from "../server.ts";

/** Thrown while a request is checked; becomes the HTTP answer. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  constructor(message: string, options: { status?: number; param?: string; code?: string } = {}) {
    super(message);
    this.status = options.status ?? 400;
    this.param = options.param ?? null;
    this.code = options.code ?? null;
  }
}

const types: Readonly<Record<number, string>> = {
  429: "requests",
  500: "server_error",
  502: "server_error",
  503: "server_error",
};

/** The error answer for a status. */
export function errorReply(
  status: number,
  message: string,
  options: { param?: string | null; code?: string | null; headers?: Readonly<Record<string, string>> } = {},
): StandInReply {
  const type = types[status] ?? "invalid_request_error";
  return {
    status,
    headers: { ...options.headers },
    body: { error: { message, type, param: options.param ?? null, code: options.code ?? null } },
  };
}

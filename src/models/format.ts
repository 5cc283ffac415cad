/** What the two wire formats have in common. */
import type OpenAI from "openai";
import type { ModelReply, ModelRequest, Usage } from "../domain/ports.ts";
import type { RawCall } from "./calls.ts";
import type { Capabilities } from "./capabilities.ts";

/** An answer without its wire format, before ids, price and estimates. */
export interface RawReply {
  /** The refusal's words when `finish` is `refusal`. */
  readonly text: string;
  readonly calls: readonly RawCall[];
  readonly finish: ModelReply["finish"];
  /** Undefined when the server did not report it. */
  readonly usage: Usage | undefined;
  /** As the server calls itself. */
  readonly model: string | undefined;
}

export interface Send {
  readonly client: OpenAI;
  readonly request: ModelRequest;
  readonly model: string;
  readonly stream: boolean;
  readonly capabilities: Capabilities;
  readonly signal: AbortSignal;
}

/** One wire format. Readers throw Retryable or Permanent when what they read is no answer. */
export interface Format {
  /** Sends the request; resolves when the headers are there. Throws the SDK's errors. */
  send(input: Send): Promise<Response>;
  readWhole(body: unknown): RawReply;
  /** Events are the parsed JSON payloads of a stream. A stream that ends too early is Retryable. */
  readStream(events: AsyncIterable<unknown>): Promise<RawReply>;
}

/** Which finish an answer has: a refusal, a cut and calls show in its content, whatever the server says. */
export function finishOf(answer: { refused: boolean; cutShort: boolean; calls: number }): ModelReply["finish"] {
  if (answer.refused) return "refusal";
  if (answer.cutShort) return "length";
  return answer.calls > 0 ? "tool_calls" : "stop";
}

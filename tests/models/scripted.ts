/** What the tests of this folder share: a scripted model server, and a Model in front of it. */
import { onTestFinished } from "vitest";
import type { ModelMessage, ModelReply, ModelRequest, ToolSpec } from "../../src/domain/ports.ts";
import { createModel, type ModelOptions } from "../../src/models/model.ts";
import type { Fields, Log } from "../../src/platform/log.ts";
import { type ModelStandIn, type Scenario, startModel } from "../../src/stand-ins/model/server.ts";

export const apiKey = "toy-key-for-tests";

/** Both wire formats, plain and streamed. */
export const ways = (["chat", "responses"] as const).flatMap((api) =>
  [true, false].map((stream) => ({ api, stream, name: `${api}${stream ? ", streamed" : ""}` })),
);
export type Way = Pick<ModelOptions, "api" | "stream">;

export interface Scripted {
  readonly standIn: ModelStandIn;
  /** Warnings and notes, as `message {fields}`. */
  readonly logged: string[];
  readonly complete: (request?: Partial<ModelRequest>, signal?: AbortSignal) => Promise<ModelReply>;
  /** Bodies of the requests that arrived. */
  readonly bodies: () => Record<string, unknown>[];
}

type Turns = Scenario["agents"][string];

/** A model whose server says these turns to the agent `qa`. Closed when the test ends. */
export async function scripted(turns: Turns, options: Partial<ModelOptions> = {}): Promise<Scripted> {
  const standIn = await startModel({ scenarios: [{ ticket: "*", agents: { qa: turns } }], apiKey });
  onTestFinished(() => standIn.close());
  const logged: string[] = [];
  const note = (message: string, fields: Fields = {}): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { error: note, warn: note, info: note, debug() {} };
  const model = createModel({
    baseUrl: standIn.baseUrl,
    apiKey,
    api: "chat",
    model: "big",
    prices: { big: { inputPerMillion: 2, cachedPerMillion: 0.5, outputPerMillion: 8 } },
    timeoutMs: 5000,
    retryDelayMs: 1,
    log,
    ...options,
  });
  return {
    standIn,
    logged,
    complete: (request = {}, signal = new AbortController().signal) =>
      model.complete({ role: "qa", messages: opening, tools, maxOutputTokens: 500, ...request }, signal),
    bodies: () => standIn.requests.map((request) => request.body as Record<string, unknown>),
  };
}

export const opening: readonly ModelMessage[] = [
  { role: "system", text: "You are the qa of a toy shop." },
  { role: "user", text: "Look at TOY-1." },
];

export const tools: readonly ToolSpec[] = ["run", "finish"].map((name) => ({
  name,
  description: `To ${name}`,
  parameters: { type: "object", properties: { what: { type: "string" } } },
}));

/** The conversation after an answer whose calls all got the same result. */
export function withResults(messages: readonly ModelMessage[], reply: ModelReply, result = "ok"): ModelMessage[] {
  return [
    ...messages,
    { role: "assistant", text: reply.text, toolCalls: reply.toolCalls },
    ...reply.toolCalls.map((call): ModelMessage => ({ role: "tool", callId: call.id, text: result })),
  ];
}

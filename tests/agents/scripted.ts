/** A model that says what the test tells it to, and remembers what it was asked. */
import type { Model, ModelReply, ModelRequest, ToolCall } from "../../src/domain/ports.ts";

export type Scripted =
  | Partial<ModelReply>
  | ((request: ModelRequest, signal: AbortSignal) => Promise<Partial<ModelReply>>);

let calls = 0;

/** A tool call; arguments may be given as text to break them. */
export function call(name: string, args: unknown = {}): ToolCall {
  calls += 1;
  return { id: `c${calls}`, name, arguments: typeof args === "string" ? args : JSON.stringify(args) };
}

/** Plays the script, one reply per request; the last one is repeated for ever. */
export function scripted(script: readonly Scripted[]): Model & { readonly requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    requests,
    async complete(request, signal) {
      signal.throwIfAborted();
      requests.push({ ...request, messages: [...request.messages] });
      const next = script[Math.min(requests.length, script.length) - 1] ?? {};
      const reply = typeof next === "function" ? await next(request, signal) : next;
      return {
        text: "",
        toolCalls: [],
        finish: (reply.toolCalls ?? []).length > 0 ? "tool_calls" : "stop",
        usage: { inputTokens: 100, cachedTokens: 10, outputTokens: 20, estimated: false },
        costUsd: 0.01,
        model: "scripted",
        ...reply,
      };
    },
  };
}

/** Keeps a conversation within bounds by forgetting what can be looked up again. */
import type { ModelMessage } from "../domain/ports.ts";
import { render } from "../platform/template.ts";

/** Characters of a conversation at which old parts are left out: about 50,000 tokens. */
export const compactAbove = 160_000;
/** Messages at the end that are never touched: what the model works on right now. */
const fresh = 8;
/** Longest text inside the arguments of an old call. */
const longestArgument = 400;

function sizeOf(message: ModelMessage): number {
  const calls = message.role === "assistant" ? message.toolCalls : [];
  return message.text.length + calls.reduce((sum, call) => sum + call.arguments.length, 0);
}

/** Characters of a conversation, arguments of calls included. */
export function conversationSize(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + sizeOf(message), 0);
}

function stubbed(message: ModelMessage): ModelMessage {
  if (message.role !== "tool") return message;
  const text = render("prompts/reply.md", { reply: { kind: "left_out", size: message.text.length } }).trim();
  return message.text.length > text.length ? { ...message, text } : message;
}

function shortened(argumentsText: string): string {
  try {
    return JSON.stringify(JSON.parse(argumentsText), (_key, value: unknown) =>
      typeof value === "string" && value.length > longestArgument
        ? `${value.slice(0, longestArgument)} [… ${value.length - longestArgument} characters left out]`
        : value,
    );
  } catch {
    return "{}";
  }
}

function withShortCalls(message: ModelMessage): ModelMessage {
  if (message.role !== "assistant") return message;
  return {
    ...message,
    toolCalls: message.toolCalls.map((call) => ({ ...call, arguments: shortened(call.arguments) })),
  };
}

/**
 * The conversation as it is, or, above the limit, with old tool results replaced by one line each and then, if that is not enough,
 * long arguments of old calls cut. Goes down to half of the limit, oldest first, so that what a server has cached stays valid for many
 * turns. System prompt, task and the newest messages are never touched, and every call keeps its answer.
 */
export function compact(messages: readonly ModelMessage[], limit = compactAbove): readonly ModelMessage[] {
  let size = conversationSize(messages);
  if (size <= limit) return messages;
  const result = [...messages];
  for (const shrink of [stubbed, withShortCalls]) {
    for (let i = 2; i < result.length - fresh && size > limit / 2; i += 1) {
      const before = result[i];
      if (before === undefined) continue;
      const after = shrink(before);
      size += sizeOf(after) - sizeOf(before);
      result[i] = after;
    }
  }
  return result;
}

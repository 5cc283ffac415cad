/** Tool calls on their way in (ids of our own) and on their way back (arguments that every server can read). */
import type { ModelMessage, ToolCall } from "../domain/ports.ts";

/** A call as a server sent it. Its id is dropped: some servers repeat ids from turn to turn, some leave them empty. */
export interface RawCall {
  readonly name: string;
  readonly arguments: string;
}

/**
 * Gives calls ids that the conversation does not have yet: `call00001`, `call00002`, … The same request and answer lead to the
 * same ids, so a repeated call does not spoil the provider's prompt cache. Nine letters and digits, because Mistral's chat
 * templates refuse anything else.
 */
export function withOwnIds(calls: readonly RawCall[], messages: readonly ModelMessage[]): ToolCall[] {
  const taken = new Set(messages.flatMap((m) => (m.role === "assistant" ? m.toolCalls.map((call) => call.id) : [])));
  let number = taken.size;
  return calls.map((call) => {
    let id: string;
    do {
      number += 1;
      id = `call${String(number).padStart(5, "0")}`;
    } while (taken.has(id));
    return { id, name: call.name, arguments: call.arguments };
  });
}

/** Whether a text is a JSON object. */
export function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Arguments of an earlier call as they are sent back. vLLM and Ollama parse them and refuse the whole request when they are not
 * a JSON object, so a broken one is wrapped: the model still sees what it wrote.
 */
export function sendableArguments(text: string): string {
  if (isJsonObject(text)) return text;
  return text.trim() === "" ? "{}" : JSON.stringify({ unreadable_arguments: text });
}

/** Text of an earlier assistant turn that had neither text nor calls; several servers refuse an empty message. */
export const emptyAnswer = "(empty answer)";

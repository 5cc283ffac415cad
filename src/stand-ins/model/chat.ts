/**
 * The Chat Completions wire format: checks a request as the real service does and writes answers, whole and as a stream.
 * Shapes: OpenAI's OpenAPI document, CreateChatCompletionRequest, CreateChatCompletionResponse, CreateChatCompletionStreamResponse.
 */
import { z } from "zod";
import { type Answer, type Conversation, pieces, saidBy } from "./conversation.ts";
import type { Message } from "./message.ts";
import { Refused } from "./refusal.ts";
import { checkFields, checkTool, isRecord, requireModel, textOf, toolNames } from "./request.ts";

const fields = new Set(
  (
    "messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata " +
    "modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention " +
    "reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice " +
    "tools top_logprobs top_p user verbosity web_search_options"
  ).split(" "),
);

const roles = ["system", "assistant", "user", "function", "tool", "developer"];

const ToolCalls = z.array(
  z.object({
    id: z.string(),
    type: z.literal("function"),
    function: z.object({ name: z.string(), arguments: z.string() }),
  }),
);

/** Reads a request. Throws Refused with the words of the real service. */
export function readChatRequest(body: unknown): Conversation & { readonly includeUsage: boolean } {
  const request = checkFields(body, fields);
  const model = requireModel(request);
  const { messages, tools, stream, stream_options: streamOptions } = request;
  if (messages === undefined) {
    throw new Refused("Missing required parameter: 'messages'.", {
      param: "messages",
      code: "missing_required_parameter",
    });
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new Refused("Invalid 'messages': expected an array with minimum length 1.", {
      param: "messages",
      code: "invalid_type",
    });
  }
  if (request.max_tokens !== undefined && request.max_completion_tokens !== undefined) {
    throw new Refused("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", {
      code: "invalid_parameter_combination",
    });
  }
  if (streamOptions !== undefined && stream !== true) {
    throw new Refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: "stream_options",
    });
  }
  if (request.parallel_tool_calls !== undefined && tools === undefined) {
    throw new Refused("'parallel_tool_calls' is only allowed when 'tools' are specified.", {
      param: "parallel_tool_calls",
    });
  }
  checkTools(tools);
  return {
    model,
    messages: readMessages(messages),
    tools: tools === undefined ? "" : JSON.stringify(tools),
    toolNames: toolNames(tools, (tool) => tool.function),
    stream: stream === true,
    includeUsage: isRecord(streamOptions) && streamOptions.include_usage === true,
  };
}

function checkTools(tools: unknown): void {
  if (tools === undefined) return;
  if (!Array.isArray(tools) || tools.length === 0) {
    throw new Refused("Invalid 'tools': empty array. Expected an array with minimum length 1.", {
      param: "tools",
      code: "empty_array",
    });
  }
  for (const [i, tool] of tools.entries()) {
    if (!isRecord(tool) || tool.type !== "function" || !isRecord(tool.function)) {
      throw new Refused(`Missing required parameter: 'tools[${i}].function'.`, {
        param: `tools[${i}].function`,
        code: "missing_required_parameter",
      });
    }
    checkTool(tool.function, `tools[${i}].function`);
  }
}

/** Walks the messages; `open` are the calls of the last assistant message that have no result yet. */
function readMessages(list: readonly unknown[]): Message[] {
  const messages: Message[] = [];
  let open = new Set<string>();
  for (const [i, raw] of list.entries()) {
    const message = isRecord(raw) ? raw : {};
    const { role } = message;
    if (typeof role !== "string" || !roles.includes(role)) {
      throw new Refused(
        `Invalid value: '${String(role)}'. Supported values are: ${roles.map((r) => `'${r}'`).join(", ")}.`,
        {
          param: `messages[${i}].role`,
          code: "invalid_value",
        },
      );
    }
    if (role === "tool") {
      const id = String(message.tool_call_id);
      if (!open.delete(id)) {
        throw new Refused(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          { param: `messages.[${i}].role` },
        );
      }
      messages.push({ role, text: textOf(message.content, `messages[${i}].content`) });
      continue;
    }
    refuseOpen(open);
    if (role === "assistant") {
      const calls = readCalls(message.tool_calls, i);
      open = new Set(calls.map((call) => call.id));
      if (open.size < calls.length) throw new Refused(`Duplicate value for 'tool_call_id' in message[${i}].`);
      const { content } = message;
      const text = content == null && calls.length > 0 ? "" : textOf(content, `messages[${i}].content`);
      const called = calls.map((call) => ({ name: call.function.name, arguments: call.function.arguments }));
      messages.push(saidBy(text, called));
    } else {
      const text = textOf(message.content, `messages[${i}].content`);
      messages.push({ role: role === "system" || role === "developer" ? "system" : "user", text });
    }
  }
  refuseOpen(open);
  return messages;
}

function readCalls(value: unknown, i: number): z.infer<typeof ToolCalls> {
  if (value === undefined || value === null) return [];
  const calls = ToolCalls.safeParse(value);
  if (calls.success && calls.data.length > 0) return calls.data;
  throw new Refused(`Invalid type for 'messages[${i}].tool_calls'.`, {
    param: `messages[${i}].tool_calls`,
    code: "invalid_type",
  });
}

function refuseOpen(open: ReadonlySet<string>): void {
  if (open.size === 0) return;
  throw new Refused(
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    { param: "messages" },
  );
}

function finishReason(answer: Answer): string {
  if (answer.cutShort) return "length";
  return answer.calls.length > 0 ? "tool_calls" : "stop";
}

function usageOf(answer: Answer): Record<string, unknown> | undefined {
  if (answer.usage === undefined) return undefined;
  const { input, cached, output } = answer.usage;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function wireCall(call: Answer["calls"][number]): Record<string, unknown> {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

/** The whole answer as one JSON object. */
export function writeChat(answer: Answer): Record<string, unknown> {
  const usage = usageOf(answer);
  return {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: answer.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: answer.text === "" ? null : answer.text,
          refusal: answer.refusal ?? null,
          ...(answer.calls.length > 0 ? { tool_calls: answer.calls.map(wireCall) } : {}),
        },
        logprobs: null,
        finish_reason: finishReason(answer),
      },
    ],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The answer as the `data:` payloads of a stream, `[DONE]` included. Arguments of calls come in several pieces. */
export function writeChatStream(answer: Answer, includeUsage: boolean): string[] {
  const base = {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion.chunk",
    created: Math.floor(Date.now() / 1000),
    model: answer.model,
    ...(includeUsage ? { usage: null } : {}),
  };
  const chunk = (delta: Record<string, unknown>, finish: string | null = null): unknown => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  });
  const chunks: unknown[] = [
    chunk({ role: "assistant", content: answer.calls.length > 0 && answer.text === "" ? null : "", refusal: null }),
  ];
  for (const piece of pieces(answer.text, 12)) chunks.push(chunk({ content: piece }));
  for (const piece of pieces(answer.refusal ?? "", 12)) chunks.push(chunk({ refusal: piece }));
  for (const [index, call] of answer.calls.entries()) {
    chunks.push(
      chunk({ tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }] }),
    );
    for (const piece of pieces(call.arguments, 12)) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  chunks.push(chunk({}, finishReason(answer)));
  const usage = usageOf(answer);
  if (includeUsage && usage !== undefined) chunks.push({ ...base, choices: [], usage });
  return [...chunks.map((part) => JSON.stringify(part)), "[DONE]"];
}

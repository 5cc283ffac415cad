/**
 * The Responses wire format, stateless: checks a request as the real service does and writes answers, whole and as a stream.
 * Shapes: OpenAI's OpenAPI document, CreateResponse, Response, ResponseStreamEvent.
 */
import { type Answer, type Conversation, joined, pieces, saidBy } from "./conversation.ts";
import type { Message } from "./message.ts";
import { Refused } from "./refusal.ts";
import { checkFields, checkTool, isRecord, requireModel, textOf, toolNames } from "./request.ts";

const fields = new Set(
  (
    "background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model moderation " +
    "parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning " +
    "safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
  ).split(" "),
);

const roles = ["assistant", "system", "developer", "user"];

type Json = Record<string, unknown>;

/** Reads a request. Throws Refused with the words of the real service. */
export function readResponsesRequest(body: unknown): Conversation & { readonly request: Json } {
  const request = checkFields(body, fields);
  const model = requireModel(request);
  const { input, instructions, tools, previous_response_id: previous } = request;
  if (typeof previous === "string") {
    throw new Refused(`Previous response with id '${previous}' not found.`, {
      param: "previous_response_id",
      code: "previous_response_not_found",
    });
  }
  if (input === undefined) {
    throw new Refused("Missing required parameter: 'input'.", { param: "input", code: "missing_required_parameter" });
  }
  for (const [i, tool] of (Array.isArray(tools) ? tools : []).entries()) {
    if (!isRecord(tool) || tool.type !== "function") {
      throw new Refused(`Invalid value for 'tools[${i}].type'.`, { param: `tools[${i}].type`, code: "invalid_value" });
    }
    checkTool(tool, `tools[${i}]`);
  }
  const opening: Message[] = typeof instructions === "string" ? [{ role: "system", text: instructions }] : [];
  const said: Message[] = typeof input === "string" ? [{ role: "user", text: input }] : readInput(input);
  return {
    model,
    messages: [...opening, ...said],
    tools: tools === undefined ? "" : JSON.stringify(tools),
    toolNames: toolNames(tools, (tool) => tool),
    stream: request.stream === true,
    request,
  };
}

/** Brings the items to messages: what the model said in one turn (text and calls are items of their own) becomes one of them. */
function readInput(input: unknown): Message[] {
  if (!Array.isArray(input)) throw new Refused("Invalid type for 'input'.", { param: "input", code: "invalid_type" });
  const messages: Message[] = [];
  const open = new Set<string>();
  const add = (message: Message): void => {
    const last = messages.at(-1);
    if (message.role !== "assistant" || last?.role !== "assistant") messages.push(message);
    else messages.splice(-1, 1, joined(last, message));
  };
  for (const [i, raw] of input.entries()) {
    const item: Json = isRecord(raw) ? raw : {};
    const type = item.type ?? "message";
    if (type === "function_call") {
      open.add(readCallId(item, i));
      add(saidBy("", [{ name: requireText(item, "name", i), arguments: requireText(item, "arguments", i) }]));
    } else if (type === "function_call_output") {
      const id = requireText(item, "call_id", i);
      if (!open.delete(id)) {
        throw new Refused(`No tool call found for function call output with call_id ${id}.`, { param: "input" });
      }
      add({ role: "tool", text: textOf(item.output, `input[${i}].output`) });
    } else if (type === "message") {
      const role = String(item.role);
      if (!roles.includes(role)) {
        throw new Refused(`Invalid value: '${role}'. Supported values are: ${roles.map((r) => `'${r}'`).join(", ")}.`, {
          param: `input[${i}].role`,
          code: "invalid_value",
        });
      }
      const text = textOf(item.content, `input[${i}].content`);
      add({ role: role === "assistant" || role === "user" ? role : "system", text });
    } else if (type !== "reasoning") {
      throw new Refused(`Invalid value: '${String(type)}'.`, { param: `input[${i}].type`, code: "invalid_value" });
    }
  }
  const [unanswered] = open;
  if (unanswered !== undefined)
    throw new Refused(`No tool output found for function call ${unanswered}.`, { param: "input" });
  return messages;
}

function requireText(item: Json, name: string, i: number): string {
  const value = item[name];
  if (typeof value === "string") return value;
  throw new Refused(`Missing required parameter: 'input[${i}].${name}'.`, {
    param: `input[${i}].${name}`,
    code: "missing_required_parameter",
  });
}

function readCallId(item: Json, i: number): string {
  const { id } = item;
  if (typeof id === "string" && !id.startsWith("fc")) {
    throw new Refused(`Invalid 'input[${i}].id': '${id}'. Expected an ID that begins with 'fc'.`, {
      param: `input[${i}].id`,
      code: "invalid_value",
    });
  }
  return requireText(item, "call_id", i);
}

function outputOf(answer: Answer): Json[] {
  const status = answer.cutShort ? "incomplete" : "completed";
  const content = [
    ...(answer.text === "" ? [] : [{ type: "output_text", annotations: [], logprobs: [], text: answer.text }]),
    ...(answer.refusal === undefined ? [] : [{ type: "refusal", refusal: answer.refusal }]),
  ];
  return [
    ...(content.length > 0 ? [{ id: `msg_${answer.id}`, type: "message", status, role: "assistant", content }] : []),
    ...answer.calls.map((call, i) => ({
      id: `fc_${answer.id}${i}`,
      type: "function_call",
      status,
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
    })),
  ];
}

/** The whole answer as one `response` object; `request` is echoed as the real service does. */
export function writeResponse(answer: Answer, request: Json): Json {
  const { usage } = answer;
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    status: answer.cutShort ? "incomplete" : "completed",
    error: null,
    incomplete_details: answer.cutShort ? { reason: "max_output_tokens" } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    model: answer.model,
    output: outputOf(answer),
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: request.store ?? true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: request.tool_choice ?? "auto",
    tools: request.tools ?? [],
    top_p: 1,
    truncation: "disabled",
    usage:
      usage === undefined
        ? null
        : {
            input_tokens: usage.input,
            input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
            output_tokens: usage.output,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: usage.input + usage.output,
          },
  };
}

/** The answer as the events of a stream, numbered; the last one is response.completed or response.incomplete. */
export function writeResponseStream(answer: Answer, request: Json): Json[] {
  const whole = writeResponse(answer, request);
  const started = { ...whole, status: "in_progress", incomplete_details: null, output: [], usage: null };
  const events: Json[] = [
    { type: "response.created", response: started },
    { type: "response.in_progress", response: started },
  ];
  for (const [index, item] of outputOf(answer).entries()) {
    const at = { item_id: item.id, output_index: index };
    const isCall = item.type === "function_call";
    const begun = { ...item, status: "in_progress", ...(isCall ? { arguments: "" } : { content: [] }) };
    events.push({ type: "response.output_item.added", output_index: index, item: begun });
    events.push(...(isCall ? callEvents(String(item.arguments), String(item.name), at) : partEvents(item.content, at)));
    events.push({ type: "response.output_item.done", output_index: index, item });
  }
  events.push({ type: answer.cutShort ? "response.incomplete" : "response.completed", response: whole });
  return events.map((event, i) => ({ ...event, sequence_number: i }));
}

function callEvents(text: string, name: string, at: Json): Json[] {
  return [
    ...pieces(text, 12).map((delta) => ({ type: "response.function_call_arguments.delta", ...at, delta })),
    { type: "response.function_call_arguments.done", ...at, name, arguments: text },
  ];
}

function partEvents(content: unknown, at: Json): Json[] {
  return (content as Json[]).flatMap((part, i) => {
    const where = { ...at, content_index: i };
    const isText = part.type === "output_text";
    const text = String(isText ? part.text : part.refusal);
    const stem = isText ? "response.output_text" : "response.refusal";
    const extra = isText ? { logprobs: [] } : {};
    const empty = isText ? { ...part, text: "" } : { ...part, refusal: "" };
    return [
      { type: "response.content_part.added", ...where, part: empty },
      ...pieces(text, 12).map((delta) => ({ type: `${stem}.delta`, ...where, ...extra, delta })),
      { type: `${stem}.done`, ...where, ...extra, ...(isText ? { text } : { refusal: text }) },
      { type: "response.content_part.done", ...where, part },
    ];
  });
}

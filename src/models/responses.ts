/**
 * The Responses API, used statelessly: the full input every time, nothing kept on the server. Ollama and OpenRouter know no
 * other way, and our transcripts stay the only record.
 */
import type { FunctionTool, ResponseCreateParams, ResponseInputItem } from "openai/resources/responses/responses";
import { z } from "zod";
import { Permanent, Retryable } from "../domain/errors.ts";
import type { ModelMessage, Usage } from "../domain/ports.ts";
import { cacheKey } from "./cache-key.ts";
import { emptyAnswer, sendableArguments } from "./calls.ts";
import { type Format, finishOf, type RawReply, type Send } from "./format.ts";
import { reportedUsage } from "./prices.ts";

/** OpenAI refuses a smaller `max_output_tokens`. */
const leastOutput = 16;

function wireItems(message: ModelMessage): ResponseInputItem[] {
  if (message.role === "tool") return [{ type: "function_call_output", call_id: message.callId, output: message.text }];
  if (message.role !== "assistant") return [{ role: message.role, content: message.text }];
  const text = message.text || (message.toolCalls.length === 0 ? emptyAnswer : "");
  return [
    ...(text === "" ? [] : [{ role: "assistant" as const, content: text }]),
    // Without `id`: with one, OpenAI looks for the reasoning item that belonged to it.
    ...message.toolCalls.map((call) => ({
      type: "function_call" as const,
      call_id: call.id,
      name: call.name,
      arguments: sendableArguments(call.arguments),
    })),
  ];
}

function bodyOf({ request, model, stream, capabilities }: Send): ResponseCreateParams {
  const tools: FunctionTool[] = request.tools.map(({ name, description, parameters }) => ({
    type: "function",
    name,
    description,
    parameters,
    // The default is strict, which allows no optional arguments.
    strict: false,
  }));
  return {
    model,
    input: request.messages.flatMap(wireItems),
    ...(tools.length > 0 ? { tools } : {}),
    ...(tools.length > 0 && capabilities.parallelToolCalls ? { parallel_tool_calls: true } : {}),
    max_output_tokens: Math.max(leastOutput, request.maxOutputTokens),
    ...(capabilities.store ? { store: false } : {}),
    ...(capabilities.promptCacheKey ? { prompt_cache_key: cacheKey(request) } : {}),
    ...(stream ? { stream } : {}),
  };
}

const WireUsage = z
  .object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    input_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
  })
  .transform((usage): Usage | undefined =>
    reportedUsage(usage.input_tokens, usage.input_tokens_details?.cached_tokens ?? 0, usage.output_tokens),
  )
  .nullish()
  .catch(undefined);

/** Items that we need; others (reasoning, searches) become undefined. */
const Item = z
  .union([
    z.object({
      type: z.literal("message"),
      content: z.array(
        z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() }),
      ),
    }),
    z.object({ type: z.literal("function_call"), name: z.string(), arguments: z.string().default("") }),
  ])
  .or(z.unknown().transform(() => undefined));

const Whole = z.object({
  model: z.string().optional(),
  status: z.string().nullish(),
  output: z.array(Item),
  error: z.looseObject({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish(),
  usage: WireUsage,
});

/** Codes of a failed response that another try does not change (ResponseErrorCode in OpenAI's OpenAPI document). */
const hopeless = new Set(["invalid_prompt", "insufficient_quota"]);

function failed(
  error: { code?: string | null | undefined; message?: string | null | undefined } | null | undefined,
): Error {
  const said = error?.message ?? "no reason given";
  if (hopeless.has(error?.code ?? "")) return new Permanent(`The model server refused the request: ${said}`);
  return new Retryable(`The model server failed to answer: ${said}`);
}

function readWhole(body: unknown): RawReply {
  const { success, data } = Whole.safeParse(body);
  if (!success) throw new Retryable("The model server sent something that is no response");
  if (data.status === "failed") throw failed(data.error);
  if (data.status != null && data.status !== "completed" && data.status !== "incomplete") {
    throw new Retryable(`The model server left the response ${data.status}`);
  }
  const items = data.output.filter((item) => item !== undefined);
  const parts = items.flatMap((item) => (item.type === "message" ? item.content : []));
  const text = parts.map((part) => part.text ?? "").join("");
  const refusal = parts.map((part) => part.refusal ?? "").join("");
  const calls = items.flatMap((item) =>
    item.type === "function_call" ? [{ name: item.name, arguments: item.arguments }] : [],
  );
  const reason = data.status === "incomplete" ? data.incomplete_details?.reason : undefined;
  const refused = refusal !== "" || reason === "content_filter";
  return {
    text: refused ? refusal || text : text,
    calls,
    finish: finishOf({ refused, cutShort: data.status === "incomplete", calls: calls.length }),
    usage: data.usage ?? undefined,
    model: data.model,
  };
}

const StreamEvent = z.looseObject({ type: z.string() });

/** The last event holds the whole response, so the others only show that the model is alive. */
async function readStream(events: AsyncIterable<unknown>): Promise<RawReply> {
  const items: unknown[] = [];
  let last: Record<string, unknown> | undefined;
  for await (const raw of events) {
    const { success, data: event } = StreamEvent.safeParse(raw);
    if (!success) throw new Retryable("The model server sent a piece of an answer that is no response event");
    if (event.type === "error") throw failed({ code: String(event.code ?? ""), message: String(event.message ?? "") });
    if (event.type === "response.output_item.done") items.push(event.item);
    if (/^response\.(completed|incomplete|failed)$/.test(event.type)) {
      last = { ...(event.response as Record<string, unknown>) };
    }
  }
  if (last === undefined) throw new Retryable("The model's answer broke off");
  // Some servers leave the output of the last event empty, since they have sent it already.
  const output = Array.isArray(last.output) && last.output.length > 0 ? last.output : items;
  return readWhole({ ...last, output });
}

/** `POST {baseUrl}/responses` */
export const responses: Format = {
  send: (input) => input.client.responses.create(bodyOf(input), { signal: input.signal }).asResponse(),
  readWhole,
  readStream,
};

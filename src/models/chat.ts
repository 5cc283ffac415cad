/** Chat Completions: the wire format that every OpenAI-compatible server speaks, each with its own accent. */
import type {
  ChatCompletionCreateParams,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import { z } from "zod";
import { Retryable } from "../domain/errors.ts";
import type { ModelMessage, Usage } from "../domain/ports.ts";
import { cacheKey } from "./cache-key.ts";
import { emptyAnswer, isJsonObject, type RawCall, sendableArguments } from "./calls.ts";
import { type Format, finishOf, type RawReply, type Send } from "./format.ts";
import { reportedUsage } from "./prices.ts";

function wireMessage(message: ModelMessage): ChatCompletionMessageParam {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.text };
  if (message.role !== "assistant") return { role: message.role, content: message.text };
  if (message.toolCalls.length === 0) return { role: "assistant", content: message.text || emptyAnswer };
  return {
    role: "assistant",
    content: message.text || null,
    tool_calls: message.toolCalls.map((call) => ({
      id: call.id,
      type: "function",
      function: { name: call.name, arguments: sendableArguments(call.arguments) },
    })),
  };
}

function bodyOf({ request, model, stream, capabilities }: Send): ChatCompletionCreateParams {
  const tools: ChatCompletionTool[] = request.tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters },
  }));
  return {
    model,
    messages: request.messages.map(wireMessage),
    ...(tools.length > 0 ? { tools } : {}),
    ...(tools.length > 0 && capabilities.parallelToolCalls ? { parallel_tool_calls: true } : {}),
    [capabilities.maxTokens]: request.maxOutputTokens,
    ...(capabilities.store ? { store: false } : {}),
    ...(capabilities.promptCacheKey ? { prompt_cache_key: cacheKey(request) } : {}),
    ...(stream ? { stream } : {}),
    ...(stream && capabilities.streamOptions ? { stream_options: { include_usage: true } } : {}),
  };
}

/** A string, nothing, or (Mistral's reasoning models) a list of parts of which only the texts are the answer. */
const Content = z
  .union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])
  .nullish()
  .transform((content) => {
    if (typeof content === "string") return content;
    return (content ?? []).map((part) => (part.type === "text" ? (part.text ?? "") : "")).join("");
  });

/** Old Ollama versions send arguments as an object. */
const Arguments = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .nullish()
  .transform((value) => (typeof value === "string" ? value : value == null ? "" : JSON.stringify(value)));

const WireUsage = z
  .object({
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
  })
  .transform((usage): Usage | undefined =>
    reportedUsage(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens ?? 0, usage.completion_tokens),
  )
  .nullish()
  .catch(undefined);

const Whole = z.object({
  model: z.string().optional(),
  choices: z
    .array(
      z.object({
        message: z.object({
          content: Content,
          refusal: z.string().nullish(),
          tool_calls: z
            .array(z.object({ function: z.object({ name: z.string().default(""), arguments: Arguments }) }))
            .nullish(),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: WireUsage,
});

function replyOf(said: {
  text: string;
  refusal: string;
  calls: readonly RawCall[];
  finish: string;
  usage: Usage | null | undefined;
  model: string | undefined;
}): RawReply {
  const refused = said.refusal !== "" || said.finish === "content_filter";
  return {
    text: refused ? said.refusal || said.text : said.text,
    calls: said.calls,
    finish: finishOf({ refused, cutShort: said.finish === "length", calls: said.calls.length }),
    usage: said.usage ?? undefined,
    model: said.model,
  };
}

function readWhole(body: unknown): RawReply {
  const { success, data } = Whole.safeParse(body);
  const choice = data?.choices[0];
  if (!success || choice === undefined)
    throw new Retryable("The model server sent something that is no chat completion");
  const { message } = choice;
  return replyOf({
    text: message.content,
    refusal: message.refusal ?? "",
    calls: (message.tool_calls ?? []).map((call) => call.function),
    finish: choice.finish_reason ?? "stop",
    usage: data.usage,
    model: data.model,
  });
}

const CallPiece = z.object({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: Arguments }).nullish(),
});
type CallPiece = z.infer<typeof CallPiece>;

const Chunk = z.object({
  model: z.string().optional(),
  /** Empty in the chunk with the usage, and in Azure's first one. */
  choices: z
    .array(
      z.object({
        delta: z
          .object({ content: Content, refusal: z.string().nullish(), tool_calls: z.array(CallPiece).nullish() })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: WireUsage,
});

interface OpenCall {
  readonly index: number | undefined;
  readonly id: string;
  name: string;
  arguments: string;
}

/**
 * Adds a piece to the calls. Pieces belong together by `index`; but some servers leave it out or send 0 for every call, so a
 * piece with a name that follows a finished call, or carries another id, begins a new one.
 */
function addPiece(calls: OpenCall[], piece: CallPiece): void {
  const name = piece.function?.name ?? "";
  const text = piece.function?.arguments ?? "";
  const index = piece.index ?? undefined;
  const id = piece.id ?? "";
  const open = index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === index);
  const another =
    open !== undefined &&
    name !== "" &&
    ((id !== "" && open.id !== "" && id !== open.id) || (text !== "" && isJsonObject(open.arguments)));
  if (open === undefined || another) {
    calls.push({ index, id, name, arguments: text });
    return;
  }
  if (open.name === "") open.name = name;
  open.arguments += text;
}

async function readStream(events: AsyncIterable<unknown>): Promise<RawReply> {
  const calls: OpenCall[] = [];
  let text = "";
  let refusal = "";
  let finish: string | undefined;
  let usage: Usage | null | undefined;
  let model: string | undefined;
  for await (const event of events) {
    const { success, data } = Chunk.safeParse(event);
    if (!success) throw new Retryable("The model server sent a piece of an answer that is no chat completion chunk");
    model ??= data.model;
    usage = data.usage ?? usage;
    const choice = data.choices?.[0];
    if (choice === undefined) continue;
    text += choice.delta?.content ?? "";
    refusal += choice.delta?.refusal ?? "";
    for (const piece of choice.delta?.tool_calls ?? []) addPiece(calls, piece);
    finish = choice.finish_reason ?? finish;
  }
  if (finish === undefined) throw new Retryable("The model's answer broke off");
  return replyOf({
    text,
    refusal,
    calls: calls.map((call) => ({ name: call.name, arguments: call.arguments })),
    finish,
    usage,
    model,
  });
}

/** `POST {baseUrl}/chat/completions` */
export const chat: Format = {
  send: (input) => input.client.chat.completions.create(bodyOf(input), { signal: input.signal }).asResponse(),
  readWhole,
  readStream,
};

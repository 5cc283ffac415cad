/** What may be sent to which provider. Chat Completions is the common ground; beyond it servers refuse or ignore different fields. */
import { UserError } from "../domain/errors.ts";

export interface Capabilities {
  /** `stream_options: { include_usage }`: usage at the end of a chat stream. Without it usage is estimated. */
  readonly streamOptions: boolean;
  /** `parallel_tool_calls: true`. */
  readonly parallelToolCalls: boolean;
  /** `store: false`: the provider keeps answers unless told not to. */
  readonly store: boolean;
  /** `prompt_cache_key`: routes a conversation to the machine that has its beginning cached. */
  readonly promptCacheKey: boolean;
  /** Name of the output limit in Chat Completions. OpenAI's reasoning models refuse `max_tokens`, others know nothing else. */
  readonly maxTokens: "max_tokens" | "max_completion_tokens";
}

/** LiteLLM refuses what the model behind it does not know, unless `drop_params` is set: it is sent the common ground only. */
export const providers = {
  openai: {
    streamOptions: true,
    parallelToolCalls: true,
    store: true,
    promptCacheKey: true,
    maxTokens: "max_completion_tokens",
  },
  azure: {
    streamOptions: true,
    parallelToolCalls: true,
    store: true,
    promptCacheKey: true,
    maxTokens: "max_completion_tokens",
  },
  openrouter: {
    streamOptions: true,
    parallelToolCalls: true,
    store: false,
    promptCacheKey: false,
    maxTokens: "max_tokens",
  },
  vllm: { streamOptions: true, parallelToolCalls: false, store: false, promptCacheKey: false, maxTokens: "max_tokens" },
  ollama: {
    streamOptions: true,
    parallelToolCalls: false,
    store: false,
    promptCacheKey: false,
    maxTokens: "max_tokens",
  },
  litellm: {
    streamOptions: true,
    parallelToolCalls: false,
    store: false,
    promptCacheKey: false,
    maxTokens: "max_tokens",
  },
  generic: {
    streamOptions: true,
    parallelToolCalls: false,
    store: false,
    promptCacheKey: false,
    maxTokens: "max_tokens",
  },
} as const satisfies Record<string, Capabilities>;
export type Provider = keyof typeof providers;

/** Host names and the ports that the servers listen on by default. The first match wins. */
const marks: readonly (readonly [Provider, RegExp])[] = [
  ["openai", /(^|\.)api\.openai\.com(:\d+)?$/],
  ["azure", /\.(openai\.azure\.com|cognitiveservices\.azure\.com|services\.ai\.azure\.com)(:\d+)?$/],
  ["openrouter", /(^|\.)openrouter\.ai(:\d+)?$/],
  ["ollama", /ollama|:11434$/],
  ["litellm", /litellm|:4000$/],
  ["vllm", /vllm|:8000$/],
];

/** The provider behind a base URL; `generic` when nothing gives it away. Throws UserError when it is no http(s) URL. */
export function detectProvider(baseUrl: string): Provider {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UserError("OPENAI_BASE_URL is not a URL such as https://api.openai.com/v1");
  }
  return marks.find(([, mark]) => mark.test(url.host.toLowerCase()))?.[0] ?? "generic";
}

const fields = [
  ["streamOptions", "stream_options"],
  ["parallelToolCalls", "parallel_tool_calls"],
  ["store", "store"],
  ["promptCacheKey", "prompt_cache_key"],
] as const;

const complaint =
  /unsupported|unknown|unrecogni[sz]ed|unexpected|not (supported|permitted|allowed|recogni[sz]ed)|invalid|extra/i;

/**
 * The capabilities without the field that a server complained about, or undefined when the complaint is about something else.
 * So an unknown proxy costs one refused request and not a day with its manual.
 */
export function withoutRefused(
  capabilities: Capabilities,
  refusal: string,
): { readonly field: string; readonly capabilities: Capabilities } | undefined {
  if (!complaint.test(refusal)) return undefined;
  const named = (field: string): boolean => new RegExp(`(?<![\\w.])(?:body\\.)?${field}(?![\\w.])`).test(refusal);
  const refused = fields.find(([flag, field]) => capabilities[flag] && named(field));
  if (refused !== undefined) return { field: refused[1], capabilities: { ...capabilities, [refused[0]]: false } };
  if (!named(capabilities.maxTokens)) return undefined;
  const other = capabilities.maxTokens === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  return { field: capabilities.maxTokens, capabilities: { ...capabilities, maxTokens: other } };
}

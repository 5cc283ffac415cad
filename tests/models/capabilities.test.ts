import { describe, expect, it } from "vitest";
import { detectProvider, type Provider, providers, withoutRefused } from "../../src/models/capabilities.ts";
import { opening, scripted } from "./scripted.ts";

describe("detectProvider", () => {
  const table: [string, Provider][] = [
    ["https://api.openai.com/v1", "openai"],
    ["https://eu.api.openai.com/v1", "openai"],
    ["https://toys.openai.azure.com/openai/v1/", "azure"],
    ["https://openrouter.ai/api/v1", "openrouter"],
    ["http://localhost:11434/v1", "ollama"],
    ["http://ollama.internal/v1", "ollama"],
    ["http://10.0.0.7:4000", "litellm"],
    ["http://vllm:8000/v1", "vllm"],
    ["http://127.0.0.1:40123/v1", "generic"],
    ["https://api.openai.com.example.org/v1", "generic"],
  ];
  it.each(table)("%s is %s", (url, provider) => {
    expect(detectProvider(url)).toBe(provider);
  });
});

describe("what OpenAI itself is sent", () => {
  it("chat: nothing is stored, the conversation has a cache key", async () => {
    const { complete, bodies } = await scripted([{ say: "a" }, { say: "b" }], { provider: "openai" });
    const first = await complete();
    await complete({
      messages: [...opening, { role: "assistant", text: first.text, toolCalls: [] }, { role: "user", text: "more" }],
    });
    const [one, two] = bodies();
    expect(one).toMatchObject({
      store: false,
      parallel_tool_calls: true,
      max_completion_tokens: 500,
      stream_options: { include_usage: true },
    });
    expect(one).not.toHaveProperty("max_tokens");
    expect(one!.prompt_cache_key).toMatch(/^ticketsmith-qa-[0-9a-f]{24}$/);
    expect(two!.prompt_cache_key).toBe(one!.prompt_cache_key);
  });

  it("responses: the same, and strict tools switched off", async () => {
    const { complete, bodies } = await scripted([{ say: "a" }], { provider: "openai", api: "responses" });
    await complete({ maxOutputTokens: 1 });
    expect(bodies()[0]).toMatchObject({
      store: false,
      parallel_tool_calls: true,
      max_output_tokens: 16,
      tools: [{ strict: false }, {}],
    });
    expect(bodies()[0]).toHaveProperty("prompt_cache_key");
  });

  it("can be corrected", async () => {
    const capabilities = { store: false, maxTokens: "max_tokens" } as const;
    const { complete, bodies } = await scripted([{ say: "a" }], { provider: "openai", capabilities });
    await complete();
    expect(bodies()[0]).not.toHaveProperty("store");
    expect(bodies()[0]).toHaveProperty("max_tokens");
  });
});

describe("a field that the server refuses", () => {
  it("is left out from then on", async () => {
    const { complete, standIn, bodies, logged } = await scripted([{ say: "Hello." }]);
    standIn.fault = ({ body }) => {
      const sent = body as Record<string, unknown>;
      const refuse = (status: number, message: string) =>
        ({ when: "before", answer: { status, body: { error: { message } } } }) as const;
      if ("stream_options" in sent) return refuse(422, "body.stream_options: Extra inputs are not permitted");
      if ("max_tokens" in sent) {
        return refuse(
          400,
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        );
      }
      return undefined;
    };
    await expect(complete()).resolves.toMatchObject({ text: "Hello.", usage: { estimated: true } });
    await complete();
    expect(
      bodies().map((body) => ["stream_options" in body, "max_tokens" in body, "max_completion_tokens" in body]),
    ).toEqual([
      [true, true, false],
      [false, true, false],
      [false, false, true],
      [false, false, true],
    ]);
    expect(logged).toHaveLength(2);
  });

  it("does not go back and forth with a server that refuses both names", async () => {
    const { complete, standIn } = await scripted([]);
    const answer = {
      status: 400,
      body: { error: { message: "max_tokens and max_completion_tokens are not supported" } },
    };
    standIn.fault = () => ({ when: "before", answer });
    await expect(complete()).rejects.toMatchObject({ name: "Permanent" });
    expect(standIn.requests.length).toBeLessThan(4);
  });

  const none: [string, string][] = [
    ["another field", "Unsupported parameter: 'tools'"],
    ["a field within another", "messages.store: invalid"],
    ["no complaint at all", "the store is closed"],
  ];
  it.each(none)("%s changes nothing", (_, refusal) => {
    expect(withoutRefused(providers.openai, refusal)).toBeUndefined();
  });
});

/** How servers other than OpenAI's write the same two formats. Bodies are made up in the shape that each of them sends. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelReply } from "../../src/domain/ports.ts";
import { createModel, type ModelOptions } from "../../src/models/model.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Handler, startStandIn } from "../../src/stand-ins/server.ts";
import { opening, tools } from "./scripted.ts";

/** Asks a server that answers every request with the handler. */
async function askServer(handler: Handler, options: Partial<ModelOptions> = {}): Promise<ModelReply> {
  const server = await startStandIn([["POST", "/v1/*rest", handler]]);
  onTestFinished(() => server.close());
  const model = createModel({
    baseUrl: `${server.url}/v1`,
    apiKey: "toy-key",
    api: "chat",
    model: "toy",
    prices: { toy: { inputPerMillion: 1, outputPerMillion: 1 } },
    timeoutMs: 3000,
    maxRetries: 0,
    log: silentLog,
    ...options,
  });
  return model.complete({ role: "qa", messages: opening, tools, maxOutputTokens: 9 }, new AbortController().signal);
}

const headers = { "content-type": "text/event-stream" };
const sse = (...events: unknown[]): Handler => {
  const lines = events.map((event) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}`));
  return () => ({ status: 200, headers, body: `${lines.join("\n\n")}\n\n` });
};
const json =
  (body: unknown): Handler =>
  () => ({ status: 200, body });

const chunk = (delta: unknown, finish: string | null = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const piece = (call: object) => chunk({ tool_calls: [call] });
const done = "data: [DONE]";
const calls = (reply: ModelReply) => reply.toolCalls.map((call) => [call.name, call.arguments]);

describe("chat streams", () => {
  const twoRuns = [
    ["run", '{"what":"a"}'],
    ["run", '{"what":"b"}'],
  ];
  const streams: [string, unknown[], unknown[]][] = [
    [
      "whole calls, all with index 0 and different ids",
      [
        piece({ index: 0, id: "x1", function: { name: "run", arguments: '{"what":"a"}' } }),
        piece({ index: 0, id: "x2", function: { name: "run", arguments: '{"what":"b"}' } }),
      ],
      twoRuns,
    ],
    [
      "whole calls, all with index 0 and no ids",
      [
        piece({ index: 0, id: "", function: { name: "run", arguments: '{"what":"a"}' } }),
        piece({ index: 0, id: "", function: { name: "run", arguments: '{"what":"b"}' } }),
      ],
      twoRuns,
    ],
    [
      "no index at all",
      [
        piece({ id: "x1", function: { name: "run", arguments: '{"what":' } }),
        piece({ function: { arguments: '"a"}' } }),
        piece({ id: "x2", function: { name: "run", arguments: '{"what":"b"}' } }),
      ],
      twoRuns,
    ],
    [
      "pieces of two calls mixed",
      [
        piece({ index: 0, id: "x1", function: { name: "run", arguments: "" } }),
        piece({ index: 1, id: "x2", function: { name: "run", arguments: '{"what"' } }),
        piece({ index: 0, function: { arguments: '{"what":"a"}' } }),
        piece({ index: 1, function: { arguments: ':"b"}' } }),
      ],
      twoRuns,
    ],
    [
      "name and id repeated with every piece",
      [
        piece({ index: 0, id: "x1", function: { name: "run", arguments: '{"what":' } }),
        piece({ index: 0, id: "x1", function: { name: "run", arguments: '"a"}' } }),
      ],
      [["run", '{"what":"a"}']],
    ],
    [
      "arguments as an object",
      [piece({ index: 0, function: { name: "run", arguments: { what: "a" } } })],
      [["run", '{"what":"a"}']],
    ],
    ["a call without arguments", [piece({ index: 0, id: "x1", function: { name: "finish" } })], [["finish", ""]]],
  ];
  it.each(streams)("%s", async (_, events, expected) => {
    const reply = await askServer(sse(...events, chunk({}, "stop"), done));
    expect(calls(reply)).toEqual(expected);
    expect(reply.finish).toBe("tool_calls");
  });

  it("Azure's opening without choices, comments between events, usage in the last chunk, reasoning beside the text", async () => {
    const usage = { prompt_tokens: 30, completion_tokens: 4, prompt_tokens_details: null };
    const reply = await askServer(
      sse(
        { choices: [], prompt_filter_results: [] },
        ": keep-alive",
        chunk({ role: "assistant", content: "", reasoning_content: "Hm." }, null, { model: "toy-2" }),
        chunk({ content: "Hello" }),
        chunk({ content: null }, "stop", { usage }),
        done,
      ),
    );
    expect(reply).toMatchObject({ text: "Hello", model: "toy-2", finish: "stop" });
    expect(reply.usage).toEqual({ inputTokens: 30, cachedTokens: 0, outputTokens: 4, estimated: false });
  });

  it("a content filter is a refusal", async () => {
    const reply = await askServer(sse(chunk({ content: "I" }), chunk({}, "content_filter"), done));
    expect(reply).toMatchObject({ finish: "refusal", text: "I" });
  });

  const broken: [string, unknown[], RegExp][] = [
    ["no event", [], /broke off/],
    ["only the end", [done], /broke off/],
    ["no finish", [chunk({ content: "Hel" })], /broke off/],
    [
      "an error in the middle",
      [chunk({ content: "Hel" }), { error: { message: "GPU on fire", code: 500 } }],
      /GPU on fire/,
    ],
    ["an event that is not JSON", ["data: {oops"], /not JSON/],
    ["an event of another kind", [{ choices: "none" }], /no chat completion chunk/],
  ];
  it.each(broken)("%s is Retryable", async (_, events, words) => {
    await expect(askServer(sse(...events))).rejects.toMatchObject({
      name: "Retryable",
      message: expect.stringMatching(words),
    });
  });
});

describe("whole chat answers", () => {
  const message = (content: unknown, more: object = {}) => ({
    choices: [{ message: { role: "assistant", content, ...more } }],
  });

  it("are taken in place of a stream", async () => {
    const reply = await askServer(json(message("Hello")), { stream: true });
    expect(reply).toMatchObject({ text: "Hello", finish: "stop", model: "toy" });
  });

  it("may hold parts, of which the thinking is not the answer", async () => {
    const parts = [
      { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
      { type: "text", text: "Hello" },
    ];
    await expect(askServer(json(message(parts)))).resolves.toMatchObject({ text: "Hello" });
  });

  it("may say stop, hold calls without ids, and arguments as an object", async () => {
    const tool_calls = [{ function: { name: "run", arguments: { what: "a" } } }];
    const reply = await askServer(json(message(null, { tool_calls })));
    expect(calls(reply)).toEqual([["run", '{"what":"a"}']]);
    expect(reply.finish).toBe("tool_calls");
  });

  const nonsense: [string, object][] = [
    ["zeros", { prompt_tokens: 0, completion_tokens: 0 }],
    ["texts", { prompt_tokens: "many", completion_tokens: "few" }],
    ["an empty object", {}],
  ];
  it.each(nonsense)("usage of %s is estimated", async (_, usage) => {
    const reply = await askServer(json({ ...message("Hello"), usage }));
    expect(reply.usage).toMatchObject({ estimated: true, outputTokens: 2 });
  });

  it("more cached than read counts as all cached", async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 99 } };
    expect((await askServer(json({ ...message("Hello"), usage }))).usage.cachedTokens).toBe(10);
  });

  it("vLLM's own error shape is an error", async () => {
    const body = { object: "error", message: "engine is dead", type: "InternalServerError", code: 500 };
    await expect(askServer(json(body))).rejects.toMatchObject({
      name: "Retryable",
      message: expect.stringContaining("engine is dead"),
    });
  });
});

describe("responses", () => {
  const api = "responses";
  const call = { type: "function_call", call_id: "x", name: "run", arguments: '{"what":"a"}' };

  it("reasoning and unknown items are passed over", async () => {
    const output = [{ type: "reasoning", summary: [] }, { type: "novelty" }, call];
    const reply = await askServer(json({ object: "response", status: "completed", output }), { api });
    expect(calls(reply)).toEqual([["run", '{"what":"a"}']]);
  });

  it("items of the stream count when the last event has none", async () => {
    const response = { object: "response", status: "completed", output: [] };
    const reply = await askServer(
      sse({ type: "response.output_item.done", item: call }, { type: "response.completed", response }),
      { api },
    );
    expect(calls(reply)).toEqual([["run", '{"what":"a"}']]);
  });

  it("a content filter is a refusal", async () => {
    const body = { status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [] };
    await expect(askServer(json(body), { api })).resolves.toMatchObject({ finish: "refusal" });
  });

  const failed = { status: "failed", output: [], error: { code: "server_error", message: "GPU on fire" } };
  const failures: [string, Handler, string, RegExp][] = [
    ["a failed response", json(failed), "Retryable", /GPU on fire/],
    ["a stream that ends in failure", sse({ type: "response.failed", response: failed }), "Retryable", /GPU on fire/],
    [
      "an error event",
      sse({ type: "error", code: "server_error", message: "GPU on fire" }),
      "Retryable",
      /GPU on fire/,
    ],
    [
      "a named error event",
      sse('event: error\ndata: {"type":"error","code":"x","message":"GPU on fire"}'),
      "Retryable",
      /GPU on fire/,
    ],
    ["a response still under way", json({ status: "queued", output: [] }), "Retryable", /queued/],
    ["a stream without end", sse({ type: "response.created", response: {} }), "Retryable", /broke off/],
    ["an event of another kind", sse({ hello: "world" }), "Retryable", /no response event/],
    [
      "a prompt refused",
      sse({ type: "response.failed", response: { ...failed, error: { code: "invalid_prompt", message: "no" } } }),
      "Permanent",
      /refused the request: no/,
    ],
  ];
  it.each(failures)("%s", async (_, handler, name, words) => {
    await expect(askServer(handler, { api })).rejects.toMatchObject({ name, message: expect.stringMatching(words) });
  });
});

describe("a stream that stands still", () => {
  const first = `data: ${JSON.stringify(chunk({ content: "Hel" }))}\n\n`;

  it("is given up, though it has begun", async () => {
    const handler: Handler = (_, response) => {
      response.writeHead(200, headers).write(first);
      return "taken" as const;
    };
    await expect(askServer(handler, { idleTimeoutMs: 60 })).rejects.toMatchObject({
      name: "Retryable",
      message: "The model sent nothing within 0.06 s",
    });
  });

  it("is waited for as long as comments come", async () => {
    const handler: Handler = async (_, response) => {
      response.writeHead(200, headers).write(first);
      for (let i = 0; i < 18; i += 1) {
        await sleep(50);
        response.write(": still thinking\n\n");
      }
      response.end(`data: ${JSON.stringify(chunk({ content: "lo" }, "stop"))}\n\ndata: [DONE]\n\n`);
      return "taken" as const;
    };
    await expect(askServer(handler, { idleTimeoutMs: 700 })).resolves.toMatchObject({ text: "Hello" });
  });

  it("does not fill the memory when it never ends", async () => {
    const filler = "x".repeat(1024 * 1024);
    const handler: Handler = async (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      while (!response.destroyed) {
        if (!response.write(filler)) await sleep(1);
      }
      return "taken" as const;
    };
    const asked = askServer(handler, { timeoutMs: 30_000, stream: false });
    await expect(asked).rejects.toMatchObject({ message: "The model server does not stop sending" });
  }, 30_000);
});

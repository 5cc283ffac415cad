/** The official client is the judge of whether the stand-in speaks its wire formats. */
import { join } from "node:path";
import OpenAI from "openai";
import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import type { ResponseInputItem, ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ModelStandIn, startModel } from "../../../src/stand-ins/model/server.ts";

let standIn: ModelStandIn;
let client: OpenAI;

beforeAll(async () => {
  standIn = await startModel({ scenarioDirectory: join(import.meta.dirname, "fixtures"), apiKey: "toy-key" });
  client = new OpenAI({ baseURL: standIn.baseUrl, apiKey: "toy-key", maxRetries: 0 });
});
afterAll(() => standIn.close());

const schema = { type: "object", properties: { path: { type: "string" } } };
const opening = [
  { role: "system", content: "You are the analyst of a small shop." },
  { role: "user", content: "Ticket TOY-1: the total is wrong. See also UTF-8 and ISO-8859." },
] as const;

const chatRequest = (messages: readonly ChatCompletionMessageParam[]): ChatCompletionCreateParamsNonStreaming => ({
  model: "scripted",
  messages: [...messages],
  tools: ["read_file", "search", "finish"].map((name) => ({
    type: "function",
    function: { name, parameters: schema },
  })),
});
const responsesRequest = (input: readonly ResponseInputItem[]) => ({
  model: "scripted",
  input: [...input],
  tools: ["read_file", "search", "finish"].map(
    (name) => ({ type: "function", name, parameters: schema, strict: false }) as const,
  ),
});

const firstText = "Let me look at the cart first, it is in one file.";
const firstCalls = [
  ["read_file", '{"path":"src/cart.js","reason":"to see how totals are computed"}'],
  ["search", '{"query": "total'],
];

describe("chat completions", () => {
  it("lists its model", async () => {
    const { data } = await client.models.list();
    expect(data.map((model) => model.id)).toEqual(["scripted"]);
  });

  it("answers plainly, turn by turn, and counts what the last request held as cached", async () => {
    const first = await client.chat.completions.create(chatRequest(opening));
    const message = first.choices[0]!.message;
    expect(first.choices[0]!.finish_reason).toBe("tool_calls");
    expect(message.content).toBe(firstText);
    const calls = message.tool_calls!.filter((call) => call.type === "function");
    expect(calls.map((call) => [call.function.name, call.function.arguments])).toEqual(firstCalls);
    expect(first.usage!.prompt_tokens_details!.cached_tokens).toBe(0);

    const results = calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "cart contents" }) as const);
    const second = await client.chat.completions.create(chatRequest([...opening, message, ...results]));
    expect(second.choices[0]!.message.tool_calls).toHaveLength(1);
    expect(second.usage!.prompt_tokens_details!.cached_tokens).toBe(first.usage!.prompt_tokens);
    expect(second.usage!.prompt_tokens).toBeGreaterThan(first.usage!.prompt_tokens);
  });

  it("streams the same answer, arguments in several pieces", async () => {
    const plain = await client.chat.completions.create(chatRequest(opening));
    const stream = client.chat.completions.stream({
      ...chatRequest(opening),
      stream: true,
      stream_options: { include_usage: true },
    });
    let pieces = 0;
    stream.on("chunk", (chunk) => {
      if (chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments) pieces += 1;
    });
    const final = await stream.finalChatCompletion();
    expect(pieces).toBeGreaterThan(4);
    expect(final.choices[0]!.message.content).toBe(firstText);
    expect(final.choices[0]!.message.tool_calls).toMatchObject(plain.choices[0]!.message.tool_calls!);
    expect(final.usage).toEqual(plain.usage);
    expect(final.choices[0]!.finish_reason).toBe("tool_calls");
  });

  it("streams no usage unless asked", async () => {
    const stream = await client.chat.completions.create({ ...chatRequest(opening), stream: true });
    for await (const chunk of stream) expect(chunk.usage).toBeUndefined();
  });
});

describe("responses", () => {
  it("answers plainly and takes its own output back as input", async () => {
    const first = await client.responses.create(responsesRequest(opening));
    expect(first.output_text).toBe(firstText);
    const calls = first.output.filter((item) => item.type === "function_call");
    expect(calls.map((call) => [call.name, call.arguments])).toEqual(firstCalls);
    const results = calls.map(
      (call) => ({ type: "function_call_output", call_id: call.call_id, output: "cart contents" }) as const,
    );
    const second = await client.responses.create(
      responsesRequest([...opening, ...(first.output as ResponseInputItem[]), ...results]),
    );
    expect(second.output.map((item) => item.type)).toEqual(["function_call"]);
    expect(second.usage!.input_tokens_details.cached_tokens).toBe(first.usage!.input_tokens);
  });

  it("streams events that the client puts together to the same response", async () => {
    const plain = await client.responses.create(responsesRequest(opening));
    const stream = client.responses.stream(responsesRequest(opening));
    const seen: ResponseStreamEvent["type"][] = [];
    stream.on("event", (event) => {
      seen.push(event.type);
    });
    const final = await stream.finalResponse();
    expect(final.output).toMatchObject(plain.output);
    expect(final.usage).toEqual(plain.usage);
    expect(seen.at(0)).toBe("response.created");
    expect(seen.at(-1)).toBe("response.completed");
    for (const type of [
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
    ]) {
      expect(seen).toContain(type);
    }
  });
});

describe("what the real service refuses", () => {
  const user = { role: "user", content: "TOY-1" };
  const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
  const tool = (parameters: unknown, name = "f") => ({ type: "function", function: { name, parameters } });
  const chat: [string, Record<string, unknown>, RegExp][] = [
    ["no model", { messages: [user] }, /'model'/],
    ["no messages", { model: "m" }, /'messages'/],
    ["empty messages", { model: "m", messages: [] }, /'messages'/],
    ["unknown role", { model: "m", messages: [{ role: "robot", content: "x" }] }, /Invalid value: 'robot'/],
    [
      "result without call",
      { model: "m", messages: [user, { role: "tool", tool_call_id: "a", content: "" }] },
      /preceeding message/,
    ],
    [
      "result for another call",
      {
        model: "m",
        messages: [
          { role: "assistant", tool_calls: [call] },
          { role: "tool", tool_call_id: "b", content: "" },
        ],
      },
      /preceeding message/,
    ],
    [
      "call without result",
      { model: "m", messages: [{ role: "assistant", tool_calls: [call] }, user] },
      /did not have response messages: a/,
    ],
    [
      "assistant without anything",
      { model: "m", messages: [{ role: "assistant", content: null }] },
      /expected a string, got null/,
    ],
    [
      "schema that is no object",
      { model: "m", messages: [user], tools: [tool({ type: "string" })] },
      /schema must be a JSON Schema of 'type: "object"'/,
    ],
    [
      "tool name with a space",
      { model: "m", messages: [user], tools: [tool({ type: "object" }, "a b")] },
      /does not match pattern/,
    ],
    ["no tools in the list", { model: "m", messages: [user], tools: [] }, /empty array/],
    [
      "stream options without stream",
      { model: "m", messages: [user], stream_options: {} },
      /only allowed when 'stream'/,
    ],
    [
      "parallel calls without tools",
      { model: "m", messages: [user], parallel_tool_calls: true },
      /only allowed when 'tools'/,
    ],
    ["both token limits", { model: "m", messages: [user], max_tokens: 1, max_completion_tokens: 1 }, /same time/],
    ["unknown field", { model: "m", messages: [user], colour: "red" }, /Unknown parameter: 'colour'/],
  ];
  it.each(chat)("chat: %s", async (_, body, words) => {
    await expect(client.post("/chat/completions", { body })).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      message: expect.stringMatching(words),
    });
  });

  const output = { type: "function_call_output", call_id: "a", output: "" };
  const responses: [string, Record<string, unknown>, RegExp][] = [
    ["no model", { input: "x" }, /'model'/],
    ["no input", { model: "m" }, /'input'/],
    ["unknown role", { model: "m", input: [{ role: "tool", content: "x" }] }, /Invalid value: 'tool'/],
    ["result without call", { model: "m", input: [output] }, /No tool call found .* a\./],
    [
      "call without result",
      { model: "m", input: [{ type: "function_call", call_id: "a", name: "f", arguments: "{}" }] },
      /No tool output found/,
    ],
    [
      "id of another kind",
      { model: "m", input: [{ type: "function_call", id: "x", call_id: "a", name: "f", arguments: "{}" }, output] },
      /begins with 'fc'/,
    ],
    ["chat's nested tool", { model: "m", input: "x", tools: [tool({ type: "object" })] }, /'tools\[0\]\.name'/],
    ["state that it does not keep", { model: "m", input: "x", previous_response_id: "resp_1" }, /not found/],
  ];
  it.each(responses)("responses: %s", async (_, body, words) => {
    await expect(client.post("/responses", { body })).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(words),
    });
  });

  it("a wrong key, in OpenAI's error shape", async () => {
    const stranger = new OpenAI({ baseURL: standIn.baseUrl, apiKey: "other-key", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  it("none of that counts as unexpected or unknown", () => {
    expect(standIn.unexpected).toEqual([]);
    expect(standIn.unknown).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { opening, scripted, tools, ways, withResults } from "./scripted.ts";

const twoCalls = [
  { tool: "run", arguments: { what: "npm test", why: "to see whether the tests pass before anything else" } },
  { tool: "run", arguments: '{"what": "broken' },
];

describe.each(ways)("a conversation over $name", (way) => {
  it("goes through calls and results to the end", async () => {
    const { complete, standIn } = await scripted(
      [
        { say: "I will run the tests.", calls: twoCalls },
        { expect: "^passed\npassed$", calls: [{ tool: "finish", arguments: {} }] },
        { say: "Done.\nReally: ä€😀." },
      ],
      way,
    );
    const first = await complete();
    expect(first).toMatchObject({ text: "I will run the tests.", finish: "tool_calls", model: "big" });
    expect(first.toolCalls).toEqual([
      { id: "call00001", name: "run", arguments: JSON.stringify(twoCalls[0]!.arguments) },
      { id: "call00002", name: "run", arguments: '{"what": "broken' },
    ]);
    expect(first.usage).toMatchObject({ cachedTokens: 0, estimated: false });
    expect(first.costUsd).toBeCloseTo((first.usage.inputTokens * 2 + first.usage.outputTokens * 8) / 1e6, 12);

    const second = await complete({ messages: withResults(opening, first, "passed") });
    expect(second.toolCalls).toEqual([{ id: "call00003", name: "finish", arguments: "{}" }]);
    const { inputTokens, cachedTokens, outputTokens } = second.usage;
    expect(cachedTokens).toBe(first.usage.inputTokens);
    expect(second.costUsd).toBeCloseTo(
      ((inputTokens - cachedTokens) * 2 + cachedTokens * 0.5 + outputTokens * 8) / 1e6,
      12,
    );

    const third = await complete({ messages: withResults(withResults(opening, first, "passed"), second) });
    expect(third).toMatchObject({ text: "Done.\nReally: ä€😀.", toolCalls: [], finish: "stop" });
    expect(standIn.unexpected).toEqual([]);
    expect(standIn.requests.map((request) => request.status)).toEqual([200, 200, 200]);
  });

  it("sends a prompt that only grows, tools in the given order, and no fields that the provider may not know", async () => {
    const { complete, bodies } = await scripted([{ calls: twoCalls }, { say: "Done." }], way);
    const first = await complete();
    await complete({ messages: withResults(opening, first) });
    const [one, two] = bodies();
    const key = way.api === "chat" ? "messages" : "input";
    const before = one![key] as unknown[];
    expect((two![key] as unknown[]).slice(0, before.length)).toEqual(before);
    expect(two!.tools).toEqual(one!.tools);
    expect(JSON.stringify(one!.tools)).toMatch(/run.*finish/);
    const rest = new Set(Object.keys(one!));
    for (const name of ["model", key, "tools", "max_tokens", "max_output_tokens", "stream"]) rest.delete(name);
    expect([...rest]).toEqual(way.api === "chat" && way.stream ? ["stream_options"] : []);
  });

  it("sends no empty list of tools", async () => {
    const { complete, bodies } = await scripted([{ say: "Hello." }], way);
    await complete({ tools: [] });
    expect(bodies()[0]).not.toHaveProperty("tools");
  });

  it("wraps broken arguments on the way back, since some servers parse them", async () => {
    const { complete, bodies } = await scripted([{ calls: twoCalls }, { say: "Done." }], way);
    await complete({ messages: withResults(opening, await complete()) });
    const sent = JSON.stringify(bodies()[1]);
    expect(sent).toContain(JSON.stringify(JSON.stringify({ unreadable_arguments: '{"what": "broken' })));
  });

  it.each(["same", "empty"] as const)("gives calls ids of its own when the server's are %s", async (callIds) => {
    const turns = [
      { calls: twoCalls, callIds },
      { calls: [{ tool: "run" }], callIds },
      { say: "Done.", expect: "ok" },
    ];
    const { complete } = await scripted(turns, way);
    const first = await complete();
    const second = await complete({ messages: withResults(opening, first) });
    const ids = [...first.toolCalls, ...second.toolCalls].map((call) => call.id);
    expect(ids).toEqual(["call00001", "call00002", "call00003"]);
    await expect(complete({ messages: withResults(withResults(opening, first), second) })).resolves.toMatchObject({
      text: "Done.",
    });
  });

  it("hands on a refusal", async () => {
    const { complete } = await scripted([{ refusal: "I cannot help with that, sorry." }], way);
    await expect(complete()).resolves.toMatchObject({
      finish: "refusal",
      text: "I cannot help with that, sorry.",
      toolCalls: [],
    });
  });

  it("says when the answer was cut at the limit", async () => {
    const { complete } = await scripted([{ say: "I was about to", finish: "length" }], way);
    await expect(complete()).resolves.toMatchObject({ finish: "length", text: "I was about to" });
  });

  it("estimates usage that the server does not report", async () => {
    const { complete } = await scripted([{ say: "x".repeat(40), usage: "none" }], way);
    const { usage, costUsd } = await complete();
    const characters =
      opening.map((message) => ("text" in message ? message.text : "")).join("").length + JSON.stringify(tools).length;
    expect(usage).toEqual({
      inputTokens: Math.ceil(characters / 4),
      cachedTokens: 0,
      outputTokens: 10,
      estimated: true,
    });
    expect(costUsd).toBeGreaterThan(0);
  });

  it("hands on an empty answer and can go on after it", async () => {
    const { complete, standIn } = await scripted([{}, { say: "Now then." }], way);
    const empty = await complete();
    expect(empty).toMatchObject({ text: "", toolCalls: [], finish: "stop" });
    const messages = [...withResults(opening, empty), { role: "user", text: "Please go on." } as const];
    await expect(complete({ messages })).resolves.toMatchObject({ text: "Now then." });
    expect(standIn.requests).toHaveLength(2);
  });
});

describe("which model is asked", () => {
  it("the one of the role, else the common one", async () => {
    const { complete, bodies } = await scripted([{ say: "Hello." }], { roles: { qa: { model: "small" } } });
    await complete();
    await complete({ role: "writer" });
    expect(bodies().map((body) => body.model)).toEqual(["small", "big"]);
  });

  it("costs nothing without a price, and says so once", async () => {
    const { complete, logged } = await scripted([{ say: "Hello." }], { prices: {} });
    expect((await complete()).costUsd).toBe(0);
    await complete();
    expect(logged).toEqual(['model has no price in the configuration, its cost counts as 0 {"model":"big"}']);
  });
});

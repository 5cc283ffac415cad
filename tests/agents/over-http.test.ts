/** The loop with the real model client, over HTTP, in both wire formats: what a server sees is a conversation that it accepts. */
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Agent, TurnRecord } from "../../src/agents/agent.ts";
import { runAgent } from "../../src/agents/loop.ts";
import { Understanding } from "../../src/domain/handoff.ts";
import { createModel } from "../../src/models/model.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type ModelStandIn, type Scenario, startModel } from "../../src/stand-ins/model/server.ts";
import { createCommandLog } from "../../src/tools/commands.ts";
import type { Tool } from "../../src/tools/tool.ts";

const apiKey = "test-key-1234567890";
let server: ModelStandIn | undefined;
afterEach(() => server?.close());

const read: Tool = {
  name: "read_file",
  description: "Read a file.",
  input: z.object({ path: z.string() }),
  execute: async (input) => `contents of ${(input as { path: string }).path}`,
};

const agent: Agent<Understanding> = {
  name: "analyst",
  prompt: "prompts/analyst.md",
  tools: [read],
  output: Understanding,
  limits: { turns: 8, outputTokens: 1000, formatErrors: 2, minutes: 1 },
};

const understanding = {
  summary: "Totals ignore the discount.",
  kind: "bug",
  acceptanceCriteria: ["Totals include it"],
};
const finish = { calls: [{ tool: "finish", arguments: understanding }] };
const reads = (...paths: string[]) => ({ calls: paths.map((path) => ({ tool: "read_file", arguments: { path } })) });

async function play(api: "chat" | "responses", turns: Scenario["agents"][string]) {
  server = await startModel({ apiKey, scenarios: [{ ticket: "SHOP-1", agents: { analyst: turns } }] });
  const model = createModel({
    baseUrl: server.baseUrl,
    apiKey,
    api,
    model: "scripted",
    prices: { scripted: { inputPerMillion: 1, outputPerMillion: 4 } },
    timeoutMs: 5000,
    maxRetries: 1,
    retryDelayMs: 1,
    log: silentLog,
  });
  const signal = new AbortController().signal;
  const records: TurnRecord[] = [];
  const result = await runAgent(
    agent,
    { values: {}, task: "Understand SHOP-1." },
    {
      model,
      toolContext: { commands: createCommandLog(), signal, commandTimeoutMs: 1000 },
      signal,
      log: silentLog,
      onTurn: async (turn) => void records.push(turn),
    },
  ).finally(() => expect([server?.unknown, server?.unexpected]).toEqual([[], []]));
  return { result, records };
}

describe.each(["chat", "responses"] as const)("over %s", (api) => {
  it.each<[name: string, turns: number, script: Scenario["agents"][string]]>([
    ["at once", 1, [finish]],
    ["after reading", 3, [reads("a.ts"), { say: "And another.", ...reads("b.ts", "c.ts") }, finish]],
    [
      "with the same id on every call",
      3,
      [{ ...reads("a.ts", "b.ts"), callIds: "same" }, { ...reads("c.ts"), callIds: "same" }, finish],
    ],
    ["with empty ids", 2, [{ ...reads("a.ts", "b.ts"), callIds: "empty" }, finish]],
    ["without usage", 2, [{ ...reads("a.ts"), usage: "none" }, finish]],
    ["after saying nothing", 2, [{ say: "" }, finish]],
    ["after prose", 2, [{ say: "I shall think about it." }, finish]],
    ["after a reply that was cut off", 2, [{ say: "Well", finish: "length" }, finish]],
    ["after broken arguments", 2, [{ calls: [{ tool: "finish", arguments: "{]" }] }, finish]],
    [
      "after an unknown tool and a bad answer",
      3,
      [{ calls: [{ tool: "bash", arguments: {} }] }, { calls: [{ tool: "finish", arguments: {} }] }, finish],
    ],
    ["after a broken connection", 2, [{ ...reads("a.ts"), cut: true, times: 1 }, finish]],
    ["finishing beside other calls", 1, [{ calls: [...finish.calls, ...reads("a.ts").calls] }]],
  ])("finishes %s", async (_name, turns, script) => {
    const { result, records } = await play(api, script);
    expect(result.output).toEqual({ ...understanding, outOfScope: [], questions: [] });
    expect(result.turns).toBe(turns);
    expect(records.length).toBe(turns);
    expect(result.usage.inputTokens).toBeGreaterThan(0);
    expect(result.costUsd).toBeGreaterThan(0);
  });

  it("ends on a refusal with the model's words", async () => {
    await expect(play(api, [{ refusal: "I cannot help with that." }])).rejects.toThrow(
      "the analyst agent's model refused: I cannot help with that.",
    );
  });
});

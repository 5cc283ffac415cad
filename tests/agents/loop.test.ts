import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Agent, AgentServices, TurnRecord } from "../../src/agents/agent.ts";
import { runAgent } from "../../src/agents/loop.ts";
import { OverBudget, Permanent, Retryable } from "../../src/domain/errors.ts";
import type { Model, ModelMessage, ModelReply, ToolCall } from "../../src/domain/ports.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createCommandLog } from "../../src/tools/commands.ts";
import { type Tool, ToolRefusal } from "../../src/tools/tool.ts";
import { call, type Scripted, scripted } from "./scripted.ts";

const Output = z.object({ title: z.string().min(1), files: z.array(z.string()).default([]) });

/** Tools in the size of the loop: one reads, one refuses, one breaks, one waits until it is told to stop. */
function toolbox() {
  const done: string[] = [];
  const read: Tool = {
    name: "read",
    description: "Read a file.",
    input: z.object({ path: z.string().min(1), from: z.number().int().optional() }),
    async execute(input) {
      const { path } = input as { path: string };
      done.push(`read ${path}`);
      if (path === "missing") throw new ToolRefusal("there is no file \u200Bmissing");
      if (path === "broken") throw new TypeError("our bug");
      if (path === "long") return `head${"x".repeat(100_000)}tail`;
      return `contents of ${path}`;
    },
  };
  const wait: Tool = {
    name: "wait",
    description: "Wait.",
    input: z.object({}),
    execute: (_input, context) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason as Error), { once: true });
      }),
  };
  return { done, tools: [read, wait] };
}

interface Options {
  limits?: Partial<Agent<unknown>["limits"]>;
  services?: Partial<AgentServices>;
  task?: string;
}

function start(script: readonly Scripted[] | Model, options: Options = {}) {
  const model = "complete" in script ? script : scripted(script);
  const { done, tools } = toolbox();
  const agent: Agent<z.infer<typeof Output>> = {
    name: "analyst",
    prompt: "prompts/analyst.md",
    tools,
    output: Output,
    limits: { turns: 12, outputTokens: 1000, formatErrors: 2, minutes: 1, ...options.limits },
  };
  const turns: TurnRecord[] = [];
  const signal = new AbortController().signal;
  const result = runAgent(
    agent,
    { values: {}, task: options.task ?? "Do it." },
    {
      model,
      toolContext: { commands: createCommandLog(), signal, commandTimeoutMs: 1000 },
      signal,
      log: silentLog,
      onTurn: async (turn) => {
        turns.push(turn);
      },
      ...options.services,
    },
  );
  // Tests look at what was recorded after a failure, too.
  result.catch(() => undefined);
  return { result, turns, done, requests: "requests" in model ? (model as ReturnType<typeof scripted>).requests : [] };
}

const finish = (args: unknown = { title: "Done" }): Partial<ModelReply> => ({ toolCalls: [call("finish", args)] });
const read = (path: string): Partial<ModelReply> => ({ toolCalls: [call("read", { path })] });
const texts = (messages: readonly ModelMessage[] | undefined): string[] =>
  (messages ?? []).map((message) => message.text);

describe("a run without trouble", () => {
  it("reads, finishes, and adds everything up", async () => {
    const run = start([
      read("a.ts"),
      { text: "thinking", ...read("b.ts") },
      finish({ title: "Done", files: ["a.ts"] }),
    ]);
    await expect(run.result).resolves.toEqual({
      output: { title: "Done", files: ["a.ts"] },
      turns: 3,
      usage: { inputTokens: 300, cachedTokens: 30, outputTokens: 60, estimated: false },
      costUsd: 0.03,
      commands: [],
    });
    expect(run.done).toEqual(["read a.ts", "read b.ts"]);
    expect(run.requests[2]?.messages.at(-1)?.text).toBe("result of read (data):\n```\ncontents of b.ts\n```");
  });

  it("keeps the prefix of the conversation stable", async () => {
    const run = start([read("a"), read("b"), finish()]);
    await run.result;
    const [first, second, third] = run.requests;
    expect(second?.messages.slice(0, first?.messages.length)).toEqual(first?.messages);
    expect(third?.messages.slice(0, second?.messages.length)).toEqual(second?.messages);
    expect(first?.messages.map((message) => message.role)).toEqual(["system", "user"]);
    expect(first?.messages[0]?.text).toMatch(/^You are the analyst agent of Ticketsmith\./);
    expect(third?.tools).toEqual(first?.tools);
  });

  it("offers finish with the output schema as plain JSON Schema", async () => {
    const run = start([finish()]);
    await run.result;
    expect(run.requests[0]?.tools.map((tool) => tool.name)).toEqual(["read", "wait", "finish"]);
    expect(run.requests[0]?.tools.at(-1)?.parameters).toEqual({
      type: "object",
      properties: {
        title: { type: "string" },
        files: { type: "array", items: { type: "string" } },
      },
      required: ["title"],
    });
    expect(JSON.stringify(run.requests[0]?.tools)).not.toMatch(/\$schema|9007199254740991/);
  });

  it("records every turn; together they are the whole conversation", async () => {
    const run = start([read("a"), finish()]);
    await run.result;
    expect(
      run.turns.map((turn) => [turn.turn, turn.added.map((message) => message.role), turn.reply?.finish, turn.error]),
    ).toEqual([
      [1, ["system", "user", "assistant", "tool"], "tool_calls", null],
      [2, ["assistant"], "tool_calls", null],
    ]);
    expect(run.turns[0]?.reply).toMatchObject({ model: "scripted", costUsd: 0.01 });
  });
});

/**
 * Everything that models are known to write instead of a clean tool call. The first reply is the bad one, then a good `finish` follows.
 * `told` is what the model must be told; null: mended without a word.
 */
const truncated = '{"title":"Half of a long te';
const forms: [name: string, reply: Partial<ModelReply>, told: RegExp | null][] = [
  ["nothing at all", {}, /called no tool/],
  ["prose instead of a call", { text: "I will now read the file." }, /called no tool/],
  ["the answer as text", { text: '{"title":"Done"}' }, /called no tool/],
  ["a call written as text", { text: '<tool_call>{"name":"finish"}</tool_call>' }, /called no tool/],
  ["cut off before any call", { text: "Let me", finish: "length" }, /cut off at 1000 tokens/],
  [
    "cut off within the arguments",
    { toolCalls: [call("finish", truncated)], finish: "length" },
    /cut off at 1000 tokens in the arguments of finish/,
  ],
  [
    "cut off, but the arguments could be mended",
    { toolCalls: [call("finish", '{"title":"Half"')], finish: "length" },
    /cut off/,
  ],
  [
    "cut off within a string, unannounced",
    { toolCalls: [call("finish", truncated)] },
    /arguments of finish are wrong:\nnot valid JSON/,
  ],
  ["no JSON", { toolCalls: [call("finish", "done!")] }, /must be one JSON object, not a string|not valid JSON/],
  ["empty arguments", { toolCalls: [call("finish", "")] }, /title: /],
  ["an array", { toolCalls: [call("finish", [{ title: "x" }])] }, /not an array/],
  ["null", { toolCalls: [call("finish", "null")] }, /not null/],
  ["a number", { toolCalls: [call("finish", "42")] }, /not a number/],
  [
    "two objects in a row",
    { toolCalls: [call("finish", '{"title":"a"}{"title":"b"}')] },
    /not an array|not valid JSON/,
  ],
  ["a missing field", { toolCalls: [call("finish", {})] }, /title: Invalid input/],
  [
    "a wrong type",
    { toolCalls: [call("finish", { title: "x", files: "a.ts" })] },
    /files: Invalid input: expected array/,
  ],
  [
    "a wrong type deep inside",
    { toolCalls: [call("finish", { title: "x", files: ["a", 1] })] },
    /files\.1: Invalid input/,
  ],
  ["a value out of bounds", { toolCalls: [call("finish", { title: "" })] }, /title: Too small/],
  ["the schema instead of values", { toolCalls: [call("finish", { type: "object", properties: {} })] }, /title: /],
  ["only a prototype", { toolCalls: [call("finish", '{"__proto__":{"title":"x"}}')] }, /title: /],
  ["arguments wrapped once more", { toolCalls: [call("finish", { arguments: { title: "x" } })] }, /title: /],
  ["an unknown tool", { toolCalls: [call("bash", { cmd: "ls" })] }, /no tool "bash". Tools: read, wait, finish\./],
  ["a tool without name", { toolCalls: [call("", {})] }, /no tool ""/],
  ["a tool named like a method", { toolCalls: [call("toString", {})] }, /no tool "toString"/],
  ["a tool with a name as long as a book", { toolCalls: [call("x\n\u200B".repeat(50_000), {})] }, /no tool "x x x/],
  [
    "bad arguments of another tool",
    { toolCalls: [call("read", { file: "a" })] },
    /arguments of read are wrong:\npath: /,
  ],
  [
    "finish beside a bad call",
    { toolCalls: [call("finish", { title: "x" }), call("read", {})] },
    /Not accepted: another call/,
  ],
  [
    "finish twice, both wrong",
    { toolCalls: [call("finish", {}), call("finish", "[")] },
    /arguments of finish are wrong/,
  ],
  ["a null byte and lone surrogates", { text: "\u0000\uD800" }, /called no tool/],
  ["megabytes of brackets", { toolCalls: [call("finish", "[".repeat(200_000))] }, /arguments of finish are wrong/],
  ["a fenced object", { toolCalls: [call("finish", '```json\n{"title":"x"}\n```')] }, null],
  ["a trailing comma", { toolCalls: [call("finish", '{"title":"x",}')] }, null],
  ["single quotes", { toolCalls: [call("finish", "{'title':'x'}")] }, null],
  ["no quotes around keys", { toolCalls: [call("finish", '{title:"x"}')] }, null],
  ["a missing bracket", { toolCalls: [call("finish", '{"title":"x","files":["a"')] }, null],
  ["Python's constants", { toolCalls: [call("finish", '{"title":"x","more":None}')] }, null],
  ["a comment", { toolCalls: [call("finish", '{"title":"x" /* done */}')] }, null],
  ["a line end within a string", { toolCalls: [call("finish", '{"title":"x\ny"}')] }, null],
  ["JSON in a JSON string", { toolCalls: [call("finish", JSON.stringify('{"title":"x"}'))] }, null],
  ["an extra field", { toolCalls: [call("finish", { title: "x", mood: "good" })] }, null],
  ["blanks around the name", { toolCalls: [call(" finish\n", { title: "x" })] }, null],
  ["finish marked as stop", { ...finish(), finish: "stop" }, null],
  ["finish whole in spite of a cut", { ...finish(), finish: "length" }, null],
  ["finish twice", { toolCalls: [call("finish", { title: "x" }), call("finish", { title: "y" })] }, null],
  ["finish before other calls", { toolCalls: [call("finish", { title: "x" }), call("read", { path: "a" })] }, null],
];

describe(`what models write instead (${forms.length} forms)`, () => {
  it.each(forms)("%s", async (_name, bad, told) => {
    const run = start([bad, finish({ title: "second" })]);
    const { output, turns } = await run.result;
    if (told === null) {
      expect(turns).toBe(1);
      return;
    }
    expect(turns).toBe(2);
    expect(output.title).toBe("second");
    const said = run.turns[0]?.added.slice(3) ?? [];
    expect(texts(said).join("\n")).toMatch(told);
    expect(texts(said).join("\n").length).toBeLessThan(2000);
    for (const message of run.requests[1]?.messages ?? []) {
      if (message.role !== "assistant") continue;
      for (const each of message.toolCalls) expect(each.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    }
    // Every call has exactly one answer, as all servers demand.
    const ids = (bad.toolCalls ?? []).map((each: ToolCall) => each.id);
    const answered = said.flatMap((message) => (message.role === "tool" ? [message.callId] : []));
    expect(answered.toSorted()).toEqual(ids.toSorted());
  });

  it.each(forms.filter(([, , told]) => told !== null))(
    "%s, again and again: two repairs, then an end",
    async (_name, bad) => {
      const run = start([bad]);
      await expect(run.result).rejects.toThrow(Permanent);
      await expect(run.result).rejects.toThrow(/^the analyst agent gave no usable answer after 2 repairs: \S/);
      expect(run.turns.length).toBe(3);
      expect(run.turns[2]?.error).toMatch(/no usable answer/);
    },
  );

  it("counts bad replies in a row only", async () => {
    const bad: Scripted = { text: "hm" };
    const run = start([bad, bad, read("a"), bad, bad, read("b"), finish()]);
    await expect(run.result).resolves.toMatchObject({ turns: 7 });
  });

  it("runs what can be run beside a bad call", async () => {
    const run = start([{ toolCalls: [call("nope"), call("read", { path: "a" })] }, finish()]);
    await run.result;
    expect(run.done).toEqual(["read a"]);
  });

  it("never writes half an argument that was cut off", async () => {
    const run = start([{ toolCalls: [call("read", '{"path":"src/a.ts and mo')] }, finish()]);
    await run.result;
    expect(run.done).toEqual([]);
  });

  it("gives up on a model that refuses, with its words", async () => {
    const run = start([{ finish: "refusal", text: "I cannot\nhelp with\u200B that." }]);
    await expect(run.result).rejects.toThrow(Permanent);
    await expect(run.result).rejects.toThrow("the analyst agent's model refused: I cannot help with that.");
    expect(run.turns[0]?.added.at(-1)).toMatchObject({ role: "assistant" });
  });
});

describe("tools", () => {
  it("hands a refusal to the model and holds a hasty finish back", async () => {
    const hasty = { toolCalls: [call("read", { path: "missing" }), call("finish", { title: "hasty" })] };
    const run = start([hasty, finish({ title: "after a look" })]);
    await expect(run.result).resolves.toMatchObject({ output: { title: "after a look" } });
    expect(texts(run.turns[0]?.added.slice(-2))).toEqual([
      "refused: there is no file missing",
      expect.stringMatching(/^Not accepted/),
    ]);
  });

  it("does not count a refusal as a bad reply", async () => {
    const run = start(
      [..."abcdef"]
        .map(() => read("missing"))
        .slice(0, 2)
        .concat([read("a"), read("missing"), finish()]),
    );
    await expect(run.result).resolves.toMatchObject({ turns: 5 });
  });

  it("lets bugs through, and the turn is recorded", async () => {
    const run = start([read("broken")]);
    await expect(run.result).rejects.toThrow(TypeError);
    expect(run.turns.map((turn) => turn.error)).toEqual(["our bug"]);
    expect(run.turns[0]?.added.length).toBe(3);
  });

  it("caps long results", async () => {
    const run = start([read("long"), finish()]);
    await run.result;
    const text = run.turns[0]?.added.at(-1)?.text ?? "";
    expect(Buffer.byteLength(text)).toBeLessThan(24_200);
    expect(text).toMatch(/head[\s\S]*left out[\s\S]*tail/);
  });

  it("compacts a long conversation and still records it in full", async () => {
    const script = Array.from({ length: 11 }, (_, i) => ({ toolCalls: [call("read", { path: "long", from: i })] }));
    const run = start([...script, finish()]);
    await run.result;
    const last = run.requests.at(-1)?.messages ?? [];
    expect(texts(last).join("").length).toBeLessThan(160_000);
    expect(last[3]?.text).toMatch(/characters left out to save room/);
    expect(last.slice(0, 2)).toEqual(run.requests[0]?.messages);
    expect(
      run.turns.flatMap((turn) => turn.added).filter((m) => m.role === "tool" && m.text.length > 20_000).length,
    ).toBe(11);
  });
});

describe("circles", () => {
  it("remarks at the third identical call and ends at the fifth", async () => {
    const run = start([read("a")]);
    await expect(run.result).rejects.toThrow('the analyst agent goes in circles: 5 times read {"path":"a"}');
    const remarks = run.turns.map((turn) => texts(turn.added).some((text) => /this very call/.test(text)));
    expect(remarks).toEqual([false, false, true, true, false]);
    expect(run.done.length).toBe(4);
  });

  it("notices circles of two, and spelling does not hide them", async () => {
    const run = start(
      Array.from({ length: 12 }, (_, i) =>
        i % 2 === 0 ? read("a") : { toolCalls: [call("read", '{ "path" : "b" }')] },
      ),
    );
    await expect(run.result).rejects.toThrow(/goes in circles/);
    expect(run.turns.length).toBeLessThanOrEqual(10);
  });

  it("lets the same call be made again after something new", async () => {
    const script = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? read("same") : read(`new ${i}`)));
    await expect(start([...script, finish()]).result).resolves.toMatchObject({ turns: 11 });
  });
});

describe("limits", () => {
  it("ends at the limit of turns", async () => {
    const run = start(
      Array.from({ length: 9 }, (_, i) => read(`${i}`)),
      { limits: { turns: 4 } },
    );
    await expect(run.result).rejects.toThrow(OverBudget);
    await expect(run.result).rejects.toThrow("the analyst agent gave no answer within its limit of 4 turns");
    expect(run.turns.length).toBe(4);
  });

  it("ends when the minutes are over, in the middle of a tool", async () => {
    const run = start([{ toolCalls: [call("wait")] }], { limits: { minutes: 0.0005 } });
    await expect(run.result).rejects.toThrow(OverBudget);
    await expect(run.result).rejects.toThrow("the analyst agent ran out of its 0.0005 minutes");
    expect(run.turns.length).toBe(1);
  });

  it("stops when it is told to, with the reason that it was given", async () => {
    const abort = new AbortController();
    const model = scripted([
      async () => {
        abort.abort(new Error("the run was cancelled"));
        return read("a");
      },
    ]);
    const run = start(model, { services: { signal: abort.signal } });
    await expect(run.result).rejects.toThrow("the run was cancelled");
    expect(run.done).toEqual([]);
    expect(run.turns.length).toBe(1);
  });

  it("lets an outage of the model through, recorded", async () => {
    const run = start([
      read("a"),
      async () => {
        throw new Retryable("overloaded", { afterMs: 5 });
      },
    ]);
    await expect(run.result).rejects.toThrow(Retryable);
    expect(run.turns.map((turn) => [turn.reply === null, turn.error])).toEqual([
      [false, null],
      [true, "overloaded"],
    ]);
  });
});

describe("money", () => {
  function purse(limit = Number.POSITIVE_INFINITY) {
    const log: string[] = [];
    return {
      log,
      async reserve(usd: number, tokens: number) {
        if (usd > limit) throw new OverBudget("the ticket's budget is used up");
        log.push(`reserve ${usd.toFixed(3)} ${tokens > 1000}`);
      },
      async settle(usage: { outputTokens: number }, usd: number) {
        log.push(`settle ${usd.toFixed(3)} ${usage.outputTokens}`);
      },
    };
  }

  it("reserves before every call and settles after it", async () => {
    const budget = purse();
    await start([read("a"), finish()], { services: { budget } }).result;
    expect(budget.log).toEqual([
      "reserve 0.000 true",
      "settle 0.010 20",
      expect.stringMatching(/^reserve 0\.[1-9]\d+ true/),
      "settle 0.010 20",
    ]);
  });

  it("settles with nothing when the call failed", async () => {
    const budget = { ...purse(), priceUsd: (input: number, output: number) => (input + output) / 1e6 };
    const run = start([async () => Promise.reject(new Retryable("down"))], { services: { budget } });
    await expect(run.result).rejects.toThrow("down");
    expect(budget.log).toEqual([expect.stringMatching(/^reserve 0\.00[1-9] true/), "settle 0.000 0"]);
  });

  it("does not ask the model when the money does not reach", async () => {
    const budget = { ...purse(0.001), priceUsd: () => 1 };
    const run = start([finish()], { services: { budget } });
    await expect(run.result).rejects.toThrow(OverBudget);
    expect(run.requests).toEqual([]);
    expect(run.turns.map((turn) => turn.error)).toEqual(["the ticket's budget is used up"]);
  });
});

describe("saving the transcript", () => {
  const unsaved = async (): Promise<void> => {
    throw new Error("the disk is full");
  };

  it("stops when a turn cannot be saved", async () => {
    await expect(start([read("a")], { services: { onTurn: unsaved } }).result).rejects.toThrow("the disk is full");
  });

  it("keeps the error of the turn when both fail", async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    const run = start([read("broken")], { services: { onTurn: unsaved, log } });
    await expect(run.result).rejects.toThrow("our bug");
    expect(errors).toEqual(["the turn of an agent could not be saved"]);
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Permanent, Retryable, UserError } from "../../src/domain/errors.ts";
import type { Model, ModelMessage, ModelReply, ModelRequest } from "../../src/domain/ports.ts";
import { withCassette } from "../../src/models/cassette.ts";
import { silentLog } from "../../src/platform/log.ts";
import { registerSecret } from "../../src/platform/redact.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-cassette-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const { signal } = new AbortController();

function reply(text: string): ModelReply {
  const usage = { inputTokens: 5, cachedTokens: 1, outputTokens: 2, estimated: false };
  const toolCalls = [{ id: "call00001", name: "run", arguments: '{"argv":["node"]}' }];
  return { text, toolCalls, finish: "tool_calls", usage, costUsd: 0.5, model: "m" };
}

function request(more: readonly ModelMessage[] = [], change: Partial<ModelRequest> = {}): ModelRequest {
  const messages: ModelMessage[] = [
    { role: "system", text: "You are the developer." },
    { role: "user", text: "Make the change for SHOP-1." },
    ...more,
  ];
  return { role: "developer", messages, tools: [], maxOutputTokens: 100, ...change };
}

const said = { role: "assistant", text: "", toolCalls: reply("").toolCalls } as const;
const result = (text: string): ModelMessage => ({ role: "tool", callId: "call00001", text });

/** Never reached when replaying. */
const off: Model = {
  async complete() {
    throw new Error("the model was asked");
  },
};

async function record(...pairs: readonly (readonly [ModelRequest, ModelReply])[]): Promise<void> {
  for (const [asked, answer] of pairs) {
    const model = withCassette({ complete: async () => answer }, { mode: "record", directory, log: silentLog });
    expect(await model.complete(asked, signal)).toBe(answer);
  }
}

const replay = (asked: ModelRequest): Promise<ModelReply> =>
  withCassette(off, { mode: "replay", directory, log: silentLog }).complete(asked, signal);

describe("a cassette", () => {
  it("gives back what was answered, whole", async () => {
    await record([request(), reply("one")], [request([said, result("exit 0")]), reply("two")]);
    expect(await replay(request())).toEqual(reply("one"));
    expect(await replay(request([said, result("exit 0")]))).toEqual(reply("two"));
    expect(
      readdirSync(directory)
        .map((name) => name.slice(0, 13))
        .sort(),
    ).toEqual(["developer-01-", "developer-02-"]);
  });

  it.each([
    ["another duration", "exit 0 (12 ms)", "exit 0 (340 ms)"],
    ["another time", "at 2026-01-02T03:04:05Z", "at 2027-11-12T13:14:15.161+01:00"],
    ["another address", "http://127.0.0.1:4711/browse/SHOP-1", "http://127.0.0.1:4712/browse/SHOP-1"],
    ["another commit", "3f2a9c1d4", "aaaaaaa1"],
  ])("knows a task again with %s", async (_name, then, now) => {
    const task = (text: string): ModelRequest => ({
      ...request(),
      messages: [
        { role: "system", text: "You are the developer." },
        { role: "user", text: `Do it. ${text}` },
      ],
    });
    await record([task(then), reply("one")]);
    expect((await replay(task(now))).text).toBe("one");
  });

  it("goes on when a tool answers otherwise, and prefers the answer to the very same", async () => {
    await record(
      [request([said, result("seed 1")]), reply("to 1")],
      [request([said, result("seed 2")]), reply("to 2")],
    );
    expect((await replay(request([said, result("seed 2")]))).text).toBe("to 2");
    expect((await replay(request([said, result("seed 1")]))).text).toBe("to 1");
    expect((await replay(request([said, result("seed 3")]))).text).toMatch(/^to [12]$/);
  });

  it.each([
    ["another task", { messages: [{ role: "user", text: "Another" }] as const }],
    ["another role", { role: "qa" }],
  ])("has nothing for %s", async (_name, change) => {
    await record([request(), reply("one")]);
    await expect(replay(request([], change))).rejects.toThrow(Permanent);
    await expect(replay(request([], change))).rejects.toThrow(/nothing is recorded in .* for turn 1/);
  });

  it("does not keep failures or secrets, and leaves no half files", async () => {
    registerSecret("hunter2-hunter2");
    const failing: Model = {
      async complete() {
        throw new Retryable("busy");
      },
    };
    const model = withCassette(failing, { mode: "record", directory, log: silentLog });
    await expect(model.complete(request(), signal)).rejects.toThrow("busy");
    expect(readdirSync(directory)).toEqual([]);
    await record([request([said, result("key hunter2-hunter2")]), reply("hunter2-hunter2")]);
    const [name = ""] = readdirSync(directory);
    expect(name).toMatch(/^developer-02-\w{16}-\w{16}\.json$/);
    expect(readFileSync(path.join(directory, name), "utf8")).not.toContain("hunter2");
  });

  it("as a cache answers the very same request again, for nothing, and asks about every other", async () => {
    let asked = 0;
    const counting: Model = {
      async complete() {
        asked += 1;
        return reply(`answer ${asked}`);
      },
    };
    const cached = (models: unknown = "m"): Model =>
      withCassette(counting, { mode: "cache", directory, models, log: silentLog });
    const same = request([said, result("exit 0 (12 ms)")]);
    expect(await cached().complete(same, signal)).toEqual(reply("answer 1"));
    const again = await cached().complete(same, signal);
    const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, estimated: false };
    expect(again).toEqual({ ...reply("answer 1"), usage, costUsd: 0 });
    expect((await cached().complete(request([said, result("exit 0 (13 ms)")]), signal)).text).toBe("answer 2");
    expect((await cached("other").complete(same, signal)).text).toBe("answer 3");
    expect((await cached().complete({ ...same, maxOutputTokens: 99 }, signal)).text).toBe("answer 4");
    expect((await cached().complete(same, signal)).text).toBe("answer 1");
  });

  it("says what is wrong with the folder or a file", async () => {
    await record([request(), reply("one")]);
    const [name = ""] = readdirSync(directory);
    for (const broken of ["{", "{}", '{"version":2}']) {
      writeFileSync(path.join(directory, name), broken);
      await expect(replay(request())).rejects.toThrow(/is not a recording of ours/);
    }
    rmSync(directory, { recursive: true });
    await expect(replay(request())).rejects.toThrow(UserError);
    await expect(
      withCassette(off, { mode: "replay", directory, log: silentLog }).complete(
        request(),
        AbortSignal.abort(new Error("cancelled")),
      ),
    ).rejects.toThrow("cancelled");
  });
});

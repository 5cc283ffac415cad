import { expect, it } from "vitest";
import { compact, conversationSize } from "../../src/agents/compact.ts";
import type { ModelMessage } from "../../src/domain/ports.ts";

function conversation(turns: number, result: number, argument: number): ModelMessage[] {
  const messages: ModelMessage[] = [
    { role: "system", text: "s".repeat(500) },
    { role: "user", text: "t".repeat(5000) },
  ];
  for (let i = 0; i < turns; i += 1) {
    const call = { id: `c${i}`, name: "edit", arguments: JSON.stringify({ path: "a", text: "x".repeat(argument) }) };
    messages.push(
      { role: "assistant", text: "", toolCalls: [call] },
      { role: "tool", callId: `c${i}`, text: "r".repeat(result) },
    );
  }
  return messages;
}

it("leaves a conversation within bounds as it is", () => {
  const messages = conversation(5, 100, 10);
  expect(compact(messages, 10_000)).toBe(messages);
});

it("replaces old results and keeps prefix, newest messages and the pairing of calls", () => {
  const messages = conversation(20, 1000, 10);
  const small = compact(messages, 20_000);
  expect(conversationSize(small)).toBeLessThanOrEqual(12_000);
  expect(small.slice(0, 2)).toEqual(messages.slice(0, 2));
  expect(small.slice(-8)).toEqual(messages.slice(-8));
  expect(small.length).toBe(messages.length);
  expect(small[3]).toEqual({
    role: "tool",
    callId: "c0",
    text: "[1000 characters left out to save room; make the call again if you need them]",
  });
});

it("cuts long arguments of old calls when that is not enough, and they stay JSON", () => {
  const small = compact(conversation(20, 10, 3000), 30_000);
  expect(conversationSize(small)).toBeLessThan(30_000);
  for (const message of small) {
    if (message.role !== "assistant") continue;
    for (const call of message.toolCalls) expect(JSON.parse(call.arguments)).toMatchObject({ path: "a" });
  }
});

it("does not change again until the limit is reached again, so that a server's cache holds", () => {
  const small = compact(conversation(20, 1000, 10), 20_000);
  expect(compact([...small, ...conversation(3, 1000, 10).slice(2)], 20_000).slice(0, small.length)).toEqual(small);
});

it("survives broken arguments and a conversation with nothing to leave out", () => {
  const broken: ModelMessage = { role: "assistant", text: "", toolCalls: [{ id: "b", name: "x", arguments: "{" }] };
  const messages: ModelMessage[] = [...conversation(0, 0, 0), broken, ...conversation(10, 0, 5000).slice(2)];
  expect(compact(messages, 1000)[2]).toMatchObject({ toolCalls: [{ arguments: "{}" }] });
  expect(compact(conversation(0, 0, 0), 10)).toEqual(conversation(0, 0, 0));
});

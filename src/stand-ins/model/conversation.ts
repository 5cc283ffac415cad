/** A request without its wire format, and the answer that a scenario has for it. */
import { createHash } from "node:crypto";
import type { Message } from "./message.ts";
import type { Policy } from "./policy.ts";
import { type CheckedScenario, checkTurn, type Turn } from "./scenario.ts";

/** A message of the model: what it said and what it called. */
export function saidBy(text: string, calls: NonNullable<Message["calls"]>): Message {
  const all = text + calls.map((call) => call.name + call.arguments).join("");
  return calls.length === 0 ? { role: "assistant", text: all } : { role: "assistant", text: all, calls };
}

/** Two messages of the model as one. */
export function joined(first: Message, second: Message): Message {
  const calls = [...(first.calls ?? []), ...(second.calls ?? [])];
  return { ...first, text: first.text + second.text, ...(calls.length === 0 ? {} : { calls }) };
}

/** What both wire formats are brought to. */
export interface Conversation {
  readonly model: string;
  readonly messages: readonly Message[];
  /** The tools as JSON text, for counting tokens. */
  readonly tools: string;
  readonly toolNames: readonly string[];
  readonly stream: boolean;
}

export interface AnswerCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface AnswerUsage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/** An answer without its wire format. */
export interface Answer {
  /** Hash of the request, the stem of all ids. */
  readonly id: string;
  readonly model: string;
  readonly text: string;
  readonly refusal: string | undefined;
  readonly calls: readonly AnswerCall[];
  readonly cutShort: boolean;
  readonly usage: AnswerUsage | undefined;
}

/** Where in the scenarios a request is. */
export interface Place {
  readonly agent: string;
  readonly ticket: string;
  /** 0-based: number of assistant messages in the request. */
  readonly number: number;
  readonly turn: Turn;
}

/** Finds the turn that a request asks for; a sentence about what is missing when there is none. Policies go before scenarios. */
export function locate(
  conversation: Conversation,
  scenarios: ReadonlyMap<string, CheckedScenario>,
  policies: ReadonlyMap<string, Policy> = new Map(),
): Place | string {
  const { messages } = conversation;
  const system = messages.filter((message) => message.role === "system").map((message) => message.text);
  const agent = /You are the (\w+)/.exec(system.join("\n"))?.[1];
  if (agent === undefined) return 'the system message does not say "You are the <agent>"';
  const keys = messages.flatMap((message) => message.text.match(/\b[A-Z][A-Z0-9]+-\d+\b/g) ?? []);
  const known = (key: string): boolean => policies.has(key) || scenarios.has(key);
  const ticket = keys.find(known) ?? (known("*") ? "*" : undefined);
  if (ticket === undefined)
    return `no scenario for the ${agent} on any of: ${[...new Set(keys)].join(", ") || "no ticket"}`;
  const number = messages.filter((message) => message.role === "assistant").length;
  const policy = policies.get(ticket);
  if (policy !== undefined) {
    const asked = { agent, ticket, turn: number, messages, tools: conversation.toolNames };
    return {
      agent,
      ticket,
      number,
      turn: checkTurn(policy(asked), `policy of ${ticket} for the ${agent}, turn ${number}`),
    };
  }
  const turn = scenarios.get(ticket)?.agents[agent]?.[number];
  if (turn === undefined) return `scenario ${ticket}/${agent} has no turn ${number}`;
  const seen = newest(messages);
  if (turn.expect !== undefined && !new RegExp(turn.expect, "s").test(seen)) {
    return `scenario ${ticket}/${agent} turn ${number} expected /${turn.expect}/ but saw: ${seen.slice(0, 2000)}`;
  }
  return { agent, ticket, number, turn };
}

/** What was said since the model's last turn. */
function newest(messages: readonly Message[]): string {
  const last = messages.findLastIndex((message) => message.role === "assistant");
  return messages
    .slice(last + 1)
    .map((message) => message.text)
    .join("\n");
}

/** Four characters are about one token (OpenAI's rule of thumb for English). */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/**
 * The answer of a turn. The same request always gets the same answer, ids included.
 * Counted as cached: what the request for the previous turn held already (tools and everything before the last assistant message).
 */
export function answer(conversation: Conversation, turn: Turn): Answer {
  const { model, tools } = conversation;
  const messages = conversation.messages.map(({ role, text }) => ({ role, text }));
  const id = createHash("sha256").update(JSON.stringify({ model, messages, tools })).digest("hex").slice(0, 24);
  const text = turn.say ?? "";
  const calls = turn.calls.map((call, i) => ({
    id: turn.callIds === "same" ? "call_0" : turn.callIds === "empty" ? "" : `call_${id}${i}`,
    name: call.tool,
    arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
  }));
  const last = messages.findLastIndex((message) => message.role === "assistant");
  const size = (part: readonly Message[]): number => tokens(tools + part.map((message) => message.text).join("\n"));
  const written = text + (turn.refusal ?? "") + calls.map((call) => call.name + call.arguments).join("");
  return {
    id,
    model,
    text,
    refusal: turn.refusal,
    calls,
    cutShort: turn.finish === "length",
    usage:
      turn.usage === "none"
        ? undefined
        : { input: size(messages), cached: last > 0 ? size(messages.slice(0, last)) : 0, output: tokens(written) },
  };
}

/** The text in pieces of at most `size` characters; none for an empty text. */
export function pieces(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
}

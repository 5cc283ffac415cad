/** Models that are programs: a function from the conversation so far to the next answer. */
import type { Message } from "./message.ts";
import type { WrittenTurn } from "./scenario.ts";

/** A request as a policy sees it. */
export interface Asked {
  readonly agent: string;
  readonly ticket: string;
  /** 0-based: how often this agent has answered in this conversation. */
  readonly turn: number;
  readonly messages: readonly Message[];
  /** Names of the tools that are offered. */
  readonly tools: readonly string[];
}

/** Says what the model answers. Must give the same answer to the same request: requests are repeated. */
export type Policy = (asked: Asked) => WrittenTurn;

/** What the tools answered since the model's last turn, in the order of its calls. */
export function results(asked: Asked): string[] {
  const last = asked.messages.findLastIndex((message) => message.role === "assistant");
  return asked.messages.slice(last + 1).flatMap((message) => (message.role === "tool" ? [message.text] : []));
}

/** Calls of all turns so far of the tool `name`. */
export function callsOf(asked: Asked, name: string): number {
  return asked.messages.flatMap((message) => message.calls ?? []).filter((call) => call.name === name).length;
}

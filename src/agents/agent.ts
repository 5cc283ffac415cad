/** What an agent is. Agents propose: they hold no credential and no writer, and end with one object that a schema has checked. */
import type { z } from "zod";
import type { CommandResult, Model, ModelMessage, ModelReply, Usage } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";

/** Steps know agents, not tools: what they need to fill a tool context comes from here. */
export { createCommandLog } from "../tools/commands.ts";
export { defaultCommands } from "../tools/run.ts";

export interface Limits {
  /** Most replies of the model; then the agent is over budget. */
  readonly turns: number;
  /** Most tokens in one reply; a longer one is cut off by the server and the model is told to do less at once. */
  readonly outputTokens: number;
  /** Most replies in a row that cannot be used and are sent back with the reason; one more ends the agent. */
  readonly formatErrors: number;
  /** Most minutes on the clock, waiting for the model and for tools included; then the agent is over budget. */
  readonly minutes: number;
}

export interface Agent<Output> {
  readonly name: "analyst" | "planner" | "developer" | "reviewer" | "qa" | "devops" | "writer";
  /** Name of the template of the system prompt, e.g. `prompts/analyst.md`. */
  readonly prompt: string;
  readonly tools: readonly Tool[];
  /** What the agent must hand over to finish. */
  readonly output: z.ZodType<Output>;
  readonly limits: Limits;
}

/** One turn for the transcript. The `added` of all turns, one after the other, are the whole conversation, uncut. */
export interface TurnRecord {
  readonly agent: string;
  /** Counted from 1. */
  readonly turn: number;
  /** Messages that this turn added; in the first one the system prompt and the task come first. */
  readonly added: readonly ModelMessage[];
  /** Null when the model did not answer. */
  readonly reply: Pick<ModelReply, "finish" | "model" | "usage" | "costUsd"> | null;
  readonly durationMs: number;
  /** Why the turn broke off, or null. */
  readonly error: string | null;
}

/** Money and tokens. `reserve` throws OverBudget when the estimate does not fit into what is left. */
export interface AgentBudget {
  /** Price of that many tokens in US dollars. Without it the price is taken from the replies so far. */
  priceUsd?(inputTokens: number, outputTokens: number): number;
  reserve(estimateUsd: number, tokens: number): Promise<void>;
  /** Follows every reservation, with zeros when the call failed. */
  settle(usage: Usage, costUsd: number): Promise<void>;
}

export interface AgentInput {
  /** Values of the prompt template. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The first user message: what to do, and the data as sections (see data.ts). */
  readonly task: string;
}

export interface AgentServices {
  readonly model: Model;
  readonly toolContext: ToolContext;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once after every turn, also after one that broke off, and done with before the model is asked again. */
  readonly onTurn?: (turn: TurnRecord) => Promise<void>;
  readonly budget?: AgentBudget;
}

export interface AgentResult<Output> {
  readonly output: Output;
  readonly turns: number;
  /** Sum over all turns. */
  readonly usage: Usage;
  readonly costUsd: number;
  /** Commands that were really run, in order; agents cite them by number, counted from 1. */
  readonly commands: readonly CommandResult[];
}

/** The one loop that all agents run in: ask the model, do what it asks for, hand back the results, until it finishes. */
import { messageOf, OverBudget, Permanent } from "../domain/errors.ts";
import type { ModelMessage, ModelReply, ToolCall, ToolSpec, Usage } from "../domain/ports.ts";
import { render } from "../platform/template.ts";
import type { Agent, AgentInput, AgentResult, AgentServices, TurnRecord } from "./agent.ts";
import { answerReply, finishTool } from "./answer.ts";
import { compact, conversationSize } from "./compact.ts";
import { Repeats } from "./repeats.ts";
import { toolSpec } from "./tool-spec.ts";

interface Conversation {
  messages: readonly ModelMessage[];
  /** Turns begun. */
  turn: number;
  usage: Usage;
  costUsd: number;
  /** Replies in a row that could not be used. */
  unusable: number;
  readonly repeats: Repeats;
  readonly tools: readonly ToolSpec[];
  /** What is still being saved of the turn before. It may take as long as it takes to reserve for the next one, not longer. */
  saving: Promise<void>;
}

const nothing: Usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, estimated: false };

function sum(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    estimated: a.estimated || b.estimated,
  };
}

/** A call as it is kept. OpenAI refuses a conversation with a name in it that no tool could have: `^[a-zA-Z0-9_-]{1,64}$`. */
function sendable(call: ToolCall): ToolCall {
  const name = call.name
    .trim()
    .replace(/[^\w-]/g, "_")
    .slice(0, 64);
  return { ...call, name: name === "" ? "unnamed" : name };
}

/** The tools as a model gets to see them, `finish` last. Its parameters are the agent's output schema. */
export function toolSpecs<Output>(agent: Agent<Output>): readonly ToolSpec[] {
  return [
    ...agent.tools.map((tool) => toolSpec(tool.name, tool.description, tool.input)),
    toolSpec(finishTool, "Hand over your result and end.", agent.output),
  ];
}

/**
 * Runs an agent to its end. Throws OverBudget at a limit of turns, minutes or money; Permanent when the model refuses, goes in
 * circles, or gives nothing usable after the allowed repairs; and what model, tools, budget and `onTurn` throw, as it is.
 * What a tool refuses goes to the model as text. Aborting `services.signal` breaks off the call that is under way.
 */
export async function runAgent<Output>(
  agent: Agent<Output>,
  input: AgentInput,
  services: AgentServices,
): Promise<AgentResult<Output>> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), agent.limits.minutes * 60_000);
  const signal = AbortSignal.any([services.signal, clock.signal]);
  const conversation: Conversation = {
    messages: [
      { role: "system", text: render(agent.prompt, input.values).trim() },
      { role: "user", text: input.task },
    ],
    turn: 0,
    usage: nothing,
    costUsd: 0,
    unusable: 0,
    repeats: new Repeats(),
    tools: toolSpecs(agent),
    saving: Promise.resolve(),
  };
  try {
    while (conversation.turn < agent.limits.turns) {
      signal.throwIfAborted();
      conversation.turn += 1;
      const finished = await takeTurn(agent, conversation, { ...services, signal });
      if (finished === undefined) continue;
      await conversation.saving;
      const { turn, usage, costUsd } = conversation;
      return { output: finished.output, turns: turn, usage, costUsd, commands: services.toolContext.commands.list() };
    }
  } catch (error) {
    if (!clock.signal.aborted || services.signal.aborted) throw error;
    throw new OverBudget(`the ${agent.name} agent ran out of its ${agent.limits.minutes} minutes`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  await conversation.saving;
  throw new OverBudget(`the ${agent.name} agent gave no answer within its limit of ${agent.limits.turns} turns`);
}

/** One turn, recorded whatever happens in it. Returns the output when the agent finished. */
async function takeTurn<Output>(
  agent: Agent<Output>,
  conversation: Conversation,
  services: AgentServices,
): Promise<{ readonly output: Output } | undefined> {
  const startedAt = performance.now();
  const added: ModelMessage[] = conversation.turn === 1 ? [...conversation.messages] : [];
  const add = (...messages: readonly ModelMessage[]): void => {
    conversation.messages = [...conversation.messages, ...messages];
    added.push(...messages);
  };
  const reserved = await reserve(agent, conversation, services);
  let reply: ModelReply | null = null;
  let failure: unknown;
  let settled: Promise<void> | undefined;
  try {
    if (!reserved.ok) throw reserved.error;
    reply = await ask(agent, conversation, services);
    // Beside the tools: both take their time, and neither needs the other.
    settled = services.budget?.settle(reply.usage, reply.costUsd);
    settled?.catch(() => {});
    add({ role: "assistant", text: reply.text, toolCalls: reply.toolCalls.map(sendable) });
    const { toolContext, signal } = services;
    const answer = await answerReply(agent, reply, { toolContext, signal, repeats: conversation.repeats });
    add(...answer.messages);
    await settled;
    countUnusable(agent, conversation, answer.problem);
    return answer.finished;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const durationMs = Math.round(performance.now() - startedAt);
    const turn = { agent: agent.name, turn: conversation.turn, added, reply, durationMs };
    conversation.saving = record(turn, failure, services);
    conversation.saving.catch(() => {});
    if (failure !== undefined) await Promise.allSettled([conversation.saving, settled]);
  }
}

/** Saves a turn. When the turn broke off, its own error matters more than one in saving it. */
async function record(
  turn: Omit<TurnRecord, "error" | "reply"> & { reply: ModelReply | null },
  failure: unknown,
  services: AgentServices,
): Promise<void> {
  const reply = turn.reply && {
    finish: turn.reply.finish,
    model: turn.reply.model,
    usage: turn.reply.usage,
    costUsd: turn.reply.costUsd,
  };
  const { agent, turn: number, durationMs } = turn;
  services.log.debug("an agent took a turn", { agent, turn: number, durationMs, ...reply });
  try {
    await services.onTurn?.({ ...turn, reply, error: failure === undefined ? null : messageOf(failure) });
  } catch (error) {
    if (failure === undefined) throw error;
    services.log.error("the turn of an agent could not be saved", { agent, turn: number, error });
  }
}

function countUnusable<Output>(agent: Agent<Output>, conversation: Conversation, problem: string | undefined): void {
  conversation.unusable = problem === undefined ? 0 : conversation.unusable + 1;
  const { formatErrors } = agent.limits;
  if (conversation.unusable <= formatErrors) return;
  throw new Permanent(`the ${agent.name} agent gave no usable answer after ${formatErrors} repairs: ${problem}`);
}

type Reserved = { readonly ok: true } | { readonly ok: false; readonly error: unknown };

/** Makes room in the conversation and in the budget for the next call, while the turn before is being saved. Throws when that fails. */
async function reserve<Output>(
  agent: Agent<Output>,
  conversation: Conversation,
  services: AgentServices,
): Promise<Reserved> {
  conversation.messages = compact(conversation.messages);
  const { outputTokens } = agent.limits;
  // Three characters to a token is on the safe side for code and prose.
  const size = conversationSize(conversation.messages) + JSON.stringify(conversation.tools).length;
  const inputTokens = Math.ceil(size / 3);
  const estimate = estimateUsd(conversation, services, inputTokens, outputTokens);
  const [saved, reserved] = await Promise.allSettled([
    conversation.saving,
    services.budget?.reserve(estimate, inputTokens + outputTokens),
  ]);
  if (saved.status === "rejected") {
    if (reserved.status === "fulfilled") await services.budget?.settle(nothing, 0);
    throw saved.reason;
  }
  return reserved.status === "fulfilled" ? { ok: true } : { ok: false, error: reserved.reason };
}

/** One call of the model. What was reserved for it is given back when it fails. */
async function ask<Output>(
  agent: Agent<Output>,
  conversation: Conversation,
  services: AgentServices,
): Promise<ModelReply> {
  const { messages, tools } = conversation;
  const request = { role: agent.name, messages, tools, maxOutputTokens: agent.limits.outputTokens };
  const reply = await services.model.complete(request, services.signal).catch(async (error: unknown) => {
    await services.budget?.settle(nothing, 0);
    throw error;
  });
  conversation.usage = sum(conversation.usage, reply.usage);
  conversation.costUsd += reply.costUsd;
  return reply;
}

function estimateUsd(
  conversation: Conversation,
  services: AgentServices,
  inputTokens: number,
  outputTokens: number,
): number {
  if (services.budget?.priceUsd !== undefined) return services.budget.priceUsd(inputTokens, outputTokens);
  const paid = conversation.usage.inputTokens + conversation.usage.outputTokens;
  return paid === 0 ? 0 : (conversation.costUsd / paid) * (inputTokens + outputTokens);
}

/** What the loop makes of one reply of a model: calls are done in order, mistakes go back with a reason, `finish` ends it. */
import { Permanent } from "../domain/errors.ts";
import type { ModelMessage, ModelReply, ToolCall } from "../domain/ports.ts";
import { stripHidden } from "../platform/hidden-text.ts";
import { render } from "../platform/template.ts";
import { type Tool, type ToolContext, ToolRefusal } from "../tools/tool.ts";
import type { Agent } from "./agent.ts";
import { capped, dataSection } from "./data.ts";
import type { Repeats } from "./repeats.ts";
import { readArguments } from "./tool-spec.ts";

/** The same call this often draws a remark, and that often ends the agent. */
const remarkAt = 3;
const stopAt = 5;

/** Name of the tool that every agent has: its arguments are the agent's output. */
export const finishTool = "finish";

export interface Answer<Output> {
  /** What the model is told, one message per call. */
  readonly messages: readonly ModelMessage[];
  /** Set when the agent is done. */
  readonly finished?: { readonly output: Output };
  /** First mistake in form in this reply, if any. */
  readonly problem?: string;
}

interface Outcome {
  readonly text: string;
  /** A mistake in form: the call could not even be tried. */
  readonly problem?: string;
  readonly refused?: boolean;
}

function tell(kind: string, values: Readonly<Record<string, unknown>> = {}): string {
  return render("prompts/reply.md", { reply: { kind, ...values } }).trim();
}

/** A model's words for an error message: one line, visible characters only. */
function words(text: string, most = 300): string {
  const line = stripHidden(text).text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

function badArguments(call: ToolCall, problem: string, cut: boolean, tokens: number): Outcome {
  const text = cut
    ? tell("bad_arguments_cut", { name: call.name, tokens })
    : tell("bad_arguments", { name: call.name, problem });
  return { text, problem: `arguments of ${call.name}: ${words(problem)}` };
}

async function execute(tool: Tool, input: unknown, context: ToolContext): Promise<Outcome> {
  try {
    const result = await tool.execute(input, context);
    return { text: dataSection(`result of ${tool.name}`, capped(result)) };
  } catch (error) {
    if (!(error instanceof ToolRefusal)) throw error;
    return { text: `refused: ${capped(stripHidden(error.message).text, 2000)}`, refused: true };
  }
}

export interface AnswerServices {
  readonly toolContext: ToolContext;
  readonly signal: AbortSignal;
  readonly repeats: Repeats;
}

async function perform<Output>(
  agent: Agent<Output>,
  call: ToolCall,
  cut: boolean,
  services: AnswerServices,
): Promise<Outcome> {
  const tool = agent.tools.find((each) => each.name === call.name);
  if (tool === undefined) {
    const name = words(call.name, 60);
    const tools = [...agent.tools.map((each) => each.name), finishTool].join(", ");
    return { text: tell("unknown_tool", { name, tools }), problem: `there is no tool "${name}"` };
  }
  const reading = readArguments(call.arguments, tool.input, { cut });
  if (!reading.ok) return badArguments(call, reading.problem, cut, agent.limits.outputTokens);
  const times = services.repeats.note(`${tool.name} ${JSON.stringify(reading.value)}`);
  if (times >= stopAt) {
    throw new Permanent(
      `the ${agent.name} agent goes in circles: ${times} times ${tool.name} ${words(call.arguments, 200)}`,
    );
  }
  const outcome = await execute(tool, reading.value, { ...services.toolContext, signal: services.signal });
  return times < remarkAt ? outcome : { ...outcome, text: `${outcome.text}\n\n${tell("repeated", { times })}` };
}

/**
 * Does what a reply asks for. Calls are done one after the other, `finish` last, and it counts only when every other call of the
 * reply could be done: a model that finishes in the same breath has not seen what failed. Throws Permanent when the model refuses
 * or goes in circles, and what tools throw beside refusals.
 */
export async function answerReply<Output>(
  agent: Agent<Output>,
  reply: ModelReply,
  services: AnswerServices,
): Promise<Answer<Output>> {
  if (reply.finish === "refusal") throw new Permanent(`the ${agent.name} agent's model refused: ${words(reply.text)}`);
  const cut = reply.finish === "length";
  const calls = reply.toolCalls.map((call) => ({ ...call, name: call.name.trim() }));
  if (calls.length === 0) {
    const text = cut ? tell("cut_off", { tokens: agent.limits.outputTokens }) : tell("no_call");
    return { messages: [{ role: "user", text }], problem: cut ? "the reply was cut off" : "no tool was called" };
  }
  const messages: ModelMessage[] = [];
  const problems: string[] = [];
  let clean = true;
  for (const call of calls.filter((each) => each.name !== finishTool)) {
    services.signal.throwIfAborted();
    const outcome = await perform(agent, call, cut, services);
    messages.push({ role: "tool", callId: call.id, text: outcome.text });
    if (outcome.problem !== undefined) problems.push(outcome.problem);
    clean &&= outcome.problem === undefined && outcome.refused !== true;
  }
  for (const call of calls.filter((each) => each.name === finishTool)) {
    const reading = readArguments(call.arguments, agent.output, { cut });
    if (clean && reading.ok) return { messages, finished: { output: reading.value } };
    const outcome = reading.ok
      ? { text: tell("held_back") }
      : badArguments(call, reading.problem, cut, agent.limits.outputTokens);
    messages.push({ role: "tool", callId: call.id, text: outcome.text });
    if (outcome.problem !== undefined) problems.push(outcome.problem);
  }
  return problems[0] === undefined ? { messages } : { messages, problem: problems[0] };
}

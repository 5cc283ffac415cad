/** Runs an agent for a step: transcript, budget, cancellation and tools come from the step's context. */
import { type Agent, type AgentResult, createCommandLog, defaultCommands } from "../agents/agent.ts";
import { runAgent as loop } from "../agents/loop.ts";
import type { Sandbox, Workspace } from "../domain/ports.ts";
import type { Ticket } from "../domain/ticket.ts";
import type { StepContext } from "./step.ts";

/**
 * @param input.task the first message to the model: what is to be done, outside text in data sections
 * @param input.written where `write_test` notes the paths of its files
 * @param input.sandbox instead of the bot's own
 * @throws what the loop throws (see agents/loop.ts)
 */
export function runAgent<Output>(
  context: StepContext,
  agent: Agent<Output>,
  input: {
    task: string;
    values?: Readonly<Record<string, unknown>>;
    ticket?: Ticket;
    workspace: Workspace;
    written?: Set<string>;
    sandbox?: Sandbox;
  },
): Promise<AgentResult<Output>> {
  const { pages } = context.services;
  const { space } = context.run.target;
  return loop(
    agent,
    { values: input.values ?? {}, task: input.task },
    {
      model: context.services.model,
      toolContext: {
        workspace: input.workspace,
        sandbox: input.sandbox ?? context.services.sandbox,
        ...(input.ticket === undefined ? {} : { ticket: input.ticket }),
        ...(pages === null || space === undefined ? {} : { pages: { reader: pages, space } }),
        ...(input.written === undefined ? {} : { written: input.written }),
        commands: createCommandLog(),
        guidesSeen: new Set(),
        signal: context.signal,
        commandTimeoutMs: context.services.policy.policy.commandSeconds * 1000,
        allowedCommands: [...defaultCommands, ...(context.project.test?.slice(0, 1) ?? [])],
      },
      signal: context.signal,
      log: context.log,
      onTurn: (turn) => context.onTurn(turn),
      budget: {
        ...context.budget,
        priceUsd: (inputTokens, outputTokens) => context.services.priceUsd(agent.name, inputTokens, outputTokens),
      },
    },
  );
}

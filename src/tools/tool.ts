/**
 * What an agent may do. A tool reads, or writes inside the run's own workspace; it has no way to an outside system. Its answer is text
 * for the model. Names, descriptions and refusals are written for a model: short, concrete, with the way to mend the call.
 */
import { z } from "zod";
import type { PageReader, Sandbox, Workspace } from "../domain/ports.ts";
import type { Ticket } from "../domain/ticket.ts";
import { Refusal } from "../workspace/paths.ts";
import type { CommandLog } from "./commands.ts";

/** Thrown by a tool that did nothing; the message goes back to the model as the answer. Anything else is a failure of ours. */
export { Refusal as ToolRefusal };

export interface ToolContext {
  readonly workspace?: Workspace;
  readonly sandbox?: Sandbox;
  readonly ticket?: Ticket;
  /** The project's wiki, where it has one. */
  readonly pages?: { readonly reader: Pick<PageReader, "searchPages">; readonly space: string };
  /** Every command that was run, numbered; what an agent claims about a command is checked against it. */
  readonly commands: CommandLog;
  /** Paths of the files that `write_test` made, as the tool notes them. */
  readonly written?: Set<string>;
  readonly signal: AbortSignal;
  readonly commandTimeoutMs: number;
  /** Directories whose `AGENTS.md` the agent has seen; without it none is shown. */
  readonly guidesSeen?: Set<string>;
  /** Programs that `run` accepts; default `defaultCommands`. */
  readonly allowedCommands?: readonly string[];
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Schema of the arguments object; strict, with a description per field. */
  readonly input: z.ZodType;
  /**
   * Checks the arguments and carries out the call. Returns the answer for the model. Throws ToolRefusal for a call that must be
   * mended; other errors (UserError, the signal's reason, bugs) are not for the model.
   */
  execute(input: unknown, context: ToolContext): Promise<string>;
}

/** Makes a tool out of a schema and a function on checked arguments. */
export function defineTool<S extends z.ZodType>(tool: {
  name: string;
  description: string;
  input: S;
  execute: (input: z.infer<S>, context: ToolContext) => Promise<string>;
}): Tool {
  return {
    name: tool.name,
    description: tool.description,
    input: tool.input,
    async execute(input, context) {
      const checked = tool.input.safeParse(input);
      if (!checked.success) throw new Refusal(`wrong arguments for ${tool.name}:\n${z.prettifyError(checked.error)}`);
      return tool.execute(checked.data, context);
    },
  };
}

/** The workspace of a context. A tool list that does not fit its agent's context is a bug, hence no Refusal. */
export function workspaceOf(context: ToolContext): Workspace {
  if (context.workspace === undefined) throw new Error("this agent was given a file tool but no workspace");
  return context.workspace;
}

/** Schema of a path argument. */
export const PathInput = z.string().max(1000).describe("e.g. src/index.js");

/** Schema of where a page of a long answer begins. */
export const FromInput = z.number().int().min(1).default(1).describe("Go on from this number");

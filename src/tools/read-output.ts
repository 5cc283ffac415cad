import { z } from "zod";
import { outputLines } from "./commands.ts";
import { paged } from "./page.ts";
import { defineTool, FromInput, ToolRefusal } from "./tool.ts";

export const readOutput = defineTool({
  name: "read_output",
  description: "Read on in the output of a command whose answer was cut.",
  input: z.strictObject({ command: z.number().int().min(1).describe("Its number"), from: FromInput }),
  async execute({ command, from }, context) {
    const result = context.commands.get(command);
    if (result === undefined) throw new ToolRefusal(`there is no command #${command}`);
    const lines = outputLines(result);
    if (lines.length === 0) return `command #${command} printed nothing`;
    return paged(lines, { from, what: "lines", lines: 200, characters: 12_000 });
  },
});

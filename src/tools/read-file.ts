import { z } from "zod";
import { nearestGuide } from "./guides.ts";
import { linesOf, numbered, readText } from "./text-file.ts";
import { defineTool, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

const mostLines = 400;
const mostCharacters = 40_000;

export const readFile = defineTool({
  name: "read_file",
  description: `Read a text file, with line numbers (a number and a tab before each line, not part of the file). At most ${mostLines} lines per call.`,
  input: z.strictObject({
    path: PathInput,
    from: z.number().int().min(1).default(1).describe("First line, starting at 1"),
    to: z.number().int().min(1).optional().describe("Last line"),
  }),
  async execute({ path, from, to }, context) {
    const lines = linesOf(await readText(workspaceOf(context).root, path));
    if (lines.length === 0) return `${path} is empty`;
    if (from > lines.length) throw new ToolRefusal(`${path} has only ${lines.length} lines`);
    if (to !== undefined && to < from) throw new ToolRefusal(`"to" (${to}) is before "from" (${from})`);
    let end = Math.min(to ?? lines.length, lines.length, from + mostLines - 1);
    let text = numbered(lines.slice(from - 1, end), from);
    while (text.length > mostCharacters && end > from) {
      end = from + Math.floor((end - from) / 2);
      text = numbered(lines.slice(from - 1, end), from);
    }
    const guide =
      context.guidesSeen === undefined ? "" : await nearestGuide(workspaceOf(context).root, path, context.guidesSeen);
    const next = end < lines.length ? `; go on with from=${end + 1}` : "";
    return `${path}, lines ${from}-${end} of ${lines.length}${next}\n${text}${guide}`;
  },
});

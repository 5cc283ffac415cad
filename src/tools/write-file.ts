import { z } from "zod";
import { writeInside } from "../workspace/tree.ts";
import { linesOf } from "./text-file.ts";
import { defineTool, PathInput, workspaceOf } from "./tool.ts";

export const writeFile = defineTool({
  name: "write_file",
  description: "Create a file, or replace a whole one. To change a part of a file use edit_file.",
  input: z.strictObject({
    path: PathInput,
    content: z.string().max(500_000),
  }),
  async execute({ path, content }, context) {
    const outcome = await writeInside(workspaceOf(context).root, path, content);
    return `${outcome} ${path} (${linesOf(content).length} lines)`;
  },
});

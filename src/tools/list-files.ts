import { z } from "zod";
import { listInside } from "../workspace/tree.ts";
import { defineTool, PathInput, workspaceOf } from "./tool.ts";

const limit = 500;

export const listFiles = defineTool({
  name: "list_files",
  description: "List files and directories of the repository. Directories end with a slash.",
  input: z.strictObject({
    path: PathInput.default(".").describe("Directory to list; default the root of the repository"),
    depth: z.number().int().min(1).max(10).default(2).describe("How many levels to show; default 2"),
  }),
  async execute({ path, depth }, context) {
    const { paths, more } = await listInside(workspaceOf(context).root, path, { depth, limit });
    if (paths.length === 0) return `${path} is empty`;
    return more
      ? `${paths.join("\n")}\n[only the first ${limit}: list a subdirectory, or less depth]`
      : paths.join("\n");
  },
});

import { z } from "zod";
import { listInside } from "../workspace/tree.ts";
import { paged } from "./page.ts";
import { defineTool, FromInput, PathInput, workspaceOf } from "./tool.ts";

const page = 300;
const most = 20_000;

export const listFiles = defineTool({
  name: "list_files",
  description: "List files and directories. Directories end with a slash.",
  input: z.strictObject({
    path: PathInput.default(".").describe("Directory; default the root"),
    depth: z.number().int().min(1).max(10).default(2).describe("Levels; default 2"),
    from: FromInput,
  }),
  async execute({ path, depth, from }, context) {
    const { paths, more } = await listInside(workspaceOf(context).root, path, { depth, limit: most });
    if (paths.length === 0) return `${path} is empty`;
    return paged(paths, { from, what: "entries", lines: page, characters: 16_000, more });
  },
});

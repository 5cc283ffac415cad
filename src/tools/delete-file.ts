import { z } from "zod";
import { deleteInside } from "../workspace/tree.ts";
import { defineTool, PathInput, workspaceOf } from "./tool.ts";

export const deleteFile = defineTool({
  name: "delete_file",
  description: "Delete one file.",
  input: z.strictObject({ path: PathInput }),
  async execute({ path }, context) {
    await deleteInside(workspaceOf(context).root, path);
    return `deleted ${path}`;
  },
});

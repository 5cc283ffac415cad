import { z } from "zod";
import { NotThere, Refusal } from "../workspace/paths.ts";
import { deleteInside, writeInside } from "../workspace/tree.ts";
import { applyHunks } from "./hunks.ts";
import { type FilePatch, parsePatch } from "./patch-text.ts";
import { readText } from "./text-file.ts";
import { defineTool, ToolRefusal, workspaceOf } from "./tool.ts";

const mostFiles = 50;

/** What a file becomes; null where there is (or shall be) none. */
interface Change {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly note: string;
}

async function textOrNone(root: string, path: string): Promise<string | null> {
  try {
    return await readText(root, path);
  } catch (error) {
    // Every other refusal (a link, a directory, no text) stands.
    if (error instanceof NotThere) return null;
    throw error;
  }
}

/** What a part of the patch does to its file. Throws ToolRefusal with all that is wrong with it. */
async function changeOf(root: string, patch: FilePatch): Promise<Change> {
  const { path, action, hunks } = patch;
  const before = await textOrNone(root, path);
  if (action === "delete") {
    if (before === null) throw new ToolRefusal(`${path}: there is no such file to delete`);
    return { path, before, after: null, note: `deleted ${path}` };
  }
  if (action === "edit" && before === null)
    throw new ToolRefusal(`${path}: there is no such file (new files: --- /dev/null)`);
  if (action === "create" && before !== null) throw new ToolRefusal(`${path}: it is there already: edit it`);
  if (hunks.length === 0 && action === "edit") throw new ToolRefusal(`${path}: the patch changes nothing in it`);
  const applied = applyHunks(before ?? "", hunks);
  if (!applied.ok) throw new ToolRefusal(applied.complaints.map((complaint) => `${path}, ${complaint}`).join("\n"));
  const at = applied.spots[0];
  const note = action === "create" ? `created ${path}` : `edited ${path} (from line ${at})`;
  return { path, before, after: applied.text, note };
}

async function put(root: string, path: string, text: string | null): Promise<void> {
  if (text === null) await deleteInside(root, path);
  else await writeInside(root, path, text);
}

/** Writes all changes; when one cannot be written, those before it are taken back. */
async function writeAll(root: string, changes: readonly Change[]): Promise<void> {
  const done: Change[] = [];
  try {
    for (const change of changes) {
      await put(root, change.path, change.after);
      done.push(change);
    }
  } catch (error) {
    for (const change of done.reverse()) await put(root, change.path, change.before);
    throw error;
  }
}

export const applyPatch = defineTool({
  name: "apply_patch",
  description:
    "Apply a unified diff to one or more files, whole or not at all. Hunks are found by their lines, which must be exact; line numbers may be wrong.",
  input: z.strictObject({
    patch: z
      .string()
      .min(1)
      .max(400_000)
      .describe(
        "--- a/path, +++ b/path (/dev/null for new or deleted files), then @@ hunks with 2-3 unchanged lines around",
      ),
  }),
  async execute({ patch }, context) {
    const { root } = workspaceOf(context);
    const files = parsePatch(patch);
    if (files.length > mostFiles) throw new ToolRefusal(`at most ${mostFiles} files at once`);
    const changes: Change[] = [];
    const problems: string[] = [];
    for (const file of files) {
      try {
        changes.push(await changeOf(root, file));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        problems.push(error.message);
      }
    }
    if (problems.length > 0) throw new ToolRefusal(`nothing was changed.\n${problems.join("\n")}`);
    await writeAll(root, changes);
    return changes.map(({ note }) => note).join("\n");
  },
});

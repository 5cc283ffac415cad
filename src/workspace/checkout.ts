/** A run's tree of plain files, compared with the commit that it came from. */
import { isUtf8 } from "node:buffer";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../domain/errors.ts";
import type { Workspace } from "../domain/ports.ts";
import type { Scratch } from "./scratch.ts";
import { createTurns } from "./turns.ts";

/** Renames are shown as a deletion and an addition: whoever checks paths sees both. */
const compare = ["diff", "--cached", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"] as const;

/** A line for `info/attributes` that makes git treat exactly this path as binary. */
function binaryAttribute(file: string): string {
  const pattern = file.replace(/[\\*?[\]]/g, "\\$&");
  return `${JSON.stringify(`/${pattern}`)} -diff\n`;
}

function checkTree(id: string): string {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) throw new Error(`not a snapshot: ${JSON.stringify(id)}`);
  return id;
}

/**
 * Makes index and work tree equal to a tree, touching only what differs; what the index does not know is deleted, and with
 * `ignoredToo` also what `.gitignore` names.
 */
export async function switchTo(scratch: Scratch, tree: string, options: { ignoredToo: boolean }): Promise<void> {
  await scratch.git(["read-tree", "--reset", "-u", tree]);
  await scratch.git(["clean", "-ffdq", ...(options.ignoredToo ? ["-x"] : []), "--", "."]);
}

/** The workspace over an already filled tree. `scratch` has the index and `tree` as its work tree. */
export function createCheckout(input: { tree: string; base: string; scratch: Scratch }): Workspace {
  const { scratch, base } = input;
  const inTurn = createTurns();

  async function changes(): Promise<{ path: string; status: string }[]> {
    // Relative to the tree, ignored files left out as `git add` does for everybody.
    await scratch.git(["add", "--all", "--", "."]);
    const fields = (await scratch.git([...compare, "--name-status", "-z", base, "--"])).toString("utf8").split("\0");
    const found: { path: string; status: string }[] = [];
    for (let i = 0; i + 1 < fields.length; i += 2) found.push({ status: fields[i] ?? "", path: fields[i + 1] ?? "" });
    return found;
  }

  const patchOf = (...files: string[]): Promise<Buffer> =>
    scratch.git([...compare, "--binary", "--full-index", base, "--", ...files.map((file) => `:(literal,top)${file}`)]);

  async function diff(): Promise<string> {
    const changed = await changes();
    if (changed.length === 0) return "";
    const patch = await patchOf();
    if (isUtf8(patch)) return patch.toString("utf8");
    // Text in another encoding (Latin-1 …) stands raw in a patch and would not survive as a string: send those files as binary.
    const foreign: string[] = [];
    for (const file of changed) if (!isUtf8(await patchOf(file.path))) foreign.push(file.path);
    await writeFile(path.join(scratch.directory, "info/attributes"), foreign.map(binaryAttribute).join(""));
    const safe = await patchOf();
    if (!isUtf8(safe))
      throw new UserError("the change touches files whose names or contents git cannot put in a patch");
    return safe.toString("utf8");
  }

  async function snapshot(): Promise<string> {
    await scratch.git(["add", "--all", "--", "."]);
    return scratch.gitLine(["write-tree"]);
  }

  return {
    root: input.tree,
    base,
    diff: () => inTurn("index", diff),
    changedFiles: () => inTurn("index", changes),
    snapshot: () => inTurn("index", snapshot),
    // Ignored files stay: they are in no patch, and no snapshot could bring them back.
    restore: (id) => inTurn("index", () => switchTo(scratch, checkTree(id), { ignoredToo: false })),
  };
}

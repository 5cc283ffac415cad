/** A run's tree of plain files, compared with the commit that it came from. */
import type { Workspace } from "../domain/ports.ts";
import type { Scratch } from "./scratch.ts";
import { textPatch } from "./text-patch.ts";
import { createTurns } from "./turns.ts";

/** Renames are shown as a deletion and an addition: whoever checks paths sees both. */
const compare = ["diff", "--cached", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"] as const;

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

  async function diff(): Promise<string> {
    const changed = await changes();
    return textPatch(
      scratch,
      [...compare, base],
      changed.map((file) => file.path),
    );
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

/** A workspace that is nothing but a folder: for tests of what only reads and writes files. */
import type { Workspace } from "../../src/domain/ports.ts";

export function bareWorkspace(root: string): Workspace {
  const unused = (): never => {
    throw new Error("this workspace has no snapshots");
  };
  return {
    root,
    base: "0".repeat(40),
    diff: async () => "",
    changedFiles: async () => [],
    snapshot: async () => unused(),
    restore: async () => unused(),
  };
}

/** Files that a command wrote and that are wanted back (test reports): named before, read after, never trusted. */
import { isUtf8 } from "node:buffer";
import { Refusal, splitPath } from "./paths.ts";
import { readInside } from "./tree.ts";

/** Largest file that is brought back, bytes. A JUnit report of 10,000 tests has about 2 MB. */
export const mostCollected = 4 * 1024 * 1024;

/** What is wanted, as plain relative paths. Throws Refusal for a path that leads out of the tree. */
export function collectPaths(wanted: readonly string[]): string[] {
  return wanted.map((given) => splitPath(given).join("/"));
}

/**
 * Shell text that writes the files to file descriptor 4, each behind a line `<position> <bytes>`. It runs in the sandbox, in the
 * command's directory. Links are left out, and what cannot be read.
 */
export function collectScript(paths: readonly string[]): string {
  return paths
    .map((file, position) => {
      const name = `'./${file.replaceAll("'", "'\\''")}'`;
      return (
        `if test -f ${name} && ! test -L ${name}; then size=$(wc -c < ${name}); ` +
        `if test "$size" -le ${mostCollected}; then echo "${position} $size"; head -c "$size" ${name}; fi; fi`
      );
    })
    .join("; ");
}

/** Reads what `collectScript` wrote. What is not UTF-8 text is left out; a broken stream ends the list. */
export function readCollected(paths: readonly string[], bytes: Buffer): Record<string, string> {
  const files: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const head = /^(\d+) +(\d+)$/.exec(bytes.subarray(at, end < 0 ? at : Math.min(end, at + 40)).toString("latin1"));
    const name = paths[Number(head?.[1] ?? -1)];
    const size = Number(head?.[2] ?? 0);
    if (name === undefined || end + 1 + size > bytes.length) break;
    const content = bytes.subarray(end + 1, end + 1 + size);
    if (isUtf8(content)) files[name] = content.toString("utf8");
    at = end + 1 + size;
  }
  return files;
}

/** The same from a directory of the host, without following links. */
export async function collectFrom(root: string, paths: readonly string[]): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const file of paths) {
    try {
      const content = await readInside(root, file, mostCollected);
      if (isUtf8(content)) files[file] = content.toString("utf8");
    } catch (error) {
      // The command did not write it, or something else than a plain file.
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return files;
}

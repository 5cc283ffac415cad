/**
 * Paths that a model wrote. A path is taken only when it plainly names something inside the tree: no way up or out, no symlink on the
 * way, nothing that some file system would read as `.git`.
 */
import { lstat } from "node:fs/promises";
import path from "node:path";

/** A call that was not carried out, and why, in words that help the model to make a better one. Nothing happened. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** The path is well formed, and nothing is there. */
export class NotThere extends Refusal {}

const longestPath = 1000;
const longestPartBytes = 255;
const deepest = 50;

/**
 * Whether some file system reads a name as `.git`: ext4, HFS+ (ignores invisible characters), NTFS (ignores trailing dots and spaces, streams after a colon, has the short
 * name `git~1`)
 * or one that does not tell cases apart. After git's own is_hfs_dotgit and is_ntfs_dotgit.
 */
export function isDotGit(part: string): boolean {
  const plain = part
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "")
    .toLowerCase()
    .replace(/:.*$/s, "")
    .replace(/[. ]+$/, "");
  return plain === ".git" || /^git~\d+$/.test(plain);
}

/** The parts of a relative path; none for the root itself (`.` or empty). Looks at nothing on disk. Throws Refusal. */
export function splitPath(given: string): string[] {
  const shown = JSON.stringify(given.slice(0, 200));
  if (given.length > longestPath) throw new Refusal(`the path is longer than ${longestPath} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(given) || !given.isWellFormed()) {
    throw new Refusal(`the path ${shown} contains control characters`);
  }
  if (given.includes("\\")) throw new Refusal(`write ${shown} with forward slashes`);
  if (given.startsWith("/") || /^[A-Za-z]:/.test(given)) {
    throw new Refusal(`${shown} is absolute: give a path relative to the root of the repository, e.g. src/index.js`);
  }
  const parts = given.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length > deepest) throw new Refusal(`the path ${shown} is nested too deeply`);
  for (const part of parts) {
    if (/^\.\.[. ]*$/.test(part)) throw new Refusal(`${shown} leads out of the repository: ".." is not allowed`);
    if (isDotGit(part)) throw new Refusal(`${shown} is git's own: it cannot be read or changed`);
    if (Buffer.byteLength(part) > longestPartBytes) throw new Refusal(`a name in ${shown} is longer than 255 bytes`);
  }
  return parts;
}

/**
 * The absolute path for a relative one. Every part that exists is a directory or file of its own, not a symlink; parts may be missing
 * at the end. Throws Refusal. Between this look and a later use the disk could change: reading and writing go through tree.ts.
 */
export async function resolveInside(root: string, given: string): Promise<string> {
  let current = root;
  for (const part of splitPath(given)) {
    current = path.join(current, part);
    const found = await lstat(current).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw error;
    });
    if (found?.isSymbolicLink())
      throw new Refusal(`${path.relative(root, current)} is a symbolic link: it is not followed`);
  }
  return current;
}

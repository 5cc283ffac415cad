/**
 * Reading and writing in a tree that may hold traps. Directories are opened one by one without following links, each by way of the one
 * before, so swapping a directory for a symlink at the wrong moment gains nothing. (Linux, by /proc/self/fd; elsewhere by path.)
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, unlink } from "node:fs/promises";
import path from "node:path";
import { isDotGit, NotThere, Refusal, splitPath } from "./paths.ts";

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

/** What a failed system call means for the one who gave the path; anything else is passed on as it is. */
function explain(error: unknown, given: string): unknown {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      return new NotThere(`there is no ${given}`);
    case "ELOOP":
      return new Refusal(`${given} is a symbolic link or lies behind one: it is not followed`);
    case "ENOTDIR":
      return new Refusal(`a part of ${given} is not a directory, or a symbolic link`);
    case "EISDIR":
      return new Refusal(`${given} is a directory`);
    default:
      return error;
  }
}

/** Opens a directory, making missing ones on the way if asked to, and hands its address to `use`. Throws Refusal. */
async function inDirectory<T>(
  root: string,
  parts: readonly string[],
  make: boolean,
  use: (address: string) => Promise<T>,
): Promise<T> {
  const opened: FileHandle[] = [];
  let address = root;
  const enter = async (next: string, flags: number): Promise<void> => {
    const handle = await open(next, O_RDONLY | O_DIRECTORY | flags);
    opened.push(handle);
    address = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : next;
  };
  try {
    await enter(root, 0);
    for (const part of parts) {
      const next = path.join(address, part);
      if (make) {
        await mkdir(next).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EEXIST") throw error;
        });
      }
      await enter(next, O_NOFOLLOW);
    }
    return await use(address);
  } catch (error) {
    throw explain(error, parts.join("/"));
  } finally {
    await Promise.all(opened.map((handle) => handle.close()));
  }
}

/** The same for the directory that a file is in; `use` gets the address of the file. */
async function inParent<T>(
  root: string,
  given: string,
  make: boolean,
  use: (address: string) => Promise<T>,
): Promise<T> {
  const parts = splitPath(given);
  const name = parts.pop();
  if (name === undefined) throw new Refusal("the path names the repository itself: give the path of a file");
  return inDirectory(root, parts, make, async (directory) => {
    try {
      return await use(path.join(directory, name));
    } catch (error) {
      throw explain(error, given);
    }
  });
}

/** Opens a regular file for `use`. Refusal when there is none, or anything but a plain file. */
function withFile<T>(root: string, given: string, use: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  return inParent(root, given, false, async (address) => {
    // Non-blocking: opening a named pipe would wait for ever.
    const file = await open(address, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw new Refusal(`${given} is a directory: use list_files`);
      if (!found.isFile()) throw new Refusal(`${given} is not a plain file`);
      return await use(file, found.size);
    } finally {
      await file.close();
    }
  });
}

/** The bytes of a regular file. Refusal when there is none, it is larger than `maxBytes`, or anything but a plain file. */
export async function readInside(root: string, given: string, maxBytes: number): Promise<Buffer> {
  return withFile(root, given, async (file, size) => {
    if (size > maxBytes) throw new Refusal(`${given} is too large: ${size} bytes, at most ${maxBytes}`);
    return file.readFile();
  });
}

/** The same as text; null where that would be refused: not there, no plain file, a way out, or too large. */
export async function textInside(root: string, given: string, maxBytes: number): Promise<string | null> {
  try {
    return (await readInside(root, given, maxBytes)).toString("utf8");
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Whether a path names a regular file in the tree. */
export async function isFileInside(root: string, given: string): Promise<boolean> {
  try {
    return await withFile(root, given, async () => true);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Writes a whole file, making its directories. Keeps the mode of an existing one. Returns which of the two it was. */
export async function writeInside(root: string, given: string, content: string): Promise<"created" | "overwritten"> {
  return inParent(root, given, true, async (address) => {
    const before = await lstat(address).catch(() => undefined);
    if (before !== undefined && !before.isFile()) {
      throw new Refusal(
        `${given} is ${before.isDirectory() ? "a directory" : "not a plain file"}: it cannot be written`,
      );
    }
    const file = await open(address, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o644);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    return before === undefined ? "created" : "overwritten";
  });
}

/** Deletes one plain file. Refusal for anything else. */
export async function deleteInside(root: string, given: string): Promise<void> {
  await inParent(root, given, false, async (address) => {
    const found = await lstat(address);
    if (found.isDirectory()) throw new Refusal(`${given} is a directory: delete its files one by one`);
    if (!found.isFile()) throw new Refusal(`${given} is not a plain file`);
    await unlink(address);
  });
}

/**
 * What lies below a directory, sorted, with `/` after directories, down to `depth` levels (1 is the directory itself), at most `limit` entries; `more`
 * tells that there were others. Links are named, never entered.
 */
export async function listInside(
  root: string,
  given: string,
  options: { depth: number; limit: number },
): Promise<{ paths: string[]; more: boolean }> {
  const parts = splitPath(given);
  const paths: string[] = [];
  let more = false;

  async function walk(relative: readonly string[], level: number): Promise<void> {
    const entries = await inDirectory(root, relative, false, (address) => readdir(address, { withFileTypes: true }));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isDotGit(entry.name)) continue;
      if (paths.length >= options.limit) {
        more = true;
        return;
      }
      const here = [...relative, entry.name];
      const name = here.join("/");
      if (entry.isSymbolicLink()) paths.push(`${name} (symbolic link, not followed)`);
      else if (!entry.isDirectory()) paths.push(name);
      else {
        paths.push(`${name}/`);
        if (level < options.depth) await walk(here, level + 1);
      }
    }
  }
  await walk(parts, 1);
  return { paths, more };
}

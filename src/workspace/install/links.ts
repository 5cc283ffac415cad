/**
 * How commands get to see what was installed: the packages themselves are for reading only and shared by all commands; what is copied
 * into a working copy are links to them, so that tools can still write beside them (`node_modules/.cache` and the like).
 */
import { mkdir, readdir, readlink, symlink } from "node:fs/promises";
import path from "node:path";
import { installed } from "./mounts.ts";

/** Levels below the root at which a workspace's own `node_modules` may be. */
const deepest = 6;

/** Shell text for a command's sandbox: lays the links over the working copy. What the repository brings itself stays. */
export const layLinks = [
  `cp -a ${installed}/links/. /workspace/ 2>/dev/null`,
  `if test -d ${installed}/files/python; then`,
  `export PYTHONPATH=${installed}/files/python PATH="$PATH:${installed}/files/python/bin"; fi`,
].join("\n");

/** Makes the links: reads `<entry>/files`, in which nothing is trusted or followed, and fills `<entry>/links`. */
export async function makeLinks(entry: string): Promise<void> {
  const files = path.join(entry, "files");
  const links = path.join(entry, "links");
  await mkdir(links, { mode: 0o755 });

  async function link(relative: string, scoped: boolean): Promise<void> {
    await mkdir(path.join(links, relative), { recursive: true });
    for (const found of await readdir(path.join(files, relative), { withFileTypes: true })) {
      const here = path.join(relative, found.name);
      if (found.isSymbolicLink()) {
        // A member of the workspace: the link leads back into the repository, so it has to start there.
        await symlink(await readlink(path.join(files, here)), path.join(links, here));
      } else if (!scoped && found.isDirectory() && found.name.startsWith("@")) await link(here, true);
      else await symlink(path.posix.join(installed, "files", here), path.join(links, here));
    }
  }

  async function walk(relative: string, level: number): Promise<void> {
    for (const found of await readdir(path.join(files, relative), { withFileTypes: true })) {
      if (!found.isDirectory()) continue;
      const here = path.join(relative, found.name);
      if (found.name === "node_modules") await link(here, false);
      else if (level < deepest && here !== "python") await walk(here, level + 1);
    }
  }
  await walk("", 1);
}

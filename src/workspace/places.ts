/**
 * Where runs have their checkouts. Writing thousands of files takes longer than all the rest of opening a workspace, so a checkout
 * that is no longer needed is kept for the next run on the same repository, which changes only what differs.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { messageOf, Permanent } from "../domain/errors.ts";
import type { Workspace } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { createCheckout, switchTo } from "./checkout.ts";
import { createScratch, type Scratch, scratchAt } from "./scratch.ts";

/** Checkouts without a run that are kept, in all. Each takes as much disk as the repository's files. */
const mostSpare = 4;

interface Place {
  /** Absolute; holds `tree` and `git`. */
  readonly directory: string;
  /** The mirror that its objects are borrowed from. */
  readonly mirror: string;
}

export interface Places {
  /**
   * A checkout at `name` of `base` with `patch` laid over it. One that is there already is made over. `mirror` is the directory of the
   * mirror that has `base`. Permanent when the patch does not apply; then nothing stays behind.
   */
  fill(name: string, content: { mirror: string; base: string; patch: string }): Promise<Workspace>;
  /** Gives a checkout up; nothing happens when there is none. Its path is gone afterwards. */
  leave(name: string): Promise<void>;
  /** Deletes what nobody has touched for so long: spare checkouts, and those that were left behind. Returns how many. */
  sweep(maxAgeMs: number): Promise<number>;
}

/** Git has entries (submodules) whose directories it does not look into: what somebody wrote there would stay. */
async function hasSubmodules(scratch: Scratch): Promise<boolean> {
  return (await scratch.git(["ls-files", "--stage", "-z"])).includes("160000 ");
}

/** `home` is this process's own folder. Calls for one name must come one after the other. */
export function createPlaces(options: { home: string; env: Readonly<Record<string, string>>; log: Log }): Places {
  const { home, env, log } = options;
  const used = new Map<string, Place>();
  const spare: Place[] = [];
  const directoryOf = (name: string): string => path.join(home, "runs", name);
  const forget = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  const scratchOf = ({ directory }: Place): Scratch =>
    scratchAt({ directory: path.join(directory, "git"), tree: path.join(directory, "tree"), env });
  const checkoutOf = (place: Place, base: string): Workspace =>
    createCheckout({ tree: path.join(place.directory, "tree"), base, scratch: scratchOf(place) });

  async function make(place: Place, base: string, patch: string): Promise<void> {
    await forget(place.directory);
    const tree = path.join(place.directory, "tree");
    await mkdir(tree, { recursive: true });
    // Whatever our umask: the sandbox may be another user.
    await chmod(tree, 0o755);
    const scratch = await createScratch({
      directory: path.join(place.directory, "git"),
      mirror: place.mirror,
      tree,
      env,
    });
    // The patch goes into the index first, so each file is written once and nothing is half laid over.
    await scratch.stage(base, patch);
    await scratch.git(["checkout-index", "--all", "--index", "--quiet"]);
  }

  /** False when it cannot be made over: then it has to be made anew. */
  async function makeOver(place: Place, base: string, patch: string): Promise<boolean> {
    const scratch = scratchOf(place);
    try {
      if (await hasSubmodules(scratch)) return false;
      // Attributes for the last diff, see checkout.ts.
      await writeFile(path.join(scratch.directory, "info/attributes"), "");
      const tree = await scratch.treeOf(base, patch);
      await switchTo(scratch, tree, { ignoredToo: true });
      return true;
    } catch (error) {
      if (error instanceof Permanent) throw error;
      log.info("a checkout could not be used again and is made anew", { reason: messageOf(error) });
      return false;
    }
  }

  /** What the run before added to the repository is of no use to the next one. */
  async function withoutOldObjects(place: Place): Promise<void> {
    const objects = path.join(place.directory, "git/objects");
    const own = (await readdir(objects)).filter((name) => name !== "info");
    await Promise.all(own.map((name) => forget(path.join(objects, name))));
  }

  /** Puts a spare checkout of the same mirror at the directory, if there is one. */
  async function takeSpare(directory: string, mirror: string): Promise<Place | undefined> {
    const index = spare.findLastIndex((place) => place.mirror === mirror);
    const [found] = index < 0 ? [] : spare.splice(index, 1);
    if (found === undefined) return undefined;
    await mkdir(path.dirname(directory), { recursive: true });
    await rename(found.directory, directory);
    await withoutOldObjects({ directory, mirror });
    return { directory, mirror };
  }

  async function fill(name: string, content: { mirror: string; base: string; patch: string }): Promise<Workspace> {
    const { mirror, base, patch } = content;
    const directory = directoryOf(name);
    const place = { directory, mirror };
    const known = used.get(name);
    used.delete(name);
    try {
      const there = known?.mirror === mirror ? known : undefined;
      if (there === undefined) await forget(directory);
      const old = there ?? (await takeSpare(directory, mirror));
      if (old === undefined || !(await makeOver(place, base, patch))) await make(place, base, patch);
    } catch (error) {
      await forget(directory);
      throw error;
    }
    used.set(name, place);
    return checkoutOf(place, base);
  }

  async function leave(name: string): Promise<void> {
    const place = used.get(name);
    used.delete(name);
    if (place === undefined) return forget(directoryOf(name));
    const directory = path.join(home, "spare", randomUUID());
    await mkdir(path.dirname(directory), { recursive: true });
    await rename(place.directory, directory);
    spare.push({ ...place, directory });
    // Its age counts from now.
    await writeFile(path.join(directory, "left"), "");
    const [oldest] = spare.length > mostSpare ? spare.splice(0, 1) : [];
    if (oldest !== undefined) await forget(oldest.directory);
  }

  return {
    fill,
    leave,
    async sweep(maxAgeMs) {
      let count = 0;
      const isOld = async (directory: string): Promise<boolean> => {
        const times = await Promise.all(
          [directory, path.join(directory, "left")].map((each) => stat(each).catch(() => null)),
        );
        return times.every((found) => found === null || Date.now() - found.mtimeMs > maxAgeMs);
      };
      for (const folder of ["runs", "spare", "scratch"]) {
        for (const name of await readdir(path.join(home, folder)).catch(() => [])) {
          const directory = path.join(home, folder, name);
          const living = folder === "runs" && used.has(name);
          if (living || !(await isOld(directory))) continue;
          const index = spare.findIndex((place) => place.directory === directory);
          if (index >= 0) spare.splice(index, 1);
          await forget(directory);
          count += 1;
        }
      }
      return count;
    },
  };
}

/**
 * The packages that repositories need for their tests, installed once per lock file under `directory`:
 *
 *     <key>/files    what the package manager left, read-only in every sandbox
 *     <key>/links    laid over a command's working copy (links.ts)
 *     new-<uuid>/    one that is being made
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Dependencies, DependencyState } from "../../domain/dependencies.ts";
import { messageOf } from "../../domain/errors.ts";
import type { CommandResult } from "../../domain/ports.ts";
import type { Log } from "../../platform/log.ts";
import { redact } from "../../platform/redact.ts";
import { userId } from "../root.ts";
import { createTurns } from "../turns.ts";
import { installCommand } from "./inside.ts";
import { makeLinks } from "./links.ts";
import { findLock, type Lock } from "./lock-file.ts";
import { openRegistryDoor } from "./registry-door.ts";

export interface InstallOptions {
  /** Where installations are kept; made when missing. */
  readonly directory: string;
  /** Registries that packages may come from: `registry.example` (https) or `registry.example:4873`. None: nothing is installed. */
  readonly hosts: readonly string[];
  /** Longest time for one installation. */
  readonly timeoutMs: number;
}

/** One command in a sandbox of its own: reads `directory`, may write to `into`, and reaches only the socket in `door`. */
export type RunInstall = (input: {
  directory: string;
  into: string;
  door: string;
  argv: readonly string[];
  timeoutMs: number;
  signal: AbortSignal;
}) => Promise<CommandResult>;

export interface DependencyStore extends Dependencies {
  /** The installation for a tree's lock file, absolute; null when there is none. */
  find(directory: string): Promise<string | null>;
}

/** Installations that are kept; the longest unused goes first. */
const mostKept = 10;
/** One that was used so lately may be in use. */
const restMs = 3_600_000;
/** How long a failure is taken for granted. */
const failureMs = 10 * 60_000;

/** The line of a package manager's output that says most. */
function gistOf(result: CommandResult): string {
  if (result.timedOut) return "it took too long";
  const lines = `${result.stdout}\n${result.stderr}`
    .split("\n")
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, "").trim());
  const telling = lines.filter(
    (line) => line !== "" && !/complete log of this run|^code E?\w+$|_logs|notice/i.test(line),
  );
  return redact(
    telling.find((line) => /error|fail|not found|refused|403|404/i.test(line)) ?? telling.at(-1) ?? "no output",
  ).slice(0, 300);
}

/**
 * `whyNot` says why nothing can be installed here at all, for people, or null. Its methods throw what `run` throws when it is aborted;
 * an installation that fails is a state, not an error.
 */
export function createDependencies(
  options: InstallOptions & {
    readonly run: RunInstall;
    readonly whyNot: () => Promise<string | null>;
    readonly log: Log;
  },
): DependencyStore {
  const { log, hosts, timeoutMs } = options;
  const root = path.resolve(options.directory);
  const inTurn = createTurns();
  const failures = new Map<string, { reason: string; until: number }>();
  const entryOf = (lock: Lock): string => path.join(root, lock.key);

  async function writeManifests(lock: Lock, directory: string): Promise<void> {
    for (const [name, bytes] of lock.manifests) {
      const file = path.join(directory, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
    await chmod(directory, 0o755);
  }

  /** Null when it worked, else why not. */
  async function make(lock: Lock, signal: AbortSignal): Promise<string | null> {
    const fresh = path.join(root, `new-${randomUUID()}`);
    const [manifests, files] = [path.join(fresh, "manifests"), path.join(fresh, "files")];
    for (const place of [manifests, files]) await mkdir(place, { recursive: true });
    const door = await openRegistryDoor(hosts);
    try {
      await writeManifests(lock, manifests);
      if (process.getuid?.() === 0) await chown(files, userId, userId);
      const argv = installCommand(lock.argv);
      const result = await options.run({
        directory: manifests,
        into: files,
        door: door.directory,
        argv,
        timeoutMs,
        signal,
      });
      if (result.exitCode !== 0) {
        const [blocked] = door.refused;
        const [lost] = door.unreachable;
        if (blocked !== undefined) return `policy.install.hosts does not name ${blocked}`;
        return lost === undefined ? gistOf(result) : `${lost} cannot be reached`;
      }
      await rm(manifests, { recursive: true });
      await makeLinks(fresh);
      for (const place of [fresh, files]) await chmod(place, 0o755);
      await rename(fresh, entryOf(lock)).catch((error: NodeJS.ErrnoException) => {
        // Another process was faster, with the same.
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      });
      log.info("dependencies were installed", { lock: lock.file, key: lock.key, durationMs: result.durationMs });
      return null;
    } finally {
      await door.close();
      await rm(fresh, { recursive: true, force: true });
    }
  }

  /** Deletes what nobody has used for longest, beyond what is kept. */
  async function sweep(): Promise<void> {
    const entries = await Promise.all(
      (await readdir(root)).map(async (name) => {
        const place = path.join(root, name);
        return { place, age: Date.now() - ((await stat(place).catch(() => null))?.mtimeMs ?? 0) };
      }),
    );
    const old = entries.toSorted((a, b) => a.age - b.age).slice(mostKept);
    for (const { place } of old.filter(({ age }) => age > restMs)) await rm(place, { recursive: true, force: true });
  }

  async function ensure(lock: Lock, signal: AbortSignal): Promise<DependencyState> {
    const missing = (reason: string): DependencyState => ({ kind: "missing", file: lock.file, reason });
    const entry = entryOf(lock);
    if (existsSync(entry)) {
      await utimes(entry, new Date(), new Date());
      return { kind: "installed", file: lock.file };
    }
    const failed = failures.get(lock.key);
    if (failed !== undefined && failed.until > Date.now()) return missing(failed.reason);
    const impossible = await options.whyNot();
    if (impossible !== null) return missing(impossible);
    let reason: string | null;
    try {
      reason = await make(lock, signal);
    } catch (error) {
      signal.throwIfAborted();
      reason = messageOf(error);
    }
    if (reason === null) {
      failures.delete(lock.key);
      await sweep();
      return { kind: "installed", file: lock.file };
    }
    log.warn("dependencies could not be installed", { lock: lock.file, reason });
    failures.set(lock.key, { reason, until: Date.now() + failureMs });
    return missing(reason);
  }

  return {
    async install({ directory, signal }) {
      const found = await findLock(directory);
      if (found.kind === "none") return found;
      const file = found.kind === "lock" ? found.lock.file : found.file;
      if (hosts.length === 0) return { kind: "missing", file, reason: "policy.install.hosts names no registry" };
      if (found.kind === "refused") return { kind: "missing", file, reason: found.reason };
      return inTurn(found.lock.key, () => ensure(found.lock, signal));
    },
    async find(directory) {
      if (hosts.length === 0) return null;
      const found = await findLock(directory);
      if (found.kind !== "lock") return null;
      const entry = entryOf(found.lock);
      return existsSync(entry) ? entry : null;
    },
  };
}

/**
 * Checkouts for runs and commits on branches. On disk, under `directory`:
 *
 *     mirrors/<repository>-<hash>.git        one bare mirror per repository (mirror.ts)
 *     homes/<process>/runs/<runId>/tree      the files an agent works on: no `.git` in it, so nothing written there is configuration
 *     homes/<process>/runs/<runId>/git       index and new objects of that tree, out of reach of the tree's tools
 *     homes/<process>/spare/<uuid>/          a checkout whose run is over, kept for the next one (places.ts)
 *     homes/<process>/scratch/<uuid>         where a commit is made and pushed from; the sandbox never saw it
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { Permanent } from "../domain/errors.ts";
import type { BranchWriter, CodeReader, Workspaces } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { putOnBranch } from "./branch.ts";
import { homeIn, removeAbandonedHomes } from "./home.ts";
import { compareIn, mergeIn } from "./merge.ts";
import { createMirrors, type Mirror } from "./mirror.ts";
import { createPlaces } from "./places.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { createTurns } from "./turns.ts";

export interface WorkspacesOptions {
  /** Where everything is kept; created when missing. Only the bot's user should be able to write there. */
  readonly directory: string;
  /** GitLab token with `read_repository` and `write_repository`. */
  readonly token: string;
  readonly log: Log;
  /** The bot's identity: commits by it count as ours, beside those by the payload's own author. */
  readonly author?: { readonly name: string; readonly email: string };
  /** Asked for the clone address when a branch is to be pushed for a repository that this machine never opened. */
  readonly code?: Pick<CodeReader, "readProject">;
  /** What git needs at this site: `PATH`, `HTTPS_PROXY`, `NO_PROXY`, `GIT_SSL_CAINFO`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Longest time without any byte from the GitLab server, milliseconds; default 2 min. */
  readonly timeoutMs?: number;
}

/** Run ids become directory names. */
function checkRunId(runId: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/.test(runId)) throw new Error(`not a run id: ${JSON.stringify(runId)}`);
  return runId;
}

export interface Sweeping {
  /**
   * Deletes what is of no use to anybody and older than so long: checkouts, mirrors that nobody opened, what killed processes left.
   * A checkout that a run of this process has open is never touched. Returns how many.
   */
  sweep(maxAgeMs: number): Promise<number>;
}

/**
 * Workspaces and branches over git. What killed processes left in `directory` is deleted in the background. Every method may throw
 * UserError (git missing, certificate not trusted), Retryable (network, lost races) or Permanent (credentials, unknown repository,
 * commit or branch, a patch that does not apply).
 */
export function createWorkspaces(options: WorkspacesOptions): Workspaces & BranchWriter & Sweeping {
  const root = path.resolve(options.directory);
  const env = options.env ?? {};
  const mirrors = createMirrors({
    directory: path.join(root, "mirrors"),
    token: options.token,
    env,
    log: options.log,
    ...(options.timeoutMs === undefined ? {} : { silenceMs: options.timeoutMs }),
  });
  const inTurn = createTurns();
  const homes = path.join(root, "homes");
  const home = homeIn(homes);
  void removeAbandonedHomes(homes, options.log);
  const places = createPlaces({ home, env, log: options.log });

  async function mirrorOf(repository: string): Promise<Mirror> {
    const known = await mirrors.find(repository);
    if (known !== null) return known;
    if (options.code === undefined) throw new Permanent(`no clone address is known for ${repository}`);
    return mirrors.open(await options.code.readProject(repository));
  }

  /** A scratch repository for as long as `use` takes. */
  async function inScratch<T>(mirror: Mirror, use: (scratch: Scratch) => Promise<T>): Promise<T> {
    const directory = path.join(home, "scratch", randomUUID());
    await mkdir(path.dirname(directory), { recursive: true });
    try {
      return await use(await createScratch({ directory, mirror: mirror.directory, env }));
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  const open: Workspaces["open"] = async (input) => {
    const name = checkRunId(input.runId);
    const mirror = await mirrors.open(input.project);
    const base = input.base ?? (await mirror.fetchBranch(input.branch ?? input.project.defaultBranch));
    await mirror.ensureCommit(base);
    return inTurn(name, () => places.fill(name, { mirror: mirror.directory, base, patch: input.patch ?? "" }));
  };

  return {
    open,
    async readFromDefaultBranch({ project, path: file, maxBytes }) {
      const mirror = await mirrors.open(project);
      return mirror.readFile(await mirror.fetchBranch(project.defaultBranch), file, maxBytes);
    },
    async merge({ project, into, branch }) {
      const mirror = await mirrors.open(project);
      await mirror.ensureCommit(into);
      const of = await mirror.fetchBranch(branch);
      return inScratch(mirror, (scratch) => mergeIn(scratch, { into, of }));
    },
    async compare({ project, from, to }) {
      const mirror = await mirrors.open(project);
      await mirror.ensureCommit(from);
      await mirror.ensureCommit(to);
      return inScratch(mirror, (scratch) => compareIn(scratch, from, to));
    },
    async remove(runId) {
      const name = checkRunId(runId);
      await inTurn(name, () => places.leave(name));
    },
    async ensureBranch(payload) {
      const mirror = await mirrorOf(payload.repository);
      const ourEmails = options.author === undefined ? [] : [options.author.email];
      return inScratch(mirror, (scratch) => putOnBranch({ payload, mirror, scratch, ourEmails }));
    },
    async sweep(maxAgeMs) {
      await removeAbandonedHomes(homes, options.log);
      return (await places.sweep(maxAgeMs)) + (await mirrors.sweep(maxAgeMs));
    },
  };
}

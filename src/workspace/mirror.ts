/**
 * One bare repository per project, filled by incremental fetches. Runs borrow its objects; nothing but git itself ever writes here.
 * Branches are kept under hashed ref names: a deleted `a` and a new `a/b` would otherwise block each other.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Permanent, Retryable } from "../domain/errors.ts";
import type { CodeProject } from "../domain/ticket.ts";
import type { Log } from "../platform/log.ts";
import { GitFailure, type GitOptions, type GitRemote, git, gitLine } from "./git.ts";
import { splitPath } from "./paths.ts";
import { createTurns } from "./turns.ts";

/** A mirror that is in place. All ids are full commit ids. */
export interface Mirror {
  /** Absolute path of the bare repository. */
  readonly directory: string;
  /** Brings a branch up to date and returns its head. Permanent (404) when the server has no such branch. */
  fetchBranch(branch: string, signal?: AbortSignal): Promise<string>;
  /** Makes sure that a commit is here, going to the server only when it is not. Permanent when the server does not have it. */
  ensureCommit(commit: string, signal?: AbortSignal): Promise<void>;
  /** Text of a plain file in a commit that is here; null when there is none, or it is larger. */
  readFile(commit: string, file: string, maxBytes: number): Promise<string | null>;
  /** The branch's head on the server right now, or null when there is no such branch. */
  remoteHead(branch: string, signal?: AbortSignal): Promise<string | null>;
  /** Runs git against the server of this mirror with its credentials; the URL is appended by the caller from `url`. */
  readonly remote: GitRemote;
}

export interface Mirrors {
  /** The mirror of a project, created when missing. Permanent when the clone address is not plain http(s). */
  open(project: Pick<CodeProject, "path" | "cloneUrl">): Promise<Mirror>;
  /** The mirror of a repository that some earlier `open` made on this machine, or null. */
  find(repository: string): Promise<Mirror | null>;
  /** Deletes mirrors that nobody opened for a month, and half-made ones older than `maxAgeMs`; trims the others. Returns how many went. */
  sweep(maxAgeMs: number): Promise<number>;
}

const staleLockMs = 15 * 60_000;

/** Unused for so long, a mirror is only a copy of what can be fetched again. */
const unusedMs = 30 * 24 * 3_600_000;
/** Commits outside of branches that a mirror keeps for runs that build on them. */
const mostCommits = 300;

/** What git says when its own files are broken, after a power cut or on a full disk. */
const damage =
  /corrupt|bad object|bad tree|missing (?:blob|tree|commit|object)|object file .* is empty|unable to read|not a git repository|did not send all necessary objects|invalid sha1 pointer|bad pack|packfile|pack has bad object|does not point to a valid object|could not parse/i;

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A branch name that is safe in a refspec, or Permanent. Rules of git-check-ref-format(1). */
export function checkBranchName(branch: string): string {
  const bad =
    branch === "" ||
    branch.length > 240 ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses control characters in names
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\/\.|\.lock(?:\/|$)/.test(branch);
  if (bad) throw new Permanent(`not a branch name: ${JSON.stringify(branch)}`);
  return branch;
}

/** A full commit id, or Permanent. */
export function checkCommitId(commit: string): string {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) throw new Permanent(`not a full commit id: ${commit}`);
  return commit;
}

function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    throw new Permanent("the clone address of the repository must be an http or https URL");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new Permanent("the clone address of the repository must not contain credentials");
  }
  return url;
}

/** Lock files that a killed git left behind would block the mirror for ever; no git of ours runs this long. */
async function removeStaleLocks(directory: string, log: Log): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile() && found.name.endsWith(".lock"))) {
    const file = path.join(entry.parentPath, entry.name);
    const age = Date.now() - (await stat(file)).mtimeMs;
    if (age < staleLockMs) continue;
    await rm(file, { force: true });
    log.warn("Removed a lock file that a killed git left in a mirror", { file, ageMs: Math.round(age) });
  }
}

export function createMirrors(options: {
  /** Absolute. */
  readonly directory: string;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
  /** See `GitRemote`. */
  readonly silenceMs?: number;
  readonly log: Log;
}): Mirrors {
  const inTurn = createTurns();
  const { token, silenceMs } = options;
  const remoteAt = (url: string): GitRemote => ({
    url: checkUrl(url),
    token,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });

  const directoryOf = (repository: string): string => {
    const name = repository.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80);
    return path.join(options.directory, `${name}-${hash(repository)}.git`);
  };

  async function create(directory: string): Promise<void> {
    // Made aside and moved into place: a half-made mirror is never seen, and of two makers one wins.
    const fresh = `${directory}.${randomUUID()}`;
    await mkdir(options.directory, { recursive: true });
    await git(["init", "--bare", "--quiet", "--template=", "--end-of-options", fresh], { env: options.env });
    try {
      await rename(fresh, directory);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      if (!existsSync(path.join(directory, "HEAD"))) throw error;
    }
  }

  /** Kept in the mirror so that a later process finds the address by the repository's name alone. Written only when it is another one. */
  async function keepAddress(directory: string, url: string): Promise<void> {
    const local: GitOptions = { env: { ...options.env, GIT_DIR: directory } };
    const kept = await gitLine(["config", "--default", "", "--get", "remote.origin.url"], local);
    if (kept === url) return;
    try {
      await git(["config", "remote.origin.url", url], local);
    } catch (error) {
      if (error instanceof Retryable) await removeStaleLocks(directory, options.log);
      throw error;
    }
  }

  function mirrorAt(directory: string, remote: GitRemote): Mirror {
    const local: GitOptions = { env: { ...options.env, GIT_DIR: directory } };
    const online = (signal?: AbortSignal): GitOptions => ({ ...local, remote, ...(signal ? { signal } : {}) });
    const refOf = (branch: string): string => `refs/ticketsmith/branches/${hash(branch)}`;

    const has = async (commit: string): Promise<boolean> => {
      try {
        await git(["cat-file", "-e", `${commit}^{commit}`], local);
        return true;
      } catch (error) {
        if (error instanceof GitFailure) return false;
        throw error;
      }
    };

    const fetchRef = (refspec: string, signal?: AbortSignal): Promise<void> =>
      inTurn(directory, async () => {
        try {
          await git(
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", remote.url, refspec],
            online(signal),
          );
        } catch (error) {
          if (error instanceof Retryable && /\.lock|cannot lock ref/.test(error.message)) {
            await removeStaleLocks(directory, options.log);
          }
          if (!(error instanceof GitFailure) || !damage.test(error.stderr)) throw error;
          // It is only a cache: start over.
          options.log.warn("A git mirror was damaged and is made anew", { mirror: directory, error });
          await rm(directory, { recursive: true, force: true });
          await create(directory);
          await git(["config", "remote.origin.url", remote.url], local);
          throw new Retryable("the git mirror was damaged and is being made anew", { cause: error });
        }
      });

    return {
      directory,
      remote,
      async fetchBranch(branch, signal) {
        const ref = refOf(checkBranchName(branch));
        await fetchRef(`+refs/heads/${branch}:${ref}`, signal);
        return gitLine(["rev-parse", "--verify", `${ref}^{commit}`], local);
      },
      async ensureCommit(commit, signal) {
        if (await has(checkCommitId(commit))) return;
        // GitLab lets any commit be fetched by id (Gitaly sets uploadpack.allowAnySHA1InWant).
        // The ref keeps it from being cleaned up while runs build on it.
        await fetchRef(`+${commit}:refs/ticketsmith/commits/${commit}`, signal);
      },
      async readFile(commit, file, maxBytes) {
        const wanted = splitPath(file).join("/");
        const entry = await gitLine(["ls-tree", "-z", "--long", checkCommitId(commit), "--", wanted], local);
        // `<mode> blob <id> <size>\t<path>`; a link has another mode, a submodule another type.
        const found = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t/.exec(entry);
        if (found === null || Number(found[2]) > maxBytes) return null;
        return (await git(["cat-file", "blob", found[1] ?? ""], local)).toString("utf8");
      },
      async remoteHead(branch, signal) {
        const ref = `refs/heads/${checkBranchName(branch)}`;
        const lines = await gitLine(["ls-remote", "--quiet", "--end-of-options", remote.url, ref], online(signal));
        const line = lines.split("\n").find((found) => found.endsWith(`\t${ref}`));
        return line === undefined ? null : (line.split("\t")[0] ?? null);
      },
    };
  }

  /** Lets go of the oldest single commits; git's own housekeeping, which runs with every fetch, then deletes them. */
  async function trim(directory: string): Promise<void> {
    const local: GitOptions = { env: { ...options.env, GIT_DIR: directory } };
    const listing = ["for-each-ref", "--sort=-creatordate", "--format=%(refname)", "refs/ticketsmith/commits"];
    const refs = (await gitLine(listing, local)).split("\n").slice(mostCommits);
    if (refs.length > 0)
      await git(["update-ref", "--stdin"], { ...local, input: refs.map((ref) => `delete ${ref}\n`).join("") });
  }

  /** True when it was deleted. */
  async function sweepOne(directory: string, maxAgeMs: number): Promise<boolean> {
    const whole = directory.endsWith(".git");
    // `open` writes the configuration every time.
    const found = await stat(whole ? path.join(directory, "config") : directory).catch(() => null);
    const age = Date.now() - (found?.mtimeMs ?? 0);
    if (age > (whole ? Math.max(unusedMs, maxAgeMs) : maxAgeMs)) {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
      return true;
    }
    if (whole) await trim(directory);
    return false;
  }

  return {
    async sweep(maxAgeMs) {
      let count = 0;
      for (const name of await readdir(options.directory).catch(() => [])) {
        const directory = path.join(options.directory, name);
        if (await inTurn(directory, () => sweepOne(directory, maxAgeMs))) count += 1;
      }
      return count;
    },
    async open(project) {
      const remote = remoteAt(project.cloneUrl);
      const directory = directoryOf(project.path);
      await inTurn(directory, async () => {
        if (!existsSync(path.join(directory, "HEAD"))) await create(directory);
        await keepAddress(directory, remote.url);
      });
      return mirrorAt(directory, remote);
    },
    async find(repository) {
      const directory = directoryOf(repository);
      if (!existsSync(path.join(directory, "HEAD"))) return null;
      const url = await gitLine(["config", "--get", "remote.origin.url"], {
        env: { ...options.env, GIT_DIR: directory },
      });
      return mirrorAt(directory, remoteAt(url));
    },
  };
}

/**
 * A throw-away bare repository that borrows the objects of a mirror: own index, own objects, own attributes.
 * What a run adds is gone when its directory is removed, and two runs never wait for each other.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Permanent } from "../domain/errors.ts";
import { GitFailure, type GitOptions, git, gitLine } from "./git.ts";

export interface Scratch {
  /** Absolute path of the bare repository. */
  readonly directory: string;
  /** git on this repository. */
  git(argv: readonly string[], options?: GitOptions): Promise<Buffer>;
  gitLine(argv: readonly string[], options?: GitOptions): Promise<string>;
  /** Sets the index to a commit's tree with a patch laid over it (whole or not at all). Permanent when the patch does not apply. */
  stage(commit: string, patch: string): Promise<void>;
  /** Id of the tree that `stage` would make, without touching the index. */
  treeOf(commit: string, patch: string): Promise<string>;
}

interface ScratchInput {
  /** Absolute. */
  readonly directory: string;
  /** Its work tree, if it has one. */
  readonly tree?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes a scratch repository at `directory`, which must not exist, that borrows from `mirror`. */
export async function createScratch(input: ScratchInput & { readonly mirror: string }): Promise<Scratch> {
  await git(["init", "--bare", "--quiet", "--template=", "--end-of-options", input.directory], { env: input.env });
  await mkdir(path.join(input.directory, "info"), { recursive: true });
  await writeFile(path.join(input.directory, "objects/info/alternates"), `${path.join(input.mirror, "objects")}\n`);
  return scratchAt(input);
}

/** The scratch repository that `createScratch` made there earlier. */
export function scratchAt(input: ScratchInput): Scratch {
  const env = {
    ...input.env,
    GIT_DIR: input.directory,
    ...(input.tree === undefined ? {} : { GIT_WORK_TREE: input.tree }),
  };
  const own = (options: GitOptions = {}): GitOptions => ({
    ...(input.tree === undefined ? {} : { cwd: input.tree }),
    ...options,
    env: { ...env, ...options.env },
  });

  async function stage(commit: string, patch: string, options: GitOptions = {}): Promise<void> {
    await git(["read-tree", `${commit}^{tree}`], own(options));
    if (patch === "") return;
    try {
      await git(["apply", "--cached", "--whitespace=nowarn", "-"], own({ ...options, input: patch }));
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      throw new Permanent(`the patch does not apply to ${commit.slice(0, 12)}: ${error.message}`, { cause: error });
    }
  }

  return {
    directory: input.directory,
    git: (argv, options) => git(argv, own(options)),
    gitLine: (argv, options) => gitLine(argv, own(options)),
    stage,
    async treeOf(commit, patch) {
      if (patch === "") return gitLine(["rev-parse", "--verify", `${commit}^{tree}`], own());
      const env = { GIT_INDEX_FILE: path.join(input.directory, `index.${randomUUID()}`) };
      try {
        await stage(commit, patch, { env });
        return await gitLine(["write-tree"], own({ env }));
      } finally {
        await rm(env.GIT_INDEX_FILE, { force: true });
      }
    },
  };
}

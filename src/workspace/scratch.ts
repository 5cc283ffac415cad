/**
 * A throw-away bare repository that borrows the objects of a mirror: own index, own objects, own attributes.
 * What a run adds is gone when its directory is removed, and two runs never wait for each other.
 */
import { mkdir, writeFile } from "node:fs/promises";
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
}

/** Makes a scratch repository at `directory` (absolute, must not exist). `tree` is its work tree, if it has one. */
export async function createScratch(input: {
  directory: string;
  mirror: string;
  tree?: string;
  env: Readonly<Record<string, string>>;
}): Promise<Scratch> {
  await git(["init", "--bare", "--quiet", "--template=", "--end-of-options", input.directory], { env: input.env });
  await mkdir(path.join(input.directory, "info"), { recursive: true });
  await writeFile(path.join(input.directory, "objects/info/alternates"), `${path.join(input.mirror, "objects")}\n`);
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

  return {
    directory: input.directory,
    git: (argv, options) => git(argv, own(options)),
    gitLine: (argv, options) => gitLine(argv, own(options)),
    async stage(commit, patch) {
      await git(["read-tree", `${commit}^{tree}`], own());
      if (patch === "") return;
      try {
        await git(["apply", "--cached", "--whitespace=nowarn", "-"], own({ input: patch }));
      } catch (error) {
        if (!(error instanceof GitFailure)) throw error;
        throw new Permanent(`the patch does not apply to ${commit.slice(0, 12)}: ${error.message}`, { cause: error });
      }
    },
  };
}

/**
 * What a merge comes to, found out on git's objects alone: `git merge-tree` needs no work tree, so no hook, filter or merge driver of
 * anybody's is near. (git-merge-tree(1); `--stdin` since git 2.39. Conflicts are no failure with it.)
 */
import { UserError } from "../domain/errors.ts";
import type { Merge } from "../domain/ports.ts";
import { GitFailure } from "./git.ts";
import { checkCommitId } from "./mirror.ts";
import type { Scratch } from "./scratch.ts";
import { textPatch } from "./text-patch.ts";

const comparison = ["diff", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"] as const;

/** How two trees or commits differ, see `Workspaces.compare`. */
export async function compareIn(scratch: Scratch, from: string, to: string): Promise<string> {
  const names = (await scratch.git([...comparison, "--name-only", "-z", from, to, "--"])).toString("utf8");
  const files = names.split("\0").filter((name) => name !== "");
  return textPatch(scratch, [...comparison, from, to], files);
}

/** Kinds of conflict that git names, and what they mean for whoever is to solve them. Any other is `other`. */
const kinds: Readonly<Record<string, Merge["conflicts"][number]["kind"]>> = {
  "CONFLICT (contents)": "contents",
  "CONFLICT (modify/delete)": "deleted",
};

/**
 * The answer of `merge-tree --stdin`: `<clean> NUL <tree> NUL`, one `<mode> <object> <stage> TAB <path> NUL` per conflicted version,
 * a NUL, and messages of `<number of paths> NUL <path> NUL … <kind> NUL <text> NUL`.
 */
function readAnswer(answer: string): { tree: string; conflicts: Merge["conflicts"] } {
  const fields = answer.split("\0");
  const tree = fields[1] ?? "";
  const end = fields.indexOf("", 2);
  const versions = fields.slice(2, end < 0 ? 2 : end).flatMap((field) => {
    const [, mode = "", path = ""] = /^(\d{6}) [0-9a-f]+ [123]\t(.+)$/s.exec(field) ?? [];
    return path === "" ? [] : [{ mode, path }];
  });
  const found = new Map<string, Merge["conflicts"][number]["kind"]>();
  for (const { path, mode } of versions) if (!/^100/.test(mode)) found.set(path, "other");
  let at = end < 0 ? fields.length : end + 1;
  while (at < fields.length && /^\d+$/.test(fields[at] ?? "")) {
    const count = Number(fields[at]);
    const paths = fields.slice(at + 1, at + 1 + count);
    const kind = fields[at + 1 + count] ?? "";
    at += count + 3;
    if (!kind.startsWith("CONFLICT")) {
      // git leaves the version of one side there, without a word in the file.
      continue;
    }
    for (const path of paths) {
      const known = found.get(path);
      const now = kinds[kind] ?? "other";
      found.set(path, known === undefined || known === now ? now : "other");
    }
  }
  for (const { path } of versions) if (!found.has(path)) found.set(path, "other");
  return { tree, conflicts: [...found].map(([path, kind]) => ({ path, kind })) };
}

/** Id of the newest commit that both come from, or null. */
async function mergeBase(scratch: Scratch, into: string, of: string): Promise<string | null> {
  try {
    return await scratch.gitLine(["merge-base", into, of]);
  } catch (error) {
    // 1: they share nothing (git-merge-base(1)).
    if (error instanceof GitFailure && error.exitCode === 1) return null;
    throw error;
  }
}

/** See `Workspaces.merge`. Both commits must be there. Throws UserError when git is too old for it. */
export async function mergeIn(scratch: Scratch, given: { into: string; of: string }): Promise<Merge> {
  const [into, of] = [checkCommitId(given.into), checkCommitId(given.of)];
  const base = await mergeBase(scratch, into, of);
  if (base === of) return { of, base, upToDate: true, patch: "", conflicts: [] };
  if (base === null) throw new UserError("the two branches have no commit in common, so they cannot be merged");
  let answer: Buffer;
  try {
    answer = await scratch.git(["-c", "merge.conflictStyle=merge", "merge-tree", "--stdin"], {
      input: `${into} ${of}\n`,
    });
  } catch (error) {
    if (!(error instanceof GitFailure) || error.exitCode !== 129) throw error;
    throw new UserError("the program `git` where the bot runs is too old to merge branches (2.39 or newer is needed)");
  }
  const { tree, conflicts } = readAnswer(answer.toString("utf8"));
  return { of, base, upToDate: false, patch: await compareIn(scratch, into, tree), conflicts };
}

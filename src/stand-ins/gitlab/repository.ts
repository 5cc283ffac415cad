/** One bare repository: what GitLab's repository endpoints read and write. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { git, tryGit } from "./git.ts";

export interface Commit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly title: string;
  readonly message: string;
  readonly author: Person;
  readonly committer: Person;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601. */
  readonly date: string;
}

export interface TreeEntry {
  readonly id: string;
  readonly type: "blob" | "tree" | "commit";
  readonly mode: string;
  readonly path: string;
}

/** One file operation of a commit made through the API or of the seed. */
export type FileChange =
  | { readonly kind: "write"; readonly path: string; readonly content: string | Buffer; readonly executable?: boolean }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "move"; readonly from: string; readonly path: string };

const SHA = /^[0-9a-f]{40}$/;

/**
 * Refuses what GitLab refuses, before a ref moves. Protected branches come in `PUSH_REFUSED` (the pusher is below the push level) and
 * `PUSH_PROTECTED` (no force push, no deletion), one ref per line; push rules as JSON in `PUSH_RULES` for the program `PUSH_CHECK`.
 */
const preReceive = `#!/bin/sh
zero=0000000000000000000000000000000000000000
listed() { printf '%s\\n' "$1" | grep -Fxq -- "$2"; }
lines=$(cat)
while read -r old new ref; do
  if listed "$PUSH_REFUSED" "$ref"; then
    echo "GitLab: You are not allowed to push code to protected branches on this project." >&2; exit 1
  fi
  listed "$PUSH_PROTECTED" "$ref" || continue
  if [ "$new" = "$zero" ]; then
    echo "GitLab: You can only delete protected branches using the web interface." >&2; exit 1
  fi
  if [ "$old" != "$zero" ] && ! git merge-base --is-ancestor "$old" "$new"; then
    echo "GitLab: You are not allowed to force push code to a protected branch on this project." >&2; exit 1
  fi
done <<END
$lines
END
[ -z "$PUSH_RULES" ] || printf '%s\\n' "$lines" | "$PUSH_NODE" --no-warnings "$PUSH_CHECK" "$PUSH_RULES" || exit 1
exit 0
`;

/** A repository on disk. `directory` is the bare repository itself. */
export type Repository = Awaited<ReturnType<typeof createRepository>>;

/** Makes an empty bare repository with GitLab's push checks in it. */
export async function createRepository(directory: string, defaultBranch: string) {
  await mkdir(directory, { recursive: true });
  await git(["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`, directory]);
  await writeFile(join(directory, "hooks", "pre-receive"), preReceive, { mode: 0o755 });
  const run = (args: readonly string[], options?: Parameters<typeof git>[1]): Promise<Buffer> =>
    git([`--git-dir=${directory}`, ...args], options);
  const attempt = (args: readonly string[]): ReturnType<typeof tryGit> => tryGit([`--git-dir=${directory}`, ...args]);

  /** Commit id of a branch, tag or (abbreviated) id; null when there is none. */
  async function resolve(ref: string): Promise<string | null> {
    const name = SHA.test(ref) ? ref : ref.replace(/^refs\/heads\//, "");
    for (const candidate of SHA.test(ref) ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`, name]) {
      const found = await attempt(["rev-parse", "--verify", "--quiet", "--end-of-options", `${candidate}^{commit}`]);
      if (found.code === 0) return found.stdout.toString().trim();
    }
    return null;
  }

  /** All branches by name with their heads. */
  async function branches(): Promise<Map<string, string>> {
    const text = (await run(["for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads/"])).toString();
    const rows = text.split("\n").filter((row) => row !== "");
    return new Map(
      rows.map((row) => {
        const [ref = "", id = ""] = row.split("\0");
        return [ref.slice("refs/heads/".length), id];
      }),
    );
  }

  /** Commits reachable from `range` (`a`, or `a..b`), newest first. */
  async function log(range: string, options: { limit?: number; path?: string } = {}): Promise<Commit[]> {
    const format = ["%H", "%P", "%s", "%B", "%an", "%ae", "%aI", "%cn", "%ce", "%cI"].join("%x1f");
    const limit = options.limit === undefined ? [] : [`--max-count=${options.limit}`];
    const path = options.path === undefined ? [] : [options.path];
    const text = (await run(["log", `--format=${format}%x1e`, ...limit, range, "--", ...path])).toString();
    return text
      .split("\x1e")
      .map((row) => row.replace(/^\n/, ""))
      .filter((row) => row !== "")
      .map((row) => {
        const [id = "", parents = "", title = "", message = "", an = "", ae = "", aI = "", cn = "", ce = "", cI = ""] =
          row.split("\x1f");
        return {
          id,
          parents: parents.split(" ").filter((parent) => parent !== ""),
          title,
          message,
          author: { name: an, email: ae, date: aI },
          committer: { name: cn, email: ce, date: cI },
        };
      });
  }

  /** Moves a branch, or deletes it with null. */
  async function setBranch(name: string, id: string | null): Promise<void> {
    await run(id === null ? ["update-ref", "-d", `refs/heads/${name}`] : ["update-ref", `refs/heads/${name}`, id]);
  }

  /** Makes a commit on a branch, on top of `parent`; gives its id. */
  async function commit(input: {
    branch: string;
    parent: string | null;
    message: string;
    author: Person;
    changes: readonly FileChange[];
  }): Promise<string> {
    const scratch = `refs/scratch/${crypto.randomUUID()}`;
    const stamp = `${input.author.name} <${input.author.email}> ${Math.floor(Date.parse(input.author.date) / 1000)} +0000`;
    const parts: (string | Buffer)[] = [
      `commit ${scratch}\nauthor ${stamp}\ncommitter ${stamp}\n`,
      data(input.message),
    ];
    if (input.parent !== null) parts.push(`from ${input.parent}\n`);
    for (const change of input.changes) {
      if (change.kind === "delete") parts.push(`D ${quote(change.path)}\n`);
      else if (change.kind === "move") parts.push(`R ${quote(change.from)} ${quote(change.path)}\n`);
      else {
        const mode = change.executable === true ? "100755" : "100644";
        parts.push(`M ${mode} inline ${quote(change.path)}\n`, data(change.content));
      }
    }
    const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
    await run(["fast-import", "--quiet", "--done"], { input: Buffer.concat([bytes, Buffer.from("\ndone\n")]) });
    const id = (await run(["rev-parse", scratch])).toString().trim();
    await run(["update-ref", "-d", scratch]);
    await setBranch(input.branch, id);
    return id;
  }

  /** Content of a file, or null. */
  async function readBlob(commitId: string, path: string): Promise<Buffer | null> {
    const found = await attempt(["cat-file", "blob", `${commitId}:${path}`]);
    return found.code === 0 ? found.stdout : null;
  }

  /** Entries below a folder (the root when empty). */
  async function tree(commitId: string, path = "", recursive = false): Promise<TreeEntry[]> {
    const below = path === "" ? [] : ["--", `${path.replace(/\/+$/, "")}/`];
    const found = await attempt(["ls-tree", "-z", ...(recursive ? ["-r", "-t"] : []), commitId, ...below]);
    const rows = found.stdout.toString().split("\0");
    return rows.flatMap((row) => {
      const parsed = /^(\d+) (blob|tree|commit) ([0-9a-f]+)\t(.*)$/s.exec(row);
      if (parsed === null) return [];
      const [, mode = "", type = "", id = "", name = ""] = parsed;
      return [{ id, mode, type: type as TreeEntry["type"], path: name }];
    });
  }

  /** Every file of a commit as text. */
  async function files(commitId: string): Promise<Record<string, string>> {
    const blobs = (await tree(commitId, "", true)).filter((entry) => entry.type === "blob");
    const contents = await Promise.all(blobs.map((entry) => readBlob(commitId, entry.path)));
    return Object.fromEntries(blobs.map((entry, i) => [entry.path, contents[i]?.toString("utf8") ?? ""]));
  }

  /** Best common ancestor; null when the histories are unrelated. */
  async function mergeBase(a: string, b: string): Promise<string | null> {
    const found = await attempt(["merge-base", a, b]);
    return found.code === 0 ? found.stdout.toString().trim() : null;
  }

  /** Merges `source` into `target` (both commit ids) with a merge commit; null on a conflict. Moves no ref. */
  async function merge(target: string, source: string, message: string, author: Person): Promise<string | null> {
    // Nothing new on the target: the source's tree is the result (and git older than 2.38 can do it too).
    const ahead = (await mergeBase(target, source)) === target;
    const merged = await attempt(
      ahead ? ["rev-parse", `${source}^{tree}`] : ["merge-tree", "--write-tree", target, source],
    );
    if (merged.code !== 0) return null;
    const treeId = merged.stdout.toString().split("\n")[0] ?? "";
    const identity = Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((role) => [
        [`GIT_${role}_NAME`, author.name],
        [`GIT_${role}_EMAIL`, author.email],
        [`GIT_${role}_DATE`, author.date],
      ]),
    );
    const args = ["commit-tree", treeId, "-p", target, "-p", source, "-m", message];
    return (await run(args, { env: identity })).toString().trim();
  }

  /** Whether `merge` would find no conflict. */
  async function canMerge(target: string, source: string): Promise<boolean> {
    if ((await mergeBase(target, source)) === target) return true;
    // 1 is a conflict; anything else a git that is too old to say.
    return (await attempt(["merge-tree", "--write-tree", target, source])).code !== 1;
  }

  return {
    directory,
    run,
    resolve,
    branches,
    log,
    setBranch,
    commit,
    readBlob,
    tree,
    files,
    mergeBase,
    merge,
    canMerge,
  };
}

/** Whether git would take it as a branch name (and GitLab: nothing that looks like a commit id). */
export async function isBranchName(name: string): Promise<boolean> {
  if (SHA.test(name) || name.startsWith("-")) return false;
  return (await tryGit(["check-ref-format", `refs/heads/${name}`])).code === 0;
}

function data(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from("\n")]);
}

/** fast-import's quoting is C's, of which JSON's is near enough for paths. */
function quote(path: string): string {
  return /["\s\\]/.test(path) ? JSON.stringify(path) : path;
}

/** The files of a directory as changes for a first commit, without `.git` and `node_modules`. */
export async function readSeed(directory: string): Promise<FileChange[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const changes: FileChange[] = [];
  for (const path of paths.sort()) {
    const name = relative(directory, path).split(sep).join("/");
    if (/(?:^|\/)(?:\.git|node_modules)\//.test(name)) continue;
    const executable = ((await stat(path)).mode & 0o100) !== 0;
    changes.push({ kind: "write", path: name, content: await readFile(path), executable });
  }
  return changes;
}

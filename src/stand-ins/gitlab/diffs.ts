/** Differences between commits in GitLab's shape, and which lines a comment may be put on. */
import type { Repository } from "./repository.ts";

export interface FileDiff {
  /** Hunks from the first `@@`, as the REST API gives them. */
  readonly diff: string;
  readonly old_path: string;
  readonly new_path: string;
  readonly a_mode: string;
  readonly b_mode: string;
  readonly new_file: boolean;
  readonly renamed_file: boolean;
  readonly deleted_file: boolean;
}

/** What differs from `base` to `head`, with `context` lines around each change. */
export async function diffFiles(repository: Repository, base: string, head: string, context = 3): Promise<FileDiff[]> {
  const range = ["-M", "--no-color", "--no-ext-diff", "--full-index", base, head];
  const raw = (await repository.run(["diff", "--raw", "-z", ...range])).toString();
  const patch = (await repository.run(["diff", `-U${context}`, ...range])).toString();
  // Lines of content start with a blank, `+`, `-` or `\`: only a file's header can start like this. Same order as --raw.
  const patches = patch.split(/^(?=diff --git )/m).filter((part) => part !== "");
  const fields = raw.split("\0");
  const diffs: FileDiff[] = [];
  for (let i = 0; i < fields.length - 1; ) {
    const [aMode = "", bMode = "", , , status = ""] = (fields[i++] ?? "").replace(/^:/, "").split(" ");
    const oldPath = fields[i++] ?? "";
    const renamed = status.startsWith("R") || status.startsWith("C");
    const newPath = renamed ? (fields[i++] ?? "") : oldPath;
    const text = patches[diffs.length] ?? "";
    const start = text.search(/^(?:@@ |Binary files )/m);
    diffs.push({
      diff: start < 0 ? "" : text.slice(start),
      old_path: oldPath,
      new_path: newPath,
      a_mode: aMode,
      b_mode: bMode,
      new_file: status === "A",
      renamed_file: renamed,
      deleted_file: status === "D",
    });
  }
  return diffs;
}

export interface LinePosition {
  readonly oldPath: string;
  readonly newPath: string;
  readonly oldLine: number | null;
  readonly newLine: number | null;
}

/**
 * Whether a position names a line of the diff the way GitLab wants it: an added line by its new number only, a removed one by its old
 * number only, an unchanged one by both.
 */
export async function isDiffLine(
  repository: Repository,
  base: string,
  head: string,
  at: LinePosition,
): Promise<boolean> {
  const files = await diffFiles(repository, base, head, 1_000_000);
  const file = files.find((entry) => entry.new_path === at.newPath && entry.old_path === at.oldPath);
  if (file === undefined) return false;
  let oldLine = 0;
  let newLine = 0;
  for (const line of file.diff.split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk !== null) {
      oldLine = Number(hunk[1]) - 1;
      newLine = Number(hunk[2]) - 1;
      continue;
    }
    const sign = line[0];
    if (sign === "+") newLine += 1;
    else if (sign === "-") oldLine += 1;
    else if (sign === " ") {
      oldLine += 1;
      newLine += 1;
    } else continue;
    const isOld = sign === "+" ? at.oldLine === null : at.oldLine === oldLine;
    const isNew = sign === "-" ? at.newLine === null : at.newLine === newLine;
    if (isOld && isNew) return true;
  }
  return false;
}

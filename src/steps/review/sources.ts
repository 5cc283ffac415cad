/** The text that the lines of a diff stand in. */
import type { FileDiff } from "../../domain/merge-request.ts";
import type { Workspace } from "../../domain/ports.ts";
import { textInside } from "../../workspace/tree.ts";
import { type DiffFile, numberOn, readDiffFile, type Side } from "./lines.ts";
import type { Lines } from "./place.ts";

/** Larger files are not read: the lines of their diff have to do. */
const largest = 1024 * 1024;

async function linesIn(root: string, path: string): Promise<readonly string[] | null> {
  return (await textInside(root, path, largest))?.split("\n") ?? null;
}

/** What a diff shows of a side, each line at its number; what it does not show is empty. */
function shownOn(side: Side, file: DiffFile): readonly string[] | null {
  const shown = file.lines.filter((line) => numberOn(side, line) !== null);
  if (shown.length === 0) return null;
  const last = Math.max(...shown.map((line) => numberOn(side, line) ?? 0));
  const lines = Array.from({ length: last }, () => "");
  for (const line of shown) lines[(numberOn(side, line) ?? 1) - 1] = line.text;
  return lines;
}

/** Reads the files of a diff. `root` is the tree after the change. */
export async function readSources(diff: readonly FileDiff[], { root }: Pick<Workspace, "root">): Promise<Lines> {
  const sides = new Map<string, Readonly<Record<Side, readonly string[] | null>>>();
  for (const file of diff) {
    const read = readDiffFile(file);
    const now = file.status === "deleted" ? null : await linesIn(root, file.newPath);
    sides.set(file.newPath, { new: now ?? shownOn("new", read), old: shownOn("old", read) });
  }
  return (path, side) => sides.get(path)?.[side] ?? null;
}

/** ripgrep on a run's tree, as it is used for searching and for listing source files. */
import { rgPath } from "@vscode/ripgrep";
import { createEnds, createWhole, printable } from "../workspace/output.ts";
import { runProcess } from "../workspace/process.ts";
import { ToolRefusal } from "./tool.ts";

const timeoutMs = 20_000;

/** Config files, parent directories' ignore rules and links are switched off: only the tree itself decides what is seen. */
const fixed = [
  ...["--no-config", "--no-follow", "--no-ignore-parent", "--no-ignore-global", "--no-require-git", "--hidden"],
  ...["--color=never", "--sort=path", "--max-filesize=2M", "--glob=!.git"],
];

export interface Found {
  /** Whole lines, paths without a leading `./`. */
  readonly lines: readonly string[];
  /** There was more than `maxBytes`. */
  readonly cut: boolean;
}

/**
 * Runs ripgrep with `options` on `place`, an absolute path in `root` that has been checked. Throws ToolRefusal when it takes too long
 * or refuses (a broken pattern, say), and the signal's reason when aborted.
 */
export async function ripgrep(input: {
  root: string;
  place: string;
  options: readonly string[];
  maxBytes: number;
  signal: AbortSignal;
}): Promise<Found> {
  const { root, place } = input;
  const stdout = createWhole(input.maxBytes);
  const stderr = createEnds(2000);
  const end = await runProcess({
    file: rgPath,
    // "." keeps the paths in the answer relative.
    argv: [...fixed, ...input.options, "--", place === root ? "./" : `./${place.slice(root.length + 1)}`],
    cwd: root,
    env: {},
    stdout,
    stderr,
    timeoutMs,
    signal: input.signal,
    enough: () => stdout.full,
  });
  if (end.timedOut) throw new ToolRefusal("the search took too long: give a path or a glob");
  // 0 found, 1 nothing found, 2 error (rg(1)); killed by us when there was too much.
  if (end.exitCode !== 0 && end.exitCode !== 1 && !stdout.full) {
    throw new ToolRefusal(`the search failed: ${stderr.text().trim()}`);
  }
  // What follows the last line end is empty, or a line that was cut.
  const lines = printable(stdout.bytes().toString("utf8")).split("\n").slice(0, -1);
  return { lines: lines.map((line) => line.replace(/^\.\//, "")), cut: stdout.full };
}

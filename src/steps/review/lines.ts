/** The lines of a diff, with the numbers by which a model and GitLab name them. */
import type { FileDiff } from "../../domain/merge-request.ts";

export type Side = "new" | "old";

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  /** Number in the file as it is now; null for removed lines. */
  readonly line: number | null;
  /** Number in the file as it was; null for added lines. */
  readonly oldLine: number | null;
  readonly text: string;
  /** Which hunk of the file it is in, from 0. */
  readonly hunk: number;
}

export interface DiffFile {
  readonly path: string;
  readonly oldPath: string;
  readonly status: FileDiff["status"];
  readonly lines: readonly DiffLine[];
}

const hunkHead = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** The lines of all hunks of a patch. Inside a hunk its counts say what is a line; what is left over is no part of it. */
function readLines(patch: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let [old, now, oldLeft, nowLeft, hunk] = [0, 0, 0, 0, -1];
  for (const raw of patch.split("\n")) {
    const head = oldLeft <= 0 && nowLeft <= 0 ? hunkHead.exec(raw) : null;
    if (head !== null) {
      [old, oldLeft, now, nowLeft] = [1, 2, 3, 4].map((at) => Number(head[at] ?? 1)) as [
        number,
        number,
        number,
        number,
      ];
      hunk += 1;
    } else if (raw.startsWith("+") && nowLeft > 0) {
      lines.push({ sign: "+", line: now++, oldLine: null, text: raw.slice(1), hunk });
      nowLeft -= 1;
    } else if (raw.startsWith("-") && oldLeft > 0) {
      lines.push({ sign: "-", line: null, oldLine: old++, text: raw.slice(1), hunk });
      oldLeft -= 1;
    } else if (!raw.startsWith("\\") && oldLeft > 0 && nowLeft > 0) {
      // An unchanged empty line may have lost its blank on the way.
      lines.push({ sign: " ", line: now++, oldLine: old++, text: raw.slice(1), hunk });
      oldLeft -= 1;
      nowLeft -= 1;
    }
  }
  return lines;
}

export function readDiffFile(file: FileDiff): DiffFile {
  return { path: file.newPath, oldPath: file.oldPath, status: file.status, lines: readLines(file.patch) };
}

/** The number of a line on a side, or null when it is not there. */
export function numberOn(side: Side, { line, oldLine }: Pick<DiffLine, "line" | "oldLine">): number | null {
  return side === "new" ? line : oldLine;
}

/** How many lines are added or removed. */
export function changedLines(files: readonly DiffFile[]): number {
  return files.reduce((sum, { lines }) => sum + lines.filter(({ sign }) => sign !== " ").length, 0);
}

function column(number: number | null): string {
  return (number === null ? "" : String(number)).padStart(5);
}

/** A part of a file's diff as a model reads it: old number, new number, sign, text. */
export function numbered(file: Pick<DiffFile, "path" | "oldPath" | "status">, lines: readonly DiffLine[]): string {
  const from = file.oldPath === file.path ? "" : `, before: ${file.oldPath}`;
  const rows = lines.flatMap(({ sign, line, oldLine, text, hunk }, at) => {
    const gap = at > 0 && lines[at - 1]?.hunk !== hunk ? ["  ..."] : [];
    return [...gap, `${column(oldLine)} ${column(line)} ${sign} ${text}`];
  });
  return [`== ${file.path} (${file.status}${from})`, "  old   new", ...rows].join("\n");
}

/** Where a finding is said: on a line of the diff, or nowhere but in the summary. A model's numbers are taken for a hint. */
import type { DiffPosition } from "../../domain/merge-request.ts";
import type { FindingKind, ReviewFinding, Severity } from "../../domain/review.ts";
import { type Identity, lineKeys, pathKey } from "./identity.ts";
import { type DiffFile, type DiffLine, numberOn, type Side } from "./lines.ts";

/** Lines to put in the place of those from `above` before the anchor to `below` after it. */
export interface Suggestion {
  readonly above: number;
  readonly below: number;
  readonly text: string;
}

/** A finding with its place, as code has found it. */
export interface Placed {
  readonly identity: Identity;
  /** Null: it is about something that the diff does not show. */
  readonly position: DiffPosition | null;
  readonly path: string;
  readonly side: Side;
  /** Number of the line that it stands on, or that the model named where it stands on none. */
  readonly line: number;
  /** The model named another line, which GitLab takes no comment on. */
  readonly movedFrom: number | null;
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly confidence: number;
  readonly title: string;
  readonly explanation: string;
  readonly suggestion: Suggestion | null;
}

/** All lines of a file on a side; null when nobody has them (too large, not there). */
export type Lines = (path: string, side: Side) => readonly string[] | null;

function normalPath(path: string): string {
  return path
    .trim()
    .replaceAll("\\", "/")
    .replace(/^(?:\.?\/)+/, "");
}

/** The file of the diff that a path names; models write paths as diffs do, too. */
export function fileNamed(files: readonly DiffFile[], path: string): DiffFile | undefined {
  const name = normalPath(path);
  const named = (wanted: string) =>
    files.find((file) => file.path === wanted) ?? files.find((file) => file.oldPath === wanted);
  return named(name) ?? (/^[ab]\//.test(name) ? named(name.slice(2)) : undefined);
}

/** A comment may move so far to a line that takes it, and still be understood. */
const farthest = 20;

/** The line of the diff for from..to on a side: a changed one within, any within, else the nearest changed one. */
function anchorFor(file: DiffFile, side: Side, from: number, to: number): DiffLine | null {
  const on = file.lines.filter((line) => numberOn(side, line) !== null);
  const within = on.filter((line) => {
    const number = numberOn(side, line) ?? 0;
    return number >= from && number <= to;
  });
  const exact = within.findLast(({ sign }) => sign !== " ") ?? within.at(-1);
  if (exact !== undefined) return exact;
  const distance = (line: DiffLine): number => {
    const number = numberOn(side, line) ?? 0;
    return number < from ? from - number : number - to;
  };
  const changed = on.filter(({ sign }) => sign !== " ").sort((a, b) => distance(a) - distance(b));
  const [nearest] = changed;
  return nearest !== undefined && distance(nearest) <= farthest ? nearest : null;
}

function indentOf(text: string): string {
  return /^[ \t]*/.exec(text)?.[0] ?? "";
}

/** Models forget the indentation of all lines alike; then it is that of the first line that is replaced. */
function indented(lines: readonly string[], first: string): readonly string[] {
  const indent = indentOf(first);
  const written = lines.find((line) => line.trim() !== "");
  if (indent === "" || written === undefined || indentOf(written) !== "") return lines;
  return lines.map((line) => (line.trim() === "" ? line : indent + line));
}

/** GitLab takes at most so many lines above and below the commented one (docs.gitlab.com, "Suggest changes"). */
const farthestLine = 100;
const mostLines = 60;

/**
 * What GitLab can put in with a click; null where it cannot: all lines have to be in one hunk of the new side, and something has to
 * change. The anchor is the last of them, so that the comment stands below what it is about.
 */
export function suggestionFor(
  file: DiffFile,
  finding: Pick<ReviewFinding, "side" | "from" | "to" | "suggestion">,
): { anchor: DiffLine; suggestion: Suggestion } | null {
  const { side, from, to } = finding;
  if (finding.suggestion === null || side !== "new" || to < from || to - from > farthestLine) return null;
  const replaced = file.lines.filter(({ line }) => line !== null && line >= from && line <= to);
  const [first] = replaced;
  const anchor = replaced.findLast(({ sign }) => sign === "+") ?? replaced.at(-1);
  if (first === undefined || anchor?.line == null || replaced.length !== to - from + 1) return null;
  if (replaced.some(({ hunk }) => hunk !== first.hunk)) return null;
  const given = finding.suggestion.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  const lines = indented(given, first.text);
  const before = replaced.map(({ text }) => text.trimEnd()).join("\n");
  const text = lines.join("\n");
  if (lines.length > mostLines || text.trimEnd() === before || /^\s*```/m.test(text)) return null;
  return { anchor, suggestion: { above: anchor.line - from, below: to - anchor.line, text } };
}

/** Identity of a line of a diff. Without the file's text the lines of the diff have to do as its neighbourhood. */
function identityAt(file: DiffFile, anchor: DiffLine, side: Side, kind: FindingKind, linesOf: Lines): Identity {
  const number = numberOn(side, anchor) ?? 1;
  const whole = linesOf(file.path, side);
  const shown = file.lines.filter((line) => numberOn(side, line) !== null);
  const keys =
    whole === null
      ? lineKeys(
          shown.map(({ text }) => text),
          shown.indexOf(anchor) + 1,
        )
      : lineKeys(whole, number);
  return { kind, path: pathKey(file.path), ...keys };
}

/** Puts a finding where it belongs. `files` are those of the diff. */
export function place(finding: ReviewFinding, files: readonly DiffFile[], linesOf: Lines): Placed {
  const { kind, severity, confidence, title, explanation } = finding;
  const side = finding.side;
  const [from, to] = [Math.min(finding.from, finding.to), Math.max(finding.from, finding.to)];
  const said = { kind, severity, confidence, title, explanation, side };
  const file = fileNamed(files, finding.path);
  const fix = file === undefined ? null : suggestionFor(file, { ...finding, from, to });
  const anchor = fix?.anchor ?? (file === undefined ? null : anchorFor(file, side, from, to));
  if (file === undefined || anchor === null) {
    const path = file?.path ?? normalPath(finding.path);
    const keys = lineKeys(linesOf(path, side) ?? [], to);
    const identity = { kind, path: pathKey(path), ...keys };
    return { ...said, identity, position: null, path, line: to, movedFrom: null, suggestion: null };
  }
  const line = numberOn(side, anchor) ?? to;
  return {
    ...said,
    identity: identityAt(file, anchor, side, kind, linesOf),
    position: { path: file.path, oldPath: file.oldPath, line: anchor.line, oldLine: anchor.oldLine },
    path: file.path,
    line,
    movedFrom: line < from || line > to ? to : null,
    suggestion: fix?.suggestion ?? null,
  };
}

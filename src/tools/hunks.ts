/** Puts the hunks of a patch where their text is. Pure: text in, text or complaints out. */
import type { Hunk } from "./patch-text.ts";
import { mostSimilar } from "./similar.ts";
import { numbered } from "./text-file.ts";

export type Applied =
  | {
      readonly ok: true;
      readonly text: string /** First and last changed line in the new text. */;
      readonly spots: readonly number[];
    }
  | { readonly ok: false; readonly complaints: readonly string[] };

const mostShown = 14;

/** Indexes at which `wanted` stands in `lines`, compared by `same`. */
function places(
  lines: readonly string[],
  wanted: readonly string[],
  same: (a: string, b: string) => boolean,
): number[] {
  const found: number[] = [];
  for (let at = 0; at + wanted.length <= lines.length && found.length < 50; at += 1) {
    if (wanted.every((line, index) => same(lines[at + index] ?? "", line))) found.push(at);
  }
  return found;
}

const exactly = (a: string, b: string): boolean => a === b;
const butForTrailingSpace = (a: string, b: string): boolean => a.trimEnd() === b.trimEnd();

function oldLines(hunk: Hunk): string[] {
  return hunk.lines.filter(({ kind }) => kind !== "+").map(({ text }) => text);
}

function newLines(hunk: Hunk): string[] {
  return hunk.lines.filter(({ kind }) => kind !== "-").map(({ text }) => text);
}

/** Blank context lines at the end are often the gap between two hunks; where they are all the context, they stay. */
function trimmed(hunk: Hunk): Hunk {
  const lines = [...hunk.lines];
  while (lines.length > 1 && lines.at(-1)?.kind === " " && lines.at(-1)?.text.trim() === "") lines.pop();
  return lines.every(({ kind }) => kind === "+") ? hunk : { ...hunk, lines };
}

/** Where a hunk goes (an index), or why it goes nowhere. `from`: the end of the hunk before, which comes first in the file. */
function place(lines: readonly string[], hunk: Hunk, from: number): { readonly at: number } | { readonly why: string } {
  const wanted = oldLines(hunk);
  if (wanted.length === 0) {
    if (lines.length === 0) return { at: 0 };
    return { why: "it only adds lines: put two or three unchanged lines around them" };
  }
  const exact = places(lines, wanted, exactly);
  const found = exact.length > 0 ? exact : places(lines, wanted, butForTrailingSpace);
  const hinted = hunk.line === null ? undefined : found.find((at) => at === (hunk.line ?? 0) - 1);
  const after = found.filter((at) => at >= from);
  const only = found.length === 1 ? found[0] : (hinted ?? (after.length === 1 ? after[0] : undefined));
  if (only !== undefined) {
    return only >= from ? { at: only } : { why: `it belongs before the hunk above it: give hunks from top to bottom` };
  }
  if (found.length > 1) {
    const numbers = found.slice(0, 10).map((at) => at + 1);
    return {
      why: `its lines are there ${found.length} times, at lines ${numbers.join(", ")}: add lines around until it is unique`,
    };
  }
  const made = newLines(hunk);
  if (made.length > 0 && places(lines, made, butForTrailingSpace).length > 0)
    return { why: "it is applied already: leave it out" };
  const near = mostSimilar(lines, wanted);
  if (near === null) return { why: "its lines are not there, nor anything like them: read the file again" };
  const start = Math.max(0, near.start - 1);
  const shown = lines.slice(start, Math.min(near.start + near.length + 1, start + mostShown));
  return { why: `its lines are not there as written. The nearest:\n${numbered(shown, start + 1)}` };
}

/** Applies all hunks to a text or none. White space at line ends is forgiven; lines that stay keep the file's own. */
export function applyHunks(source: string, hunks: readonly Hunk[]): Applied {
  const windows = source.includes("\r\n");
  const endsOpen = source !== "" && !source.endsWith("\n");
  const lines = source.split(/\r?\n/);
  if (!endsOpen) lines.pop();
  const complaints: string[] = [];
  const result: string[] = [];
  const spots: number[] = [];
  let position = 0;
  let open = endsOpen;
  for (const [index, hunk] of hunks.map(trimmed).entries()) {
    const spot = place(lines, hunk, position);
    if ("why" in spot) {
      complaints.push(`hunk ${index + 1} of ${hunks.length}: ${spot.why}`);
      continue;
    }
    result.push(...lines.slice(position, spot.at));
    let at = spot.at;
    const before = result.length;
    for (const { kind, text } of hunk.lines) {
      if (kind === "+") result.push(text);
      else {
        if (kind === " ") result.push(lines[at] ?? "");
        at += 1;
      }
    }
    spots.push(before + 1, result.length);
    position = at;
    if (at === lines.length) open = hunk.noNewlineAtEnd || (endsOpen && hunk.lines.at(-1)?.kind === " ");
  }
  if (complaints.length > 0) return { ok: false, complaints };
  result.push(...lines.slice(position));
  const end = windows ? "\r\n" : "\n";
  return { ok: true, text: result.join(end) + (result.length > 0 && !open ? end : ""), spots };
}

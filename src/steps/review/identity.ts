/**
 * What makes a finding the same finding after the next push: where it is by text, not by number. An identity has four parts, each of which
 * can be compared alone: the kind, the path, the line, and the line with its neighbours. It is kept in the marker of the thread, so that
 * nothing has to be remembered anywhere else.
 */
import { createHash } from "node:crypto";
import { FindingKind } from "../../domain/review.ts";

export interface Identity {
  readonly kind: FindingKind;
  readonly path: string;
  readonly line: string;
  readonly around: string;
}

function short(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/** Indentation and spacing change without a line becoming another one. */
function normal(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** How many lines with something on them belong to the neighbourhood, on either side. */
const neighbours = 2;

function near(lines: readonly string[], from: number, step: 1 | -1): string[] {
  const found: string[] = [];
  for (let at = from + step; found.length < neighbours && at >= 0 && at < lines.length; at += step) {
    const text = normal(lines[at] ?? "");
    if (text !== "") found.push(text);
  }
  return found;
}

export function pathKey(path: string): string {
  return short(path, 10);
}

/** Keys of a line by its text and that of its neighbours; `number` counts from 1. */
export function lineKeys(lines: readonly string[], number: number): { line: string; around: string } {
  const at = number - 1;
  const text = normal(lines[at] ?? "");
  const around = [...near(lines, at, -1).reverse(), text, ...near(lines, at, 1)];
  return { line: short(text, 10), around: short(around.join("\n"), 12) };
}

/** As it stands in a marker. */
export function printIdentity({ kind, path, line, around }: Identity): string {
  return [kind, path, line, around].join(".");
}

const prefix = "finding:";

/** The identity in a marker of ours; null when it is the marker of something else. */
export function readIdentity(marker: string | null): Identity | null {
  if (marker === null || !marker.startsWith(prefix)) return null;
  const [kind, path, line, around, ...rest] = marker.slice(prefix.length).split(".");
  const known = FindingKind.safeParse(kind);
  if (!known.success || path === undefined || line === undefined || around === undefined || rest.length > 0)
    return null;
  return { kind: known.data, path, line, around };
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.kind === b.kind && a.path === b.path && a.around === b.around && a.line === b.line;
}

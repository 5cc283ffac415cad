/** Which files of a change are looked at, and why the others are not. What is not looked at is always said. */
import type { FileDiff } from "../../domain/merge-request.ts";
import { generatedHeader, generatedNames } from "../change/generated.ts";
import { matchingPattern } from "../change/glob.ts";
import { type DiffFile, type DiffLine, numbered, readDiffFile } from "./lines.ts";

/** `failed`: the model gave nothing that could be used. */
export type Reason = "withheld" | "binary" | "generated" | "lock" | "large" | "failed";

export interface LeftOut {
  readonly path: string;
  readonly reason: Reason;
}

/** A part of a change that one call of the model looks at. */
export interface Chunk {
  readonly paths: readonly string[];
  /** The numbered diff. */
  readonly text: string;
}

const lockFiles = [
  ...["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"],
  ...["Cargo.lock", "Gemfile.lock", "poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "composer.lock", "mix.lock"],
  ...[
    "go.sum",
    "flake.lock",
    "Podfile.lock",
    "Package.resolved",
    "gradle.lockfile",
    "pubspec.lock",
    "packages.lock.json",
  ],
];

/** Longer lines were not written by a person. */
const longestLine = 5000;

function reasonAgainst(file: FileDiff, { lines }: DiffFile): Reason | null {
  if (file.withheld) return "withheld";
  if (matchingPattern(file.newPath, lockFiles) !== null) return "lock";
  if (matchingPattern(file.newPath, generatedNames) !== null) return "generated";
  if (lines.length === 0) return file.status === "renamed" || file.status === "deleted" ? null : "binary";
  const head = lines.filter(({ line, oldLine }) => (line ?? oldLine ?? 0) <= 5).map(({ text }) => text);
  if (generatedHeader.test(head.join("\n")) || lines.some(({ text }) => text.length > longestLine)) return "generated";
  return null;
}

/** Divides a diff into files to look at and files that nobody looks at. Renames without a change are neither. */
export function selectFiles(diff: readonly FileDiff[]): { files: DiffFile[]; leftOut: LeftOut[] } {
  const files: DiffFile[] = [];
  const leftOut: LeftOut[] = [];
  for (const file of diff) {
    const read = readDiffFile(file);
    const reason = reasonAgainst(file, read);
    if (reason !== null) leftOut.push({ path: file.newPath, reason });
    else if (read.lines.length > 0) files.push(read);
  }
  return { files, leftOut };
}

/** Bytes of numbered diff in one call: some 15,000 tokens, so that reading around in the code still fits beside it. */
export const chunkBytes = 48_000;
/** Calls of one review. More than that is no change that anybody reviews as a whole. */
export const mostChunks = 12;

/** A file's lines in pieces of at most `limit` bytes, cut between lines. */
function pieces(file: DiffFile, limit: number): string[] {
  const found: DiffLine[][] = [[]];
  let bytes = 0;
  for (const line of file.lines) {
    const size = Buffer.byteLength(line.text) + 16;
    if (bytes > 0 && bytes + size > limit) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1)?.push(line);
    bytes += size;
  }
  return found.map((lines) => numbered(file, lines));
}

/**
 * The diff in parts for one call each: whole files together as long as they fit, a large file in several. Files that do not fit into the
 * allowed number of calls any more are left out as `large`, in whole: half a file looked at would be said to be looked at.
 */
export function chunksOf(
  files: readonly DiffFile[],
  limits = { bytes: chunkBytes, chunks: mostChunks },
): { chunks: Chunk[]; leftOut: LeftOut[] } {
  const chunks: { paths: string[]; texts: string[]; bytes: number }[] = [];
  const leftOut: LeftOut[] = [];
  for (const file of files) {
    const parts = pieces(file, limits.bytes);
    const last = chunks.at(-1);
    const size = Buffer.byteLength(parts[0] ?? "");
    if (parts.length === 1 && last !== undefined && last.bytes + size <= limits.bytes) {
      last.paths.push(file.path);
      last.texts.push(parts[0] ?? "");
      last.bytes += size;
    } else if (chunks.length + parts.length > limits.chunks) {
      leftOut.push({ path: file.path, reason: "large" });
    } else {
      for (const text of parts) chunks.push({ paths: [file.path], texts: [text], bytes: Buffer.byteLength(text) });
    }
  }
  return { chunks: chunks.map(({ paths, texts }) => ({ paths, text: texts.join("\n\n") })), leftOut };
}

/** Secrets that a change would bring into the repository. Once pushed they are public to everybody who can read it, for ever. */
import { findSecrets, type SecretFinding } from "../../platform/redact.ts";
import { type ChangedFile, type ChangedLine, parsePatch } from "./patch.ts";

export interface PatchSecret {
  /** As git names it. */
  readonly path: string;
  /** Line in the new file, from 1; 0 for the path itself. */
  readonly line: number;
  /** What it is, without any part of it. */
  readonly kind: string;
  /** False for what a person should look at, without more. */
  readonly certain: boolean;
}

/** Lines that a patch adds side by side. In one piece, since keys have many lines. */
interface Block {
  readonly line: number;
  readonly text: string;
}

function blocksOf(lines: readonly ChangedLine[]): Block[] {
  const starts = lines.flatMap(({ number }, at) => (lines[at - 1]?.number === number - 1 ? [] : [at]));
  return starts.map((at, index) => {
    const part = lines.slice(at, starts[index + 1]);
    return { line: part[0]?.number ?? 0, text: part.map(({ text }) => text).join("\n") };
  });
}

function addedBy({ path, oldPath, kind, added }: ChangedFile): Block[] {
  const isNamed = kind === "added" || path !== oldPath;
  return [...(isNamed ? [{ line: 0, text: path }] : []), ...blocksOf(added)];
}

/**
 * What a patch (git's text format) would bring in. A secret that the patch also removes was there before and is only moved, unless it
 * is one of our own. Binary files are passed over.
 */
export function secretsInPatch(patch: string): PatchSecret[] {
  const files = parsePatch(patch);
  const removed = files.flatMap((file) => file.removed.map(({ text }) => text)).join("\n");
  const isNew = (text: string, { index, length, own }: SecretFinding): boolean =>
    own || !removed.includes(text.slice(index, index + length));
  return files.flatMap((file) =>
    addedBy(file).flatMap(({ line, text }) =>
      findSecrets(text)
        .filter((finding) => isNew(text, finding))
        .map(({ kind, index, certain }) => {
          const below = text.slice(0, index).split("\n").length - 1;
          return { path: file.path, line: line === 0 ? 0 : line + below, kind, certain };
        }),
    ),
  );
}

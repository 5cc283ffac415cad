import type { ChangedFile } from "./patch.ts";

/** A changed file with its contents on both sides; null where there is none, or it is no text. */
export type FileChange = ChangedFile & { readonly before: string | null; readonly after: string | null };

/** One thing that makes the tests say less, in words for people. */
export interface Weakening {
  readonly path: string;
  readonly problem: string;
}

/** The contents before a change, from those after it and the change's lines; null where there was no text. */
export function contentsBefore(file: ChangedFile, after: string | null): string | null {
  if (file.kind === "added" || file.binary) return null;
  if (after === null && file.kind !== "deleted") return file.newMode === file.oldMode ? null : joined(file);
  const added = new Set(file.added.map(({ number }) => number));
  const lines = (after ?? "").split("\n").filter((_line, index) => !added.has(index + 1));
  // In ascending order each line lands where it was, since everything before it is in place.
  for (const { number, text } of file.removed) lines.splice(number - 1, 0, text);
  return lines.join("\n");
}

/** What a file that became a link held: all of it was removed. */
function joined(file: ChangedFile): string {
  return `${file.removed.map(({ text }) => text).join("\n")}\n`;
}

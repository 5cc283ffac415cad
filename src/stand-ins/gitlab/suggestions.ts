/** Lines that a comment offers to be committed with a click (docs.gitlab.com, "Suggest changes"). */
import { createHash } from "node:crypto";
import type { Note, Position } from "./world.ts";

export interface Suggestion {
  readonly id: number;
  readonly note: Note;
  /** Lines of the new file, both included. */
  readonly from: number;
  readonly to: number;
  readonly content: string;
}

const block = /^(`{3,})suggestion(?::-(\d+)\+(\d+))?[^\n]*\n(?:([\s\S]*?)\n)??\1\s*$/gm;

/** Suggestions of a note on a line that the new file has. The number of each is made from the note's. */
export function suggestionsOf(note: Note): Suggestion[] {
  const line = note.position?.new_line;
  if (note.type !== "DiffNote" || line == null) return [];
  return [...note.body.matchAll(block)].map(([, , above, below, content], index) => ({
    id: note.id * 100 + index,
    note,
    from: Math.max(1, line - Number(above ?? 0)),
    to: line + Number(below ?? 0),
    content: content === undefined ? "" : `${content}\n`,
  }));
}

/** As notes show them. */
export function suggestionShape({ id, note, from, to, content }: Suggestion) {
  const applied = note.appliedSuggestions.has(id);
  return {
    id,
    from_line: from,
    to_line: to,
    appliable: !applied,
    applied,
    to_content: content,
  };
}

/** GitLab's name of a line in a diff: the path's hash, old and new number. */
export function lineCode({ new_path: path, old_line: oldLine, new_line: newLine }: Position): string {
  return `${createHash("sha1").update(path).digest("hex")}_${oldLine ?? 0}_${newLine ?? 0}`;
}

import type { ThreadNote } from "../../domain/merge-request.ts";

/** People's notes and ours, oldest first, each with its author's name: outside text. */
export function threadText(notes: readonly ThreadNote[]): string {
  return notes.map(({ author, body }) => `${author.name}:\n${body}`).join("\n\n");
}

/**
 * The description of a merge request belongs to everybody. Ours is the block between two hidden comments;
 * what people write before or after it stays.
 */
import type { Body, Marker } from "../../domain/ports.ts";
import { printMarkdown } from "../../platform/markdown.ts";

const END = "<!-- ticketsmith:end -->";

/** The first line of our block. Throws on a marker that could end the comment it is hidden in (a bug of ours). */
function beginOf(marker: Marker): string {
  if (!/^[\w.:/#@-]+$/.test(marker) || marker.includes("--")) throw new Error(`not a usable marker: ${marker}`);
  return `<!-- ticketsmith:begin ${marker} -->`;
}

/** Our block: marker, Markdown, end. Comments of our kind inside the body lose their meaning first. */
export function printBlock(marker: Marker, body: Body): string {
  const text = printMarkdown(body)
    .replace(/<!--(\s*)ticketsmith:/gi, "<!--$1ticketsmith ")
    .trim();
  return `${beginOf(marker)}\n\n${text}\n\n${END}`;
}

/** Whether a description carries our marker. */
export function hasMarker(description: string, marker: Marker): boolean {
  return description.includes(beginOf(marker));
}

/**
 * The description with our block in its newest form and everything else as people left it. A block whose end somebody deleted
 * is not guessed at: its first line goes, the text stays, and a whole block is put below.
 */
export function withBlock(description: string, marker: Marker, body: Body): string {
  const begin = beginOf(marker);
  const block = printBlock(marker, body);
  const text = sameNewlines(description);
  const from = text.indexOf(begin);
  const to = from < 0 ? -1 : text.indexOf(END, from);
  if (to >= 0) return `${text.slice(0, from)}${block}${text.slice(to + END.length)}`;
  const rest = text.replaceAll(begin, "").trimEnd();
  return rest === "" ? block : `${rest}\n\n${block}`;
}

/** GitLab's web editor stores CRLF. */
export function sameNewlines(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

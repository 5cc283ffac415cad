/**
 * What our notes look like: Markdown, and behind it a comment that hides which note it is. Who wrote a note is asked of GitLab, never of the
 * text: anybody can copy a comment.
 */
import type { Code, Nodes, Root } from "mdast";
import type { Body, Marker } from "../../domain/ports.ts";
import { printMarkdown } from "../../platform/markdown.ts";
import { sameNewlines } from "./description.ts";

const hidden = /\s*<!-- ticketsmith:note ([\w.:/#@-]+) -->\s*$/;

/** A body with its marker. Throws on a marker that could end the comment it is hidden in (a bug of ours). */
export function printNote(marker: Marker, body: Body): string {
  if (!/^[\w.:/#@-]+$/.test(marker) || marker.includes("--")) throw new Error(`not a usable marker: ${marker}`);
  const text = printMarkdown(body)
    .replace(/<!--(\s*)ticketsmith:/gi, "<!--$1ticketsmith ")
    .trim();
  return `${text}\n\n<!-- ticketsmith:note ${marker} -->`;
}

/** A note's text and the marker hidden in it; null when there is none. */
export function readNote(text: string): { body: string; marker: Marker | null } {
  const plain = sameNewlines(text);
  const found = hidden.exec(plain);
  return found === null ? { body: plain, marker: null } : { body: plain.slice(0, found.index), marker: found[1] ?? "" };
}

/** Whether a note says this already; GitLab trims what it keeps. */
export function isSameText(kept: string, wanted: string): boolean {
  return sameNewlines(kept).trim() === wanted.trim();
}

/** `path:line` as code, for a finding that cannot be put on its line. */
export function printPlace(path: string, line: number | null): string {
  return line === null ? path : `${path}:${line}`;
}

/** The body below the place it is about. Outside of a diff nobody can commit a suggestion: it becomes plain code. */
export function withPlace(body: Body, place: string): Body {
  const plain = (node: Nodes): Nodes => {
    if (node.type === "code" && /^suggestion\b/.test(node.lang ?? "")) {
      const { lang: _lang, ...code } = node;
      return code satisfies Code;
    }
    return node;
  };
  const children = body.children.map((child) => plain(child) as Root["children"][number]);
  return {
    ...body,
    children: [{ type: "paragraph", children: [{ type: "inlineCode", value: place }] }, ...children],
  };
}

/**
 * How values are put into Markdown templates: what comes from people and models must not be able to end a table cell, open a
 * heading, or look like one of our facts. Everything goes through the tree, nothing through regular expressions over Markdown.
 */
import type { Paragraph, PhrasingContent, RootContent } from "mdast";
import { parseMarkdown, printMarkdown } from "./markdown.ts";

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function printLine(content: PhrasingContent): string {
  return printMarkdown({ type: "root", children: [{ type: "paragraph", children: [content] }] }).trim();
}

/** Escapes the pipes that the printer did not escape yet, so that the text fits a table cell as well. */
function forCell(markdown: string): string {
  return markdown.replace(/(\\*)\|/g, (found, before: string) => (before.length % 2 === 0 ? `${before}\\|` : found));
}

/** Text on one line that means nothing to Markdown; fits anywhere, table cells included. */
export function line(text: string): string {
  const value = oneLine(text);
  return value === "" ? "" : forCell(printLine({ type: "text", value }));
}

/** A link that fits anywhere, table cells included. Addresses that are not http(s) are left out, the title stays. */
export function link(title: string, url: string): string {
  const value = oneLine(title);
  if (!/^https?:\/\/\S+$/i.test(url)) return line(value);
  return forCell(printLine({ type: "link", url, children: [{ type: "text", value }] }));
}

/** Inline code on one line. Not for table cells: see `codeCell`. */
export function code(text: string): string {
  const value = oneLine(text);
  return value === "" ? "" : printLine({ type: "inlineCode", value });
}

/** Inline code for a table cell. GitHub's tables cannot express a backslash before a pipe in code: that becomes plain text. */
export function codeCell(text: string): string {
  return text.includes("\\|") ? line(text) : code(text).replaceAll("|", "\\|");
}

function sourceOf(node: RootContent, markdown: string): string {
  return markdown.slice(node.position?.start.offset ?? 0, node.position?.end.offset ?? 0);
}

function textOf(node: RootContent, markdown: string): PhrasingContent {
  return { type: "text", value: oneLine(sourceOf(node, markdown)) };
}

/** What happens to headings, tables and rules: those that would pass for ours are taken down a peg. */
interface Frame {
  readonly heading: (depth: number) => 3 | 4 | 5 | 6 | "bold";
  readonly tables: boolean;
}

function tame(nodes: readonly RootContent[], markdown: string, frame: Frame): RootContent[] {
  return nodes.flatMap((node) => tameOne(node, markdown, frame));
}

function tameOne(node: RootContent, markdown: string, frame: Frame): RootContent[] {
  switch (node.type) {
    case "heading": {
      const depth = frame.heading(node.depth);
      const children = tame(node.children, markdown, frame) as PhrasingContent[];
      if (depth !== "bold") return [{ type: "heading", depth, children }];
      return [{ type: "paragraph", children: [{ type: "strong", children }] }];
    }
    case "table":
      if (!frame.tables) return [{ type: "code", value: sourceOf(node, markdown) }];
      break;
    case "thematicBreak":
    case "definition":
    case "footnoteDefinition":
      return [];
    case "html":
    case "linkReference":
    case "imageReference":
    case "footnoteReference":
      return [textOf(node, markdown)];
  }
  if (!("children" in node)) return [node];
  return [{ ...node, children: tame(node.children as RootContent[], markdown, frame) } as RootContent];
}

/** Blocks may not be bare text: what was an HTML block becomes a paragraph. */
function asBlocks(nodes: readonly RootContent[]): RootContent[] {
  return nodes.map((node) => {
    if (node.type === "text") return { type: "paragraph", children: [node] } satisfies Paragraph;
    const holdsBlocks = node.type === "blockquote" || node.type === "list" || node.type === "listItem";
    if (!holdsBlocks) return node;
    return { ...node, children: asBlocks(node.children as RootContent[]) } as RootContent;
  });
}

function framed(markdown: string, frame: Frame): string {
  const children = asBlocks(tame(parseMarkdown(markdown).children, markdown, frame));
  return printMarkdown({ type: "root", children }).trim();
}

/** Markdown that people or models wrote, for the flow of a message: headings turn bold, tables turn to code, HTML to text. */
export function prose(markdown: string): string {
  return framed(markdown, { heading: () => "bold", tables: false });
}

/** Markdown for a section under a heading of level 2: its own headings start at level 3, HTML turns to text. */
export function section(markdown: string): string {
  return framed(markdown, { heading: (depth) => Math.min(6, depth + 2) as 3 | 4 | 5 | 6, tables: true });
}

/** Plain text on one line, as it is: for commit messages. */
export function plain(text: string): string {
  return oneLine(text);
}

/** Plain text for commit messages: every line broken at blanks to at most `width` characters, words never cut. */
export function wrap(text: string, width = 72): string {
  const lines = text.trim().split(/\r?\n/).map(oneLine);
  return lines
    .map((each) => breakLine(each, width))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n");
}

function breakLine(text: string, width: number): string {
  let length = 0;
  let broken = "";
  for (const word of text.split(" ")) {
    const fits = length > 0 && length + 1 + word.length <= width;
    if (length > 0) broken += fits ? " " : "\n";
    broken += word;
    length = fits ? length + 1 + word.length : word.length;
  }
  return broken;
}

/** US dollars for people. */
export function asUsd(amount: number): string {
  if (amount > 0 && amount < 0.01) return "less than $0.01";
  return `$${amount.toFixed(2)}`;
}

/** A duration in minutes for people. */
export function asMinutes(minutes: number): string {
  if (minutes < 1) return "less than a minute";
  const whole = Math.round(minutes);
  if (whole < 90) return whole === 1 ? "1 minute" : `${whole} minutes`;
  return `${(minutes / 60).toFixed(1)} hours`;
}

/** A large number for people: 950, 12k, 3.4M. */
export function asCount(number: number): string {
  if (number < 1000) return String(Math.round(number));
  if (number < 999_500) return `${Math.round(number / 1000)}k`;
  return `${(number / 1_000_000).toFixed(1)}M`;
}

/** Markdown text <-> tree. The tree (mdast, GitHub flavour) is the form in which every body travels inside Ticketsmith. */
import type { Root } from "mdast";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import remarkStringify from "remark-stringify";
import { unified } from "unified";

const parser = unified().use(remarkParse).use(remarkGfm);
const printer = unified()
  // Cells are not padded to equal width: one long command would blow up every row.
  .use(remarkGfm, { tablePipeAlign: false })
  .use(remarkStringify, { bullet: "-", fences: true, rule: "-", listItemIndent: "one", emphasis: "_" });

/** Parses Markdown. Never throws: any text is some Markdown. */
export function parseMarkdown(text: string): Root {
  return parser.parse(text);
}

/** Prints a tree as Markdown that parses to the same tree. */
export function printMarkdown(tree: Root): string {
  return printer.stringify(tree);
}

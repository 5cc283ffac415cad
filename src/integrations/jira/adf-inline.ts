/** The inline half of mdast -> ADF: text, marks, links, breaks. */
import type { Definition, PhrasingContent } from "mdast";
import { type AdfMark, type AdfNode, adfText } from "./adf-nodes.ts";

/** Targets of `[text][id]`, by identifier. */
export type Definitions = ReadonlyMap<string, Definition>;

const hardBreak: AdfNode = { type: "hardBreak" };

/** ADF's editor refuses other schemes, and a `javascript:` link must not come from us anyway. */
function isLinkable(url: string): boolean {
  return /^(?:https?:\/\/|mailto:)\S+$/i.test(url);
}

/** The `code` mark combines with `link` only; every other pair is fine. Each type may be there once. */
function withMark(marks: readonly AdfMark[], mark: AdfMark): readonly AdfMark[] {
  const others = marks.filter((other) => other.type !== mark.type);
  if (mark.type === "code") return [...others.filter((other) => other.type === "link"), mark];
  return [...others, mark];
}

/** A Markdown line end inside a paragraph is a space; only `break` is a new line. */
function softText(value: string): string {
  return value.replace(/[ \t]*\r?\n[ \t]*/g, " ");
}

function textNodes(value: string, marks: readonly AdfMark[]): AdfNode[] {
  return value === "" ? [] : [adfText(value, marks)];
}

/** Raw HTML is shown as text, except for the two things that Markdown shows: a line break, and nothing for a comment. */
function htmlNodes(value: string, marks: readonly AdfMark[]): AdfNode[] {
  if (/^<br\s*\/?>$/i.test(value.trim())) return [hardBreak];
  const visible = value.replace(/<!--[\s\S]*?-->/g, "");
  if (visible.trim() === "") return [];
  return visible
    .trim()
    .split(/\r?\n/)
    .flatMap((line, index) => [...(index > 0 ? [hardBreak] : []), ...textNodes(line, marks)]);
}

function linked(url: string, children: AdfNode[], marks: readonly AdfMark[]): AdfNode[] {
  const shown = children.length > 0 ? children : textNodes(url, marks);
  if (!isLinkable(url)) return shown;
  const link: AdfMark = { type: "link", attrs: { href: url } };
  return shown.map((node) =>
    node.type === "text" ? adfText(node.text ?? "", withMark(node.marks ?? [], link)) : node,
  );
}

function one(node: PhrasingContent, marks: readonly AdfMark[], definitions: Definitions): AdfNode[] {
  const inside = (children: readonly PhrasingContent[], mark?: AdfMark): AdfNode[] =>
    inlineToAdf(children, definitions, mark === undefined ? marks : withMark(marks, mark));
  switch (node.type) {
    case "text":
      return textNodes(softText(node.value), marks);
    case "strong":
      return inside(node.children, { type: "strong" });
    case "emphasis":
      return inside(node.children, { type: "em" });
    case "delete":
      return inside(node.children, { type: "strike" });
    case "inlineCode":
      return textNodes(softText(node.value), withMark(marks, { type: "code" }));
    case "break":
      return [hardBreak];
    case "html":
      return htmlNodes(node.value, marks);
    case "link":
      return linked(node.url, inside(node.children), marks);
    case "linkReference": {
      const target = definitions.get(node.identifier)?.url;
      return target === undefined ? inside(node.children) : linked(target, inside(node.children), marks);
    }
    // Pictures would have to be uploaded first; a link with the picture's name says the same.
    case "image":
      return linked(node.url, textNodes(softText(node.alt ?? ""), marks), marks);
    case "imageReference": {
      const target = definitions.get(node.identifier)?.url ?? "";
      return linked(target, textNodes(softText(node.alt ?? ""), marks), marks);
    }
    case "footnoteReference":
      return textNodes(`[${node.label ?? node.identifier}]`, marks);
    default:
      return [];
  }
}

/** Breaks at the rims of a block are not seen by anybody. */
function withoutRims(nodes: readonly AdfNode[]): AdfNode[] {
  const first = nodes.findIndex((node) => node.type !== "hardBreak");
  const last = nodes.findLastIndex((node) => node.type !== "hardBreak");
  return first < 0 ? [] : nodes.slice(first, last + 1);
}

function inlineToAdf(
  nodes: readonly PhrasingContent[],
  definitions: Definitions,
  marks: readonly AdfMark[] = [],
): AdfNode[] {
  return nodes.flatMap((node) => one(node, marks, definitions));
}

/** The inline content of one block. The answer holds text nodes (never empty) and hard breaks only. */
export function lineToAdf(nodes: readonly PhrasingContent[], definitions: Definitions): AdfNode[] {
  return withoutRims(inlineToAdf(nodes, definitions));
}

/** Block HTML as the inline content of a paragraph; empty when nothing of it is visible. */
export function htmlToAdf(value: string): AdfNode[] {
  return withoutRims(htmlNodes(value, []));
}

/** The same content in bold, for places where ADF knows no heading. */
export function bold(nodes: readonly AdfNode[]): AdfNode[] {
  return nodes.map((node) => {
    if (node.type !== "text" || node.marks?.some((mark) => mark.type === "code")) return node;
    return adfText(node.text ?? "", withMark(node.marks ?? [], { type: "strong" }));
  });
}

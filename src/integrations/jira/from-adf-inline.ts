/** The inline half of ADF -> mdast: flat text runs with sets of marks become nested phrasing. */
import type { Html, PhrasingContent } from "mdast";
import type { AdfMark, AdfNode } from "./adf-nodes.ts";

/** Outermost first. Marks that Markdown does not know (underline, colour, sub and superscript) are dropped. */
const nesting = ["link", "strong", "em", "strike"] as const;

/** Text that is printed as it stands: brackets would be escaped otherwise. Only for constants of ours. */
export function verbatim(value: string): Html {
  return { type: "html", value };
}

function attribute(node: AdfNode, name: string): string {
  const value = node.attrs?.[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function dateOf(node: AdfNode): string {
  const time = Number(attribute(node, "timestamp"));
  return Number.isFinite(time) && Math.abs(time) < 8.64e15 ? new Date(time).toISOString().slice(0, 10) : "";
}

function textual(value: string): PhrasingContent[] {
  return value
    .split("\n")
    .flatMap((line, index): PhrasingContent[] => [
      ...(index > 0 ? [{ type: "break" } as const] : []),
      ...(line === "" ? [] : [{ type: "text" as const, value: line }]),
    ]);
}

function leaf(node: AdfNode): PhrasingContent[] {
  switch (node.type) {
    case "text": {
      const value = node.text ?? "";
      if (value === "") return [];
      const isCode = node.marks?.some((mark) => mark.type === "code") ?? false;
      return isCode ? [{ type: "inlineCode", value }] : textual(value);
    }
    case "hardBreak":
      return [{ type: "break" }];
    case "mention": {
      const name = attribute(node, "text") || attribute(node, "id");
      return [{ type: "text", value: name.startsWith("@") ? name : `@${name}` }];
    }
    case "emoji":
      return textual(attribute(node, "text") || attribute(node, "shortName"));
    case "date":
      return textual(dateOf(node));
    case "status": {
      const value = attribute(node, "text");
      return value === "" ? [] : [{ type: "strong", children: [{ type: "text", value }] }];
    }
    case "inlineCard": {
      const url = attribute(node, "url");
      return url === "" ? [] : [{ type: "link", url, children: [{ type: "text", value: url }] }];
    }
    case "media":
    case "mediaInline":
      return [verbatim("[attachment]")];
    default:
      return [{ type: "inlineCode", value: `adf:${node.type} ${JSON.stringify(node)}` }];
  }
}

function markOf(node: AdfNode, type: string): AdfMark | undefined {
  return node.marks?.find((mark) => mark.type === type);
}

/** Code inside bold or italics does not exist in ADF, so only a link goes around it. */
function carries(node: AdfNode, type: string): AdfMark | undefined {
  if (type !== "link" && markOf(node, "code")) return undefined;
  return markOf(node, type);
}

function hrefOf(mark: AdfMark): string {
  const href = mark.attrs?.href;
  return typeof href === "string" ? href : "";
}

function wrap(mark: AdfMark, children: PhrasingContent[]): PhrasingContent {
  if (mark.type === "link") return { type: "link", url: hrefOf(mark), children: children as never };
  if (mark.type === "strong") return { type: "strong", children };
  if (mark.type === "em") return { type: "emphasis", children };
  return { type: "delete", children };
}

/** Markdown cannot start or end bold text with a space: spaces at the rim of a marked run go outside of it. */
function trimmedRun(run: readonly AdfNode[]): { before: string; run: AdfNode[]; after: string } {
  const trimmed = [...run];
  let before = "";
  let after = "";
  for (let first = trimmed[0]; first?.type === "text" && !markOf(first, "code"); first = trimmed[0]) {
    const rest = (first.text ?? "").trimStart();
    before += (first.text ?? "").slice(0, (first.text ?? "").length - rest.length);
    if (rest !== "") {
      trimmed[0] = { ...first, text: rest };
      break;
    }
    trimmed.shift();
  }
  for (let last = trimmed.at(-1); last?.type === "text" && !markOf(last, "code"); last = trimmed.at(-1)) {
    const rest = (last.text ?? "").trimEnd();
    after = (last.text ?? "").slice(rest.length) + after;
    if (rest !== "") {
      trimmed[trimmed.length - 1] = { ...last, text: rest };
      break;
    }
    trimmed.pop();
  }
  return { before, run: trimmed, after };
}

function sameMark(a: AdfMark | undefined, b: AdfMark): boolean {
  return a !== undefined && (b.type !== "link" || hrefOf(a) === hrefOf(b));
}

function nest(nodes: readonly AdfNode[], level: number): PhrasingContent[] {
  const type = nesting[level];
  if (type === undefined) return nodes.flatMap(leaf);
  const made: PhrasingContent[] = [];
  for (let at = 0; at < nodes.length; ) {
    const mark = carries(nodes[at]!, type);
    let end = at + 1;
    while (end < nodes.length) {
      const next = carries(nodes[end]!, type);
      if (mark === undefined ? next !== undefined : !sameMark(next, mark)) break;
      end += 1;
    }
    const run = nodes.slice(at, end);
    if (mark === undefined) made.push(...nest(run, level + 1));
    else {
      const parts = trimmedRun(run);
      made.push(...textual(parts.before));
      if (parts.run.length > 0) made.push(wrap(mark, nest(parts.run, level + 1)));
      made.push(...textual(parts.after));
    }
    at = end;
  }
  return made;
}

/** Joins neighbouring texts, and takes away breaks and spaces at the rims, which Markdown cannot say. */
function tidy(nodes: readonly PhrasingContent[]): PhrasingContent[] {
  const made: PhrasingContent[] = [];
  for (const node of nodes) {
    const last = made.at(-1);
    if (last?.type === "text" && node.type === "text")
      made[made.length - 1] = { ...last, value: last.value + node.value };
    else made.push(node);
  }
  while (made[0]?.type === "break") made.shift();
  while (made.at(-1)?.type === "break") made.pop();
  return made;
}

/** Converts the inline content of one ADF block. */
export function inlineFromAdf(nodes: readonly AdfNode[]): PhrasingContent[] {
  return tidy(nest(nodes, 0));
}

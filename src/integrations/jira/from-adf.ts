/** ADF -> Markdown. What people wrote in Jira, in the form in which agents read it. Reads any JSON without throwing. */
import type { BlockContent, ListItem, PhrasingContent, Root, RootContent, TableRow } from "mdast";
import { printMarkdown } from "../../platform/markdown.ts";
import { type AdfNode, readNodes } from "./adf-nodes.ts";
import { inlineFromAdf, verbatim } from "./from-adf-inline.ts";

/** Containers that only arrange: their content stands for them. */
const transparent = new Set(["doc", "layoutSection", "layoutColumn", "listItem", "bodiedSyncBlock"]);

function text(node: AdfNode, name: string): string {
  const value = node.attrs?.[name];
  return typeof value === "string" ? value : "";
}

function contentOf(node: AdfNode): readonly AdfNode[] {
  return node.content ?? [];
}

function paragraph(children: PhrasingContent[]): BlockContent[] {
  return children.length === 0 ? [] : [{ type: "paragraph", children }];
}

function plainText(node: AdfNode): string {
  return node.text ?? contentOf(node).map(plainText).join("");
}

function inline(node: AdfNode): PhrasingContent[] {
  return inlineFromAdf(contentOf(node));
}

function taskItems(node: AdfNode): ListItem[] {
  const items: ListItem[] = [];
  for (const child of contentOf(node)) {
    const last = items.at(-1);
    if (child.type === "taskList") {
      const nested: BlockContent = { type: "list", ordered: false, spread: false, children: taskItems(child) };
      if (last) last.children.push(nested);
      else items.push(...taskItems(child));
    } else {
      const children = child.type === "taskItem" ? paragraph(inline(child)) : blocks(contentOf(child));
      const checked = text(child, "state") === "DONE";
      // GFM knows a check box only in front of text.
      items.push({ type: "listItem", checked: children.length > 0 ? checked : null, spread: false, children });
    }
  }
  return items;
}

/** Cells of GFM are one line: blocks of a cell are put behind each other with `<br>`. */
function cell(node: AdfNode): PhrasingContent[] {
  const lines = contentOf(node).flatMap((child) => cellLines(child, ""));
  return lines.flatMap((line, index) => (index === 0 ? line : [verbatim("<br>"), ...line]));
}

function cellLines(node: AdfNode, prefix: string): PhrasingContent[][] {
  if (node.type === "codeBlock") {
    return plainText(node)
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => [{ type: "inlineCode", value: line }]);
  }
  if (node.type === "paragraph" || node.type === "heading" || node.type === "taskItem") {
    const done = text(node, "state");
    const mark = done === "" ? prefix : done === "DONE" ? "☑ " : "☐ ";
    const children = inline(node).map((child) => (child.type === "break" ? verbatim("<br>") : child));
    return [mark === "" ? children : [{ type: "text", value: mark }, ...children]];
  }
  const below = node.type === "listItem" ? "• " : prefix;
  if (contentOf(node).length > 0) {
    return contentOf(node).flatMap((child, index) => cellLines(child, index === 0 ? below : ""));
  }
  return [blocks([node]).flatMap((made) => (made.type === "paragraph" ? made.children : []))];
}

function table(node: AdfNode): BlockContent[] {
  const rows = contentOf(node)
    .filter((row) => row.type === "tableRow")
    .map(
      (row): TableRow => ({
        type: "tableRow",
        children: contentOf(row).map((one) => ({ type: "tableCell", children: cell(one) })),
      }),
    );
  return rows.some((row) => row.children.length > 0) ? [{ type: "table", children: rows }] : [];
}

function listOf(node: AdfNode): BlockContent[] {
  const children = contentOf(node).map(
    (item): ListItem => ({ type: "listItem", spread: false, children: blocks(contentOf(item)) }),
  );
  if (children.length === 0) return [];
  if (node.type !== "orderedList") return [{ type: "list", ordered: false, spread: false, children }];
  const order = node.attrs?.order;
  return [{ type: "list", ordered: true, start: typeof order === "number" ? order : 1, spread: false, children }];
}

function link(url: string): BlockContent[] {
  return url === "" ? [] : paragraph([{ type: "link", url, children: [{ type: "text", value: url }] }]);
}

function block(node: AdfNode): BlockContent[] {
  if (transparent.has(node.type)) return blocks(contentOf(node));
  switch (node.type) {
    case "paragraph":
      return paragraph(inline(node));
    case "heading": {
      const level = node.attrs?.level;
      const depth = Math.min(6, Math.max(1, typeof level === "number" ? Math.trunc(level) : 1));
      return [{ type: "heading", depth: depth as 1 | 2 | 3 | 4 | 5 | 6, children: inline(node) }];
    }
    case "codeBlock":
      return [{ type: "code", lang: text(node, "language") || null, value: plainText(node) }];
    case "bulletList":
    case "orderedList":
    case "decisionList":
      return node.type === "decisionList" ? decisions(node) : listOf(node);
    case "taskList": {
      const children = taskItems(node);
      return children.length === 0 ? [] : [{ type: "list", ordered: false, spread: false, children }];
    }
    case "blockquote":
    case "panel": {
      const children = blocks(contentOf(node));
      return children.length === 0 ? [] : [{ type: "blockquote", children }];
    }
    case "expand":
    case "nestedExpand": {
      const title = text(node, "title");
      const head = title === "" ? [] : paragraph([{ type: "strong", children: [{ type: "text", value: title }] }]);
      return [...head, ...blocks(contentOf(node))];
    }
    case "rule":
      return [{ type: "thematicBreak" }];
    case "table":
      return table(node);
    case "mediaSingle":
    case "mediaGroup":
    case "media":
      return paragraph([verbatim("[attachment]")]);
    case "blockCard":
    case "embedCard":
      return link(text(node, "url"));
    default:
      return [{ type: "code", lang: `adf:${node.type}`, value: JSON.stringify(node, null, 2) }];
  }
}

function decisions(node: AdfNode): BlockContent[] {
  const children = contentOf(node).map(
    (item): ListItem => ({ type: "listItem", spread: false, children: paragraph(inline(item)) }),
  );
  return children.length === 0 ? [] : [{ type: "list", ordered: false, spread: false, children }];
}

function blocks(nodes: readonly AdfNode[]): BlockContent[] {
  const made: BlockContent[] = [];
  let line: AdfNode[] = [];
  const endLine = (): void => {
    made.push(...paragraph(inlineFromAdf(line)));
    line = [];
  };
  for (const node of nodes) {
    // Inline content directly in a container is against the schema, but no reason to lose what somebody wrote.
    if (node.type === "text" || node.type === "hardBreak") line.push(node);
    else {
      endLine();
      made.push(...block(node));
    }
  }
  endLine();
  return made;
}

/**
 * An ADF document as Markdown. Anything that is no document is empty text; a string (Jira's v2 answers) stays as it is.
 * Mentions become `@name`, media `[attachment]`, panels quotes, statuses bold; what is unknown becomes a fenced block
 * `adf:<type>` with its JSON, so nothing that somebody wrote is lost.
 */
export function fromAdf(doc: unknown): string {
  if (typeof doc === "string") return doc;
  if (typeof doc !== "object" || doc === null || !("content" in doc)) return "";
  const children: RootContent[] = blocks(readNodes(doc.content));
  const root: Root = { type: "root", children };
  return printMarkdown(root).trimEnd();
}

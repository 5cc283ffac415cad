/** Rich text as Jira shows it elsewhere: wiki markup in webhooks, HTML on its pages. */
import { escapeHtml } from "../server.ts";
import type { Adf } from "./adf-schema.ts";

function attr(node: Adf, name: string): string {
  const value = node.attrs?.[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function hrefOf(node: Adf): string | undefined {
  const href = node.marks?.find((mark) => mark.type === "link")?.attrs?.href;
  return typeof href === "string" ? href : undefined;
}

const wikiMarks: Readonly<Record<string, readonly [string, string]>> = {
  strong: ["*", "*"],
  em: ["_", "_"],
  strike: ["-", "-"],
  code: ["{{", "}}"],
  underline: ["+", "+"],
};

function wikiText(node: Adf): string {
  let text = node.text ?? "";
  for (const mark of node.marks ?? []) {
    const [open, close] = wikiMarks[mark.type] ?? ["", ""];
    text = `${open}${text}${close}`;
  }
  const href = hrefOf(node);
  return href === undefined ? text : `[${text}|${href}]`;
}

function wikiInline(node: Adf): string {
  return (node.content ?? [])
    .map((child) => {
      if (child.type === "text") return wikiText(child);
      if (child.type === "hardBreak") return "\n";
      if (child.type === "mention") return `[~accountid:${attr(child, "id")}]`;
      if (child.type === "inlineCard") return `[${attr(child, "url")}]`;
      return attr(child, "text") || attr(child, "shortName");
    })
    .join("");
}

function wikiList(node: Adf, bullets: string): string {
  const own = bullets + (node.type === "orderedList" ? "#" : "*");
  return (node.content ?? [])
    .map((item) => {
      if (item.type === "taskList") return wikiList(item, own);
      if (item.type === "taskItem") return `${own} [${attr(item, "state") === "DONE" ? "x" : " "}] ${wikiInline(item)}`;
      const lines = (item.content ?? []).map((child) =>
        child.type === "bulletList" || child.type === "orderedList" ? wikiList(child, own) : wikiBlock(child),
      );
      return `${own} ${lines.join("\n")}`;
    })
    .join("\n");
}

function wikiBlock(node: Adf): string {
  const inside = (): string => (node.content ?? []).map(wikiBlock).join("\n\n");
  switch (node.type) {
    case "paragraph":
      return wikiInline(node);
    case "heading":
      return `h${attr(node, "level")}. ${wikiInline(node)}`;
    case "codeBlock": {
      const language = attr(node, "language");
      return `{code${language === "" ? "" : `:${language}`}}\n${wikiInline(node)}\n{code}`;
    }
    case "bulletList":
    case "orderedList":
    case "taskList":
      return wikiList(node, "");
    case "blockquote":
      return `{quote}${inside()}{quote}`;
    case "panel":
      return `{panel}\n${inside()}\n{panel}`;
    case "rule":
      return "----";
    case "table":
      return (node.content ?? [])
        .map((row) => {
          const bar = row.content?.[0]?.type === "tableHeader" ? "||" : "|";
          return `${bar}${(row.content ?? []).map((cell) => (cell.content ?? []).map(wikiBlock).join(" ")).join(bar)}${bar}`;
        })
        .join("\n");
    default:
      return inside();
  }
}

/** A document as wiki markup, the form of rich text in webhooks and in version 2 of the API; null stays null. */
export function adfToWiki(doc: Adf | null): string | null {
  return doc === null ? null : (doc.content ?? []).map(wikiBlock).join("\n\n");
}

const htmlMarks: Readonly<Record<string, string>> = {
  strong: "strong",
  em: "em",
  strike: "s",
  code: "code",
  underline: "u",
};

const htmlBlocks: Readonly<Record<string, string>> = {
  paragraph: "p",
  blockquote: "blockquote",
  bulletList: "ul",
  orderedList: "ol",
  listItem: "li",
  taskList: "ul",
  decisionList: "ul",
  table: "table",
  tableRow: "tr",
  tableHeader: "th",
  tableCell: "td",
};

/** A node as HTML. Everything is escaped; links other than http(s) are shown as text. */
export function adfToHtml(node: Adf): string {
  const inside = (): string => (node.content ?? []).map(adfToHtml).join("");
  switch (node.type) {
    case "text": {
      let html = escapeHtml(node.text ?? "");
      for (const mark of node.marks ?? []) {
        const tag = htmlMarks[mark.type];
        if (tag !== undefined) html = `<${tag}>${html}</${tag}>`;
      }
      const href = hrefOf(node) ?? "";
      return /^https?:/i.test(href) ? `<a href="${escapeHtml(href)}">${html}</a>` : html;
    }
    case "hardBreak":
      return "<br>";
    case "rule":
      return "<hr>";
    case "mention":
      return `<span class="mention">${escapeHtml(attr(node, "text") || `@${attr(node, "id")}`)}</span>`;
    case "status":
      return `<span class="lozenge">${escapeHtml(attr(node, "text"))}</span>`;
    case "inlineCard":
    case "blockCard":
      return `<a href="${escapeHtml(attr(node, "url"))}">${escapeHtml(attr(node, "url"))}</a>`;
    case "heading":
      return `<h${attr(node, "level")}>${inside()}</h${attr(node, "level")}>`;
    case "codeBlock":
      return `<pre><code>${inside()}</code></pre>`;
    case "taskItem":
      return `<li class="task">${attr(node, "state") === "DONE" ? "☑" : "☐"} ${inside()}</li>`;
    case "panel":
      return `<div class="panel">${inside()}</div>`;
    default: {
      const tag = htmlBlocks[node.type];
      return tag === undefined ? inside() : `<${tag}>${inside()}</${tag}>`;
    }
  }
}

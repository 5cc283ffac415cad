/**
 * Body tree -> Confluence storage format. Built from the tree, never from text: only the elements and macros written out here can
 * appear, whatever the tree contains. Source: "Confluence Storage Format" (XHTML with `ac:` macros).
 */
import type { Image, Link, List, ListItem, Nodes, Root, Table } from "mdast";

/** Characters that XML 1.0 cannot carry in any form. */
const noXml = /(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu;

function escapeXml(text: string): string {
  return text
    .replace(noXml, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A CDATA section cannot contain its own end: split there, parsers join the halves. */
function cdata(text: string): string {
  return `<![CDATA[${text.replace(noXml, "").replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}

/** What people write after a fence and what the code macro calls it. */
const languages: Readonly<Record<string, string>> = {
  sh: "bash",
  shell: "bash",
  js: "javascript",
  jsx: "javascript",
  ts: "typescript",
  tsx: "typescript",
  py: "python",
  rb: "ruby",
  yml: "yaml",
  cs: "c#",
};

function code(value: string, lang: string | null | undefined): string {
  const name = (lang ?? "").toLowerCase();
  const known = /^[a-z0-9#+-]{1,20}$/.test(name) ? (languages[name] ?? name) : "";
  const language = known === "" ? "" : `<ac:parameter ac:name="language">${escapeXml(known)}</ac:parameter>`;
  const body = `<ac:plain-text-body>${cdata(value)}</ac:plain-text-body>`;
  return `<ac:structured-macro ac:name="code">${language}${body}</ac:structured-macro>`;
}

/** Only addresses that open a page or a mail; anything else stays text. */
function isSafe(address: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(address);
}

function anchor(address: string, inside: string): string {
  return isSafe(address) ? `<a href="${escapeXml(address)}">${inside}</a>` : inside;
}

/** Writes one document; holds the number of the next task, which must be unique on a page. */
class StorageWriter {
  #task = 0;

  all(nodes: readonly Nodes[]): string {
    return nodes.map((node) => this.one(node)).join("");
  }

  #list(list: List): string {
    if (list.children.length === 0) return "";
    if (list.children.every((item) => typeof item.checked === "boolean")) {
      return `<ac:task-list>${list.children.map((item) => this.#taskItem(item)).join("")}</ac:task-list>`;
    }
    const items = list.children.map((item) => `<li>${this.#item(item)}</li>`).join("");
    const start = list.ordered && typeof list.start === "number" && list.start !== 1 ? ` start="${list.start}"` : "";
    return list.ordered ? `<ol${start}>${items}</ol>` : `<ul>${items}</ul>`;
  }

  /** Paragraphs of a tight item stand without `<p>`, as Confluence's own editor stores them. */
  #item(item: ListItem): string {
    const box = typeof item.checked === "boolean" ? (item.checked ? "☑ " : "☐ ") : "";
    const tight = item.children.filter((child) => child.type === "paragraph").length <= 1;
    const inside = item.children.map((child) =>
      tight && child.type === "paragraph" ? this.all(child.children) : this.one(child),
    );
    return box + inside.join("");
  }

  #taskItem(item: ListItem): string {
    this.#task += 1;
    const id = this.#task;
    const status = item.checked === true ? "complete" : "incomplete";
    const body = this.#item({ ...item, checked: null });
    return (
      `<ac:task><ac:task-id>${id}</ac:task-id><ac:task-status>${status}</ac:task-status>` +
      `<ac:task-body>${body}</ac:task-body></ac:task>`
    );
  }

  #table(table: Table): string {
    const rows = table.children.map((row, index) => {
      const cell = index === 0 ? "th" : "td";
      return `<tr>${row.children.map((one) => `<${cell}>${this.all(one.children)}</${cell}>`).join("")}</tr>`;
    });
    return rows.length === 0 ? "" : `<table><tbody>${rows.join("")}</tbody></table>`;
  }

  #link(link: Link): string {
    return anchor(link.url, this.all(link.children));
  }

  #image(image: Image): string {
    return anchor(image.url, escapeXml(image.alt || image.url));
  }

  one(node: Nodes): string {
    switch (node.type) {
      case "root":
        return this.all(node.children);
      case "paragraph":
        return `<p>${this.all(node.children)}</p>`;
      case "heading":
        return `<h${node.depth}>${this.all(node.children)}</h${node.depth}>`;
      case "blockquote":
        return `<blockquote>${this.all(node.children)}</blockquote>`;
      case "list":
        return this.#list(node);
      case "listItem":
        return this.#item(node);
      case "table":
        return this.#table(node);
      case "code":
        return code(node.value, node.lang);
      case "thematicBreak":
        return "<hr/>";
      case "break":
        return "<br/>";
      case "text":
      case "html":
        return escapeXml(node.value);
      case "inlineCode":
        return `<code>${escapeXml(node.value)}</code>`;
      case "emphasis":
        return `<em>${this.all(node.children)}</em>`;
      case "strong":
        return `<strong>${this.all(node.children)}</strong>`;
      case "delete":
        return `<del>${this.all(node.children)}</del>`;
      case "link":
        return this.#link(node);
      case "image":
        return this.#image(node);
      case "imageReference":
        return escapeXml(node.alt ?? "");
      case "footnoteReference":
        return escapeXml(`[${node.identifier}]`);
      case "linkReference":
      case "footnoteDefinition":
      case "tableRow":
      case "tableCell":
        return this.all(node.children);
      default:
        return "";
    }
  }
}

/**
 * A body as storage XHTML. Never throws and always well-formed. Raw HTML in the tree is shown as text, images become links to them,
 * links other than http(s) and mailto become their words.
 */
export function bodyToStorage(body: Root): string {
  return new StorageWriter().one(body);
}

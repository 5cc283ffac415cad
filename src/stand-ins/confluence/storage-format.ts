/**
 * What the stand-in accepts as storage format, and how it shows it. Stricter than Confluence: whatever is not listed is refused,
 * so that a test finds out.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { escapeHtml } from "../server.ts";

const htmlElements = new Set(
  (
    "a b blockquote br code col colgroup del div em h1 h2 h3 h4 h5 h6 hr i li ol p pre s span strong sub sup table tbody td th thead " +
    "time tr u ul"
  ).split(" "),
);
const confluenceElements = new Set(
  (
    "ac:structured-macro ac:parameter ac:plain-text-body ac:rich-text-body ac:task-list ac:task ac:task-id ac:task-status ac:task-body " +
    "ac:link ac:link-body ac:plain-text-link-body ac:image ac:layout ac:layout-section ac:layout-cell ri:page ri:user ri:url ri:attachment"
  ).split(" "),
);
const macros = new Set("anchor code details expand info jira note panel status tip toc warning".split(" "));
const entities =
  /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos|nbsp|[lr]dquo|[lr]squo|[mn]dash|hellip|bull|middot|copy|reg|euro|[lr]arr|times|uuml|auml|ouml|Uuml|Auml|Ouml|szlig|eacute|egrave|agrave);/gi;

/** fast-xml-parser's ordered form: one key with the element's children, attributes under `:@`. */
type XmlNode = { readonly [name: string]: unknown };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: "#cdata",
  commentPropName: "#comment",
  maxNestedTags: 500,
});

function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== ":@") ?? "";
}

function childrenOf(node: XmlNode): readonly XmlNode[] {
  const children = node[nameOf(node)];
  return Array.isArray(children) ? (children as XmlNode[]) : [];
}

function attribute(node: XmlNode, name: string): string {
  const attributes = node[":@"] as Readonly<Record<string, string>> | undefined;
  return attributes?.[name] ?? "";
}

function parse(storage: string): readonly XmlNode[] {
  const [root] = parser.parse(`<storage>${storage}</storage>`) as XmlNode[];
  return root === undefined ? [] : childrenOf(root);
}

function problemIn(nodes: readonly XmlNode[]): string | null {
  for (const node of nodes) {
    const name = nameOf(node);
    if (name.startsWith("#")) continue;
    if (!htmlElements.has(name) && !confluenceElements.has(name)) return `The element <${name}> is not allowed.`;
    for (const [key, value] of Object.entries((node[":@"] ?? {}) as Record<string, string>)) {
      if (/^on/i.test(key) || /^\s*(?:javascript|data|vbscript):/i.test(value))
        return `The attribute ${key} is not allowed.`;
    }
    if (name === "ac:structured-macro" && !macros.has(attribute(node, "ac:name"))) {
      return `Unknown macro: '${attribute(node, "ac:name")}'`;
    }
    const inside = problemIn(childrenOf(node));
    if (inside !== null) return inside;
  }
  return null;
}

/** Why Confluence would refuse this body, or null when it would take it. */
export function storageProblem(storage: string): string | null {
  const withoutCdata = storage.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, "");
  if (withoutCdata.includes("<![CDATA[") || withoutCdata.includes("]]>"))
    return "Error parsing xhtml: unbalanced CDATA section";
  if (/&/.test(withoutCdata.replace(entities, ""))) return "Error parsing xhtml: unexpected '&' or unknown entity";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are no characters in XML 1.0
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(storage))
    return "Error parsing xhtml: illegal character";
  const valid = XMLValidator.validate(`<storage>${withoutCdata}</storage>`);
  if (valid !== true) return `Error parsing xhtml: ${valid.err.msg} at [row,col]: [${valid.err.line},${valid.err.col}]`;
  return problemIn(parse(storage));
}

/** As Confluence stores it: macros get a schema version and an id, so a body never reads back as it was sent. */
export function asStored(storage: string, nextMacroId: () => string): string {
  return storage.replace(
    /<ac:structured-macro\b(?![^>]*\bac:macro-id=)([^>]*?)(\/?)>/g,
    (_all, attributes: string, slash: string) => {
      const version = attributes.includes("ac:schema-version=") ? "" : ' ac:schema-version="1"';
      return `<ac:structured-macro${attributes}${version} ac:macro-id="${nextMacroId()}"${slash}>`;
    },
  );
}

/** The words of a body, for the search index. */
export function storageText(storage: string): string {
  const read = (nodes: readonly XmlNode[]): string =>
    nodes
      .map((node) =>
        nameOf(node) === "ac:parameter" ? "" : "#text" in node ? String(node["#text"]) : read(childrenOf(node)),
      )
      .join(" ");
  return read(parse(storage));
}

function parameter(macro: XmlNode, name: string): string {
  const found = childrenOf(macro).find(
    (node) => nameOf(node) === "ac:parameter" && attribute(node, "ac:name") === name,
  );
  return found === undefined ? "" : render(childrenOf(found));
}

function body(macro: XmlNode, kind: "ac:plain-text-body" | "ac:rich-text-body"): string {
  const found = childrenOf(macro).find((node) => nameOf(node) === kind);
  return found === undefined ? "" : render(childrenOf(found));
}

function renderMacro(node: XmlNode): string {
  const name = attribute(node, "ac:name");
  if (name === "anchor") return `<a></a>`;
  if (name === "code") return `<pre><code>${body(node, "ac:plain-text-body")}</code></pre>`;
  if (name === "status")
    return `<span class="status ${parameter(node, "colour").toLowerCase()}">${parameter(node, "title")}</span>`;
  if (name === "jira") return `<span class="status">${parameter(node, "key")}</span>`;
  if (name === "toc") return '<nav class="toc">On this page</nav>';
  if (name === "expand")
    return `<details><summary>${parameter(node, "title")}</summary>${body(node, "ac:rich-text-body")}</details>`;
  return `<div class="panel ${name}"><strong>${parameter(node, "title")}</strong>${body(node, "ac:rich-text-body")}</div>`;
}

function renderElement(node: XmlNode, name: string): string {
  const inside = render(childrenOf(node));
  if (name === "ac:structured-macro") return renderMacro(node);
  if (name === "ac:task-list") return `<ul class="tasks">${inside}</ul>`;
  if (name === "ac:task") return `<li>${inside}</li>`;
  if (name === "ac:task-id") return "";
  if (name === "ac:task-status") return `<input type="checkbox" disabled${inside === "complete" ? " checked" : ""}> `;
  if (name.startsWith("ac:") || name.startsWith("ri:")) return inside;
  if (name === "br" || name === "hr" || name === "col") return `<${name}>`;
  const attributes = ["href", "colspan", "rowspan", "start"]
    .filter((key) => attribute(node, key) !== "")
    .map((key) => ` ${key}="${attribute(node, key).replaceAll('"', "&quot;")}"`);
  return `<${name}${attributes.join("")}>${inside}</${name}>`;
}

function render(nodes: readonly XmlNode[]): string {
  return nodes
    .map((node) => {
      const name = nameOf(node);
      if (name === "#text") return String(node["#text"]);
      if (name === "#cdata")
        return escapeHtml(
          childrenOf(node)
            .map((part) => String(part["#text"] ?? ""))
            .join(""),
        );
      return name.startsWith("#") ? "" : renderElement(node, name);
    })
    .join("");
}

/** A stored body as plain HTML for people. Only for bodies that passed `storageProblem`. */
export function storageHtml(storage: string): string {
  return render(parse(storage));
}

/** Confluence storage format -> Markdown, for reading pages. What Markdown cannot say becomes its words. */
import { XMLParser } from "fast-xml-parser";
import type { BlockContent, ListItem, PhrasingContent, Root, RootContent, TableRow } from "mdast";
import { parseMarkdown, printMarkdown } from "../../platform/markdown.ts";

/** fast-xml-parser's ordered form: one key with the element's children, attributes under `:@`. */
type XmlNode = { readonly [name: string]: unknown };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  // HTML's named entities are unknown to XML: texts come raw and are decoded here.
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: "#cdata",
  commentPropName: "#comment",
  maxNestedTags: 500,
});

const decoded = new Map<string, string>();

/** Decodes character references. Markdown knows all of HTML's, so its parser does the work. */
function decode(text: string): string {
  return text.replace(/&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});/gi, (reference) => {
    const known = decoded.get(reference);
    if (known !== undefined) return known;
    const [paragraph] = parseMarkdown(reference).children;
    const [word] = paragraph?.type === "paragraph" ? paragraph.children : [];
    const value = word?.type === "text" ? word.value : reference;
    decoded.set(reference, value);
    return value;
  });
}

function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== ":@") ?? "";
}

function childrenOf(node: XmlNode): readonly XmlNode[] {
  const children = node[nameOf(node)];
  return Array.isArray(children) ? (children as XmlNode[]) : [];
}

function attribute(node: XmlNode, name: string): string {
  const attributes = node[":@"] as Readonly<Record<string, string>> | undefined;
  return decode(attributes?.[name] ?? "");
}

function named(nodes: readonly XmlNode[], name: string): readonly XmlNode[] {
  return nodes.filter((node) => nameOf(node) === name);
}

/** The raw text below a node: CDATA as it is, everything else decoded. */
function textOf(node: XmlNode): string {
  const name = nameOf(node);
  if (name === "#text") return decode(String(node["#text"]));
  if (name === "#cdata")
    return childrenOf(node)
      .map((part) => String(part["#text"] ?? ""))
      .join("");
  if (name.startsWith("#")) return "";
  return childrenOf(node).map(textOf).join("");
}

function parameter(macro: XmlNode, name: string): string {
  const found = named(childrenOf(macro), "ac:parameter").find((node) => attribute(node, "ac:name") === name);
  return found === undefined ? "" : textOf(found).trim();
}

const text = (value: string): PhrasingContent[] => (value === "" ? [] : [{ type: "text", value }]);

/** A link between pages, to a user or a file: no address is in it, only names. */
function internalLink(node: XmlNode): PhrasingContent[] {
  const inside = childrenOf(node);
  const [body] = [...named(inside, "ac:link-body"), ...named(inside, "ac:plain-text-link-body")];
  if (body !== undefined) return text(textOf(body));
  const [page] = named(inside, "ri:page");
  const [file] = named(inside, "ri:attachment");
  if (page !== undefined) return text(attribute(page, "ri:content-title"));
  return file === undefined ? [] : text(attribute(file, "ri:filename"));
}

function inlineMacro(node: XmlNode): PhrasingContent[] {
  const name = attribute(node, "ac:name");
  if (name === "status") return text(parameter(node, "title"));
  if (name === "jira") return text(parameter(node, "key"));
  return [];
}

function phrasing(nodes: readonly XmlNode[]): PhrasingContent[] {
  return nodes.flatMap((node): PhrasingContent[] => {
    const name = nameOf(node);
    const inside = (): PhrasingContent[] => phrasing(childrenOf(node));
    switch (name) {
      case "#text":
        return text(decode(String(node["#text"])).replace(/[ \t\r\n]+/g, " "));
      case "#cdata":
        return text(textOf(node));
      case "strong":
      case "b":
        return [{ type: "strong", children: inside() }];
      case "em":
      case "i":
        return [{ type: "emphasis", children: inside() }];
      case "del":
      case "s":
        return [{ type: "delete", children: inside() }];
      case "code":
        return [{ type: "inlineCode", value: textOf(node) }];
      case "br":
        return [{ type: "break" }];
      case "a":
        return [{ type: "link", url: attribute(node, "href"), children: inside() as never }];
      case "time":
        return text(attribute(node, "datetime"));
      case "ac:link":
        return internalLink(node);
      case "ac:structured-macro":
        return inlineMacro(node);
      case "ac:emoticon":
        return text(attribute(node, "ac:emoji-fallback"));
      case "ac:image":
      case "ac:parameter":
        return [];
      default:
        return name.startsWith("#") ? [] : inside();
    }
  });
}

const blockElements = new Set(
  (
    "p h1 h2 h3 h4 h5 h6 ul ol li table tbody thead tr blockquote pre hr div " +
    "ac:task-list ac:layout ac:layout-section ac:layout-cell ac:rich-text-body"
  ).split(" "),
);
const inlineMacros = new Set(["status", "jira", "anchor", "toc"]);

function isBlock(node: XmlNode): boolean {
  const name = nameOf(node);
  return blockElements.has(name) || (name === "ac:structured-macro" && !inlineMacros.has(attribute(node, "ac:name")));
}

function item(node: XmlNode, checked: boolean | null): ListItem {
  return { type: "listItem", checked, spread: false, children: flow(childrenOf(node)) as BlockContent[] };
}

function tasks(node: XmlNode): ListItem[] {
  return named(childrenOf(node), "ac:task").flatMap((task) => {
    const [status] = named(childrenOf(task), "ac:task-status");
    const [body] = named(childrenOf(task), "ac:task-body");
    const isDone = status !== undefined && textOf(status).trim() === "complete";
    return body === undefined ? [] : [item(body, isDone)];
  });
}

function table(node: XmlNode): RootContent[] {
  const groups = childrenOf(node).flatMap((child) => (nameOf(child) === "tr" ? [child] : childrenOf(child)));
  const rows: TableRow[] = named(groups, "tr").map((row) => ({
    type: "tableRow",
    children: childrenOf(row)
      .filter((cell) => ["td", "th"].includes(nameOf(cell)))
      .map((cell) => ({ type: "tableCell", children: phrasing(childrenOf(cell)) })),
  }));
  return rows.length === 0 ? [] : [{ type: "table", children: rows }];
}

function macro(node: XmlNode): RootContent[] {
  const name = attribute(node, "ac:name");
  const [plain] = named(childrenOf(node), "ac:plain-text-body");
  const [rich] = named(childrenOf(node), "ac:rich-text-body");
  if (plain !== undefined) return [{ type: "code", lang: parameter(node, "language") || null, value: textOf(plain) }];
  if (rich === undefined) return [];
  const title = parameter(node, "title");
  const heading: RootContent[] =
    title === ""
      ? []
      : [{ type: "paragraph", children: [{ type: "strong", children: [{ type: "text", value: title }] }] }];
  const content = [...heading, ...flow(childrenOf(rich))];
  if (["info", "note", "warning", "tip", "panel"].includes(name)) {
    return [{ type: "blockquote", children: content as BlockContent[] }];
  }
  return content;
}

function block(node: XmlNode): RootContent[] {
  const name = nameOf(node);
  const inside = childrenOf(node);
  if (/^h[1-6]$/.test(name)) {
    return [{ type: "heading", depth: Number(name[1]) as 1, children: phrasing(inside) }];
  }
  switch (name) {
    case "p":
      return paragraph(phrasing(inside));
    case "ul":
    case "ol":
      return [
        {
          type: "list",
          ordered: name === "ol",
          spread: false,
          children: named(inside, "li").map((li) => item(li, null)),
        },
      ];
    case "ac:task-list":
      return [{ type: "list", ordered: false, spread: false, children: tasks(node) }];
    case "table":
      return table(node);
    case "blockquote":
      return [{ type: "blockquote", children: flow(inside) as BlockContent[] }];
    case "pre":
      return [{ type: "code", value: textOf(node) }];
    case "hr":
      return [{ type: "thematicBreak" }];
    case "ac:structured-macro":
      return macro(node);
    default:
      return flow(inside);
  }
}

function paragraph(children: PhrasingContent[]): RootContent[] {
  const isEmpty = children.every((child) => child.type === "text" && child.value.trim() === "");
  return isEmpty ? [] : [{ type: "paragraph", children }];
}

/** Blocks, with runs of bare text between them made paragraphs. */
function flow(nodes: readonly XmlNode[]): RootContent[] {
  const out: RootContent[] = [];
  let run: XmlNode[] = [];
  const endRun = (): void => {
    out.push(...paragraph(phrasing(run)));
    run = [];
  };
  for (const node of nodes) {
    if (!isBlock(node)) run.push(node);
    else {
      endRun();
      out.push(...block(node));
    }
  }
  endRun();
  return out;
}

/** A stored body as Markdown. Never throws: what is not well-formed is read as bare text. */
export function storageToMarkdown(storage: string): string {
  let nodes: readonly XmlNode[];
  try {
    const [root] = parser.parse(`<storage>${storage}</storage>`) as XmlNode[];
    nodes = root === undefined ? [] : childrenOf(root);
  } catch {
    return decode(storage.replace(/<[^>]*>/g, " ")).trim();
  }
  const tree: Root = { type: "root", children: flow(nodes) };
  return printMarkdown(tree).trim();
}

/** One pass of the outgoing-text gate over a tree: every node is rebuilt from what may leave, the rest is dropped or becomes words. */
import type { BlockContent, Definition, ListItem, Nodes, PhrasingContent, Root, RootContent, TableRow } from "mdast";
import { redact } from "../platform/redact.ts";
import { allowedUrl } from "./link-policy.ts";
import {
  type Checks,
  cleanCode,
  cleanInlineCode,
  cleanLanguage,
  cleanText,
  defuse,
  join,
  withoutHidden,
  withoutQuickActions,
  withoutSecrets,
} from "./outgoing-text.ts";

interface Pass extends Checks {
  readonly definitions: ReadonlyMap<string, Definition>;
  /** Levels of blocks and of phrases around the node at hand. */
  readonly depth: { readonly block: number; readonly phrase: number };
}

const comments = /<!--[\s\S]*?(?:-->|$)/g;
const label = /^[A-Za-z0-9_-]{1,40}$/;

/** Deeper than this nobody reads, and recursion (ours and the printer's) has an end. */
const deepestBlock = 16;
const deepestPhrase = 8;

/** Every node below and including this one, in the order of reading. Without recursion: it meets trees of any depth. */
export function* walk(tree: Nodes): Generator<Nodes> {
  const open: Nodes[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    if ("children" in node) open.push(...node.children.toReversed());
  }
}

/** Everything readable below a node. */
function plainText(tree: Nodes): string {
  let text = "";
  for (const node of walk(tree)) text += "value" in node ? node.value : "alt" in node ? (node.alt ?? "") : "";
  return text;
}

/** A link that may not be one: its words, and the address as code when that tells the reader something. */
function formerLink(children: PhrasingContent[], address: string, pass: Pass): PhrasingContent[] {
  pass.found("a link to a foreign host was made plain");
  const words = children.map(plainText).join("");
  const clean = withoutSecrets(withoutHidden(address, pass.found), pass.found).replace(/\s+/g, " ");
  const isSame = words === clean || `http://${words}` === clean || `mailto:${words}` === clean;
  if (isSame) return [{ type: "inlineCode", value: words }];
  const tells = /^(?:https?|ftp|mailto):/i.test(clean) && clean.length <= 200;
  if (!tells) return children;
  return [
    ...children,
    { type: "text", value: " (" },
    { type: "inlineCode", value: clean },
    { type: "text", value: ")" },
  ];
}

function cleanLink(address: string, words: PhrasingContent[], pass: Pass): PhrasingContent[] {
  const children = inner(words, pass);
  const url = redact(address) === address ? allowedUrl(address, pass.allowedHosts) : null;
  if (url === null) return formerLink(children, address, pass);
  // No title: it is a second place for text, and one that may hold line breaks.
  return children.length === 0 ? [] : [{ type: "link", url, children: children as never }];
}

function cleanImage(address: string, alt: string | null | undefined, pass: Pass): PhrasingContent[] {
  const words = cleanText(alt ?? "", pass)
    .replace(/\s+/g, " ")
    .trim();
  const url = redact(address) === address ? allowedUrl(address, pass.allowedHosts) : null;
  if (url !== null) return [{ type: "image", url, alt: words }];
  return formerLink([{ type: "text", value: words === "" ? "image" : words }], address, pass);
}

function cleanInlineHtml(value: string, pass: Pass): PhrasingContent[] {
  if (/^<br\s*\/?>$/i.test(value)) return [{ type: "break" }];
  pass.found("HTML was removed or shown as code");
  const rest = cleanInlineCode(value.replace(comments, ""), pass).trim();
  return rest === "" ? [] : [{ type: "inlineCode", value: rest }];
}

/** Phrasing content, cleaned but with active text still in it: neighbours have to be joined first. */
function cleanPhrasing(node: PhrasingContent, pass: Pass): PhrasingContent[] {
  switch (node.type) {
    case "text":
      return [{ type: "text", value: cleanText(node.value, pass) }];
    case "inlineCode":
      return [{ type: "inlineCode", value: cleanInlineCode(node.value, pass) }];
    case "emphasis":
    case "strong":
    case "delete": {
      const children = inner(node.children, pass);
      return children.length === 0 ? [] : [{ type: node.type, children }];
    }
    case "break":
      return [{ type: "break" }];
    case "link":
      return cleanLink(node.url, node.children, pass);
    case "linkReference": {
      const definition = pass.definitions.get(node.identifier);
      return definition === undefined ? inner(node.children, pass) : cleanLink(definition.url, node.children, pass);
    }
    case "image":
      return cleanImage(node.url, node.alt, pass);
    case "imageReference":
      return cleanImage(pass.definitions.get(node.identifier)?.url ?? "", node.alt, pass);
    case "html":
      return cleanInlineHtml(node.value, pass);
    case "footnoteReference":
      return [{ type: "text", value: label.test(node.identifier) ? `[${node.identifier}]` : "" }];
    default:
      return [];
  }
}

/** Children of a phrasing node: cleaned, joined, nothing active outside code. */
function inner(nodes: readonly PhrasingContent[], outer: Pass): PhrasingContent[] {
  const pass = { ...outer, depth: { ...outer.depth, phrase: outer.depth.phrase + 1 } };
  const flat: readonly PhrasingContent[] =
    pass.depth.phrase > deepestPhrase ? nodes.map((node) => ({ type: "text", value: plainText(node) })) : nodes;
  const joined = join(flat.flatMap((node) => cleanPhrasing(node, pass)));
  // Joining can complete what was cut into harmless pieces (`gl<!-- -->pat-…`): clean the joined text once more.
  const whole = (node: PhrasingContent): PhrasingContent[] =>
    node.type === "text" ? defuse(cleanText(node.value, pass), pass) : [node];
  return join(joined.flatMap(whole));
}

/** The phrasing content of one block. */
function line(nodes: readonly PhrasingContent[], pass: Pass): PhrasingContent[] {
  const children = inner(nodes, pass);
  const whole = children.map(plainText).join("");
  if (redact(whole) !== whole) {
    // A secret that formatting cuts into pieces: give up the formatting.
    pass.found("a secret was redacted");
    return withoutQuickActions(defuse(redact(whole), pass), pass);
  }
  return withoutQuickActions(children, pass);
}

function cleanFlowHtml(value: string, pass: Pass): RootContent[] {
  pass.found("HTML was removed or shown as code");
  const rest = cleanCode(value.replace(comments, ""), pass).trim();
  if (rest === "") return [];
  if (rest.includes("<") || rest.includes("\n")) return [{ type: "code", lang: null, meta: null, value: rest }];
  return [{ type: "paragraph", children: line([{ type: "text", value: rest }], pass) }];
}

function items(nodes: readonly ListItem[], pass: Pass): ListItem[] {
  return nodes.map((item) => ({
    type: "listItem",
    checked: item.checked ?? null,
    spread: item.spread ?? false,
    children: blocks(item.children, pass) as BlockContent[],
  }));
}

function rows(nodes: readonly TableRow[], pass: Pass): TableRow[] {
  return nodes.map((row) => ({
    type: "tableRow",
    children: row.children.map((cell) => ({ type: "tableCell", children: line(cell.children, pass) })),
  }));
}

function block(node: RootContent, pass: Pass): RootContent[] {
  switch (node.type) {
    case "paragraph": {
      const children = line(node.children, pass);
      return children.every((child) => child.type === "break") ? [] : [{ type: "paragraph", children }];
    }
    case "heading": {
      const children = line(node.children, pass);
      return children.length === 0 ? [] : [{ type: "heading", depth: node.depth, children }];
    }
    case "blockquote": {
      const children = blocks(node.children, pass) as BlockContent[];
      return children.length === 0 ? [] : [{ type: "blockquote", children }];
    }
    case "list": {
      const { ordered, start, spread } = node;
      return [
        {
          type: "list",
          ordered: ordered ?? false,
          start: start ?? null,
          spread: spread ?? false,
          children: items(node.children, pass),
        },
      ];
    }
    case "table":
      return [{ type: "table", align: node.align ?? null, children: rows(node.children, pass) }];
    case "code":
      return [{ type: "code", lang: cleanLanguage(node.lang, pass), meta: null, value: cleanCode(node.value, pass) }];
    case "thematicBreak":
      return [{ type: "thematicBreak" }];
    case "html":
      return cleanFlowHtml(node.value, pass);
    case "footnoteDefinition": {
      const name = label.test(node.identifier) ? `[${node.identifier}] ` : "";
      const [first, ...rest] = blocks(node.children, pass);
      if (first?.type !== "paragraph") return first === undefined ? [] : [first, ...rest];
      return [{ type: "paragraph", children: join([{ type: "text", value: name }, ...first.children]) }, ...rest];
    }
    default:
      return [];
  }
}

function blocks(nodes: readonly RootContent[], outer: Pass): RootContent[] {
  const pass = { ...outer, depth: { ...outer.depth, block: outer.depth.block + 1 } };
  const flat: readonly RootContent[] =
    pass.depth.block > deepestBlock
      ? nodes.map((node) => ({ type: "paragraph", children: [{ type: "text", value: plainText(node) }] }))
      : nodes;
  return flat.flatMap((node) => block(node, pass));
}

function definitionsIn(tree: Root): Map<string, Definition> {
  const definitions = new Map<string, Definition>();
  for (const node of walk(tree)) {
    if (node.type === "definition" && !definitions.has(node.identifier)) definitions.set(node.identifier, node);
  }
  return definitions;
}

/** A copy of the tree with everything cleaned that this room knows how to clean. It may print as something new: see the gate's rounds. */
export function cleanTree(parsed: Root, checks: Checks): Root {
  const pass: Pass = { ...checks, definitions: definitionsIn(parsed), depth: { block: 0, phrase: 0 } };
  return { type: "root", children: blocks(parsed.children, pass) };
}

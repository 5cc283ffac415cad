/**
 * The gate: every body that leaves passes here, whoever wrote it. Text goes in as Markdown and comes out as a tree that contains only
 * paragraphs, headings, lists, quotes, tables, rules, code, emphasis, strong, delete, breaks, and links and images to allowed hosts.
 *
 * What must hold for the tree, and for the tree printed and parsed again: no raw HTML, no link or image to a host that is not allowed,
 * no mention outside `mentions`, no registered or recognisable secret, no hidden character, no GitLab quick action, not longer than
 * `maxLength`. A text that cannot be brought there is withheld.
 */
import type { BlockContent, Definition, ListItem, Nodes, PhrasingContent, Root, RootContent, TableRow } from "mdast";
import { parseMarkdown, printMarkdown } from "../platform/markdown.ts";
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
import { commandLine } from "./quick-actions.ts";
import { shorten } from "./shorten.ts";

export interface GateRules {
  /** `host` or `host:port` of our own Jira, GitLab, Confluence and what the policy adds. Exact, no subdomains. */
  readonly allowedHosts: readonly string[];
  /** User names (without `@`) or account ids that may be mentioned; taken from run state. */
  readonly mentions: readonly string[];
  /** Most characters of the printed Markdown. */
  readonly maxLength: number;
  readonly target: "jira" | "gitlab" | "confluence";
}

interface Pass extends Checks {
  readonly definitions: ReadonlyMap<string, Definition>;
}

const comments = /<!--[\s\S]*?(?:-->|$)/g;
const label = /^[A-Za-z0-9_-]{1,40}$/;

/** Everything readable below a node. */
function plainText(node: Nodes): string {
  if ("value" in node) return node.value;
  if ("alt" in node) return node.alt ?? "";
  return "children" in node ? node.children.map(plainText).join("") : "";
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
function inner(nodes: readonly PhrasingContent[], pass: Pass): PhrasingContent[] {
  const joined = join(nodes.flatMap((node) => cleanPhrasing(node, pass)));
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

function blocks(nodes: readonly RootContent[], pass: Pass): RootContent[] {
  return nodes.flatMap((node) => block(node, pass));
}

function definitionsIn(node: Nodes, into = new Map<string, Definition>()): Map<string, Definition> {
  if (node.type === "definition" && !into.has(node.identifier)) into.set(node.identifier, node);
  if ("children" in node) for (const child of node.children) definitionsIn(child, into);
  return into;
}

/** The last look, at the text as it will be read: true when everything that this gate promises holds. */
function holds(text: string, rules: GateRules): boolean {
  if (redact(text) !== text) return false;
  if (rules.target === "gitlab" && text.search(commandLine) >= 0) return false;
  const fine = (node: Nodes): boolean => {
    if (node.type === "html" || node.type === "definition") return false;
    if ((node.type === "link" || node.type === "image") && allowedUrl(node.url, rules.allowedHosts) === null)
      return false;
    return !("children" in node) || node.children.every(fine);
  };
  return fine(parseMarkdown(text));
}

/** Rounds until the printed text stays as it is. Two are usual; more means that printing and parsing disagree about something. */
const mostRounds = 8;

/**
 * Passes a Markdown text through the gate. `body` is the tree to hand to a writer, `findings` says (once each, without quoting the
 * text) what had to be changed. Passing the printed body again changes nothing. Never throws; a text that cannot be made safe comes
 * back as one sentence saying so.
 */
export function passGate(markdown: string, rules: GateRules): { body: Root; findings: string[] } {
  const findings = new Set<string>();
  const found = (finding: string): void => {
    findings.add(finding);
  };
  let text = withoutSecrets(withoutHidden(markdown, found), found);
  for (let round = 0; round < mostRounds; round += 1) {
    const parsed = parseMarkdown(text);
    const pass: Pass = { ...rules, found, definitions: definitionsIn(parsed) };
    const clean: Root = { type: "root", children: blocks(parsed.children, pass) };
    const body = shorten(clean, rules.maxLength, found);
    const printed = printMarkdown(body);
    if (printed === text && holds(printed, rules)) return { body, findings: [...findings] };
    text = printed;
  }
  found("the text was withheld because it could not be made safe");
  return {
    body: parseMarkdown("(This text was withheld because it could not be made safe to post.)\n"),
    findings: [...findings],
  };
}

/**
 * Passes text that stands on one line outside any Markdown: titles, version messages. One line, no hidden characters, no secrets, and
 * with a space or no-break space where a mention, a smart commit command or a closing reference would otherwise be active.
 * At most `maxLength` characters, an ellipsis included.
 */
export function passLine(text: string, maxLength: number): string {
  const checks: Checks = { allowedHosts: [], mentions: [], target: "gitlab", found: () => undefined };
  const plain = cleanText(text, checks)
    .replace(/\s*\n\s*/g, " ")
    .replace(/(?<![A-Za-z0-9_])@(?=[\p{L}\p{N}_])/gu, "@ ")
    .replace(/(?<![\w&])#(?=[A-Za-z])/g, "# ")
    .trim();
  if (plain.length <= maxLength) return plain;
  return `${plain.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

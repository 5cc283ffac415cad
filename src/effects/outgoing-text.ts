/** What may stand in the plain text and in the code of a body that leaves. Pure functions on strings and phrasing nodes. */
import type { InlineCode, PhrasingContent, Text } from "mdast";
import { stripHidden } from "../platform/hidden-text.ts";
import { redact } from "../platform/redact.ts";
import { allowedUrl } from "./link-policy.ts";
import { commandLine } from "./quick-actions.ts";

/** What a body may contain, and the place to say what had to be changed. */
export interface Checks {
  readonly allowedHosts: readonly string[];
  /** Names that may be mentioned, without `@`. */
  readonly mentions: readonly string[];
  readonly target: "jira" | "gitlab" | "confluence";
  /** Notes a finding: a short sentence without any part of the text. */
  readonly found: (finding: string) => void;
}

/** Everything that some reader takes for a line end. GitLab's extractor, for one, deletes carriage returns before it looks. */
const lineBreaks = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/** The text with plain line ends and without characters that show nothing. */
export function withoutHidden(text: string, found: Checks["found"]): string {
  const plain = stripHidden(text.replace(lineBreaks, "\n"));
  if (plain.removed > 0) found("hidden characters were removed");
  return plain.text;
}

/** The text without known secrets. */
export function withoutSecrets(text: string, found: Checks["found"]): string {
  const clean = redact(text);
  if (clean !== text) found("a secret was redacted");
  return clean;
}

/**
 * `Closes #12` (also with a Jira key or an address) closes that issue when the merge request is merged, and GitLab looks for it in the
 * raw text, code included. Its pattern wants ordinary spaces, so a no-break space takes the effect away and leaves the sentence.
 * Source: `issue_closing_pattern` in GitLab's config/initializers/1_settings.rb.
 */
const closing =
  /\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)(:?) +(?=(?:issues? +)?(?:[\w./-]{0,200}#\d|[A-Z][A-Z0-9_]{0,30}-\d|\[\w{1,20}:|https?:))/gi;

function withoutClosing(text: string, checks: Checks): string {
  if (checks.target !== "gitlab") return text;
  return text.replace(closing, (_all, verb: string, colon: string) => {
    checks.found("a closing reference was neutralised");
    return `${verb}${colon}\u00a0`;
  });
}

/** A text node's value, cleaned; what must become code is decided later, by `defuse`. */
export function cleanText(value: string, checks: Checks): string {
  return withoutClosing(withoutSecrets(withoutHidden(value, checks.found), checks.found), checks);
}

/**
 * The value of a code block. For GitLab, a line that starts with a command is moved by one space: its older reader can be led to see
 * the inside of a fence as text.
 */
export function cleanCode(value: string, checks: Checks): string {
  const clean = withoutImitations(cleanText(value, checks));
  if (checks.target !== "gitlab") return clean;
  return clean.replace(commandLine, () => {
    checks.found("a quick action in code was neutralised");
    return " /";
  });
}

/** The value of code within a line. */
export function cleanInlineCode(value: string, checks: Checks): string {
  return withoutImitations(cleanText(value, checks)).replace(/[\t\n ]+/g, " ");
}

/** No text may pretend to carry one of our hidden markers. */
function withoutImitations(code: string): string {
  return code.replace(/<!--(?=\s*ticketsmith)/gi, "<!- -");
}

/** Languages of code blocks are plain words; those that GitLab executes, embeds or draws instead of showing become `text`. */
const drawn =
  /^(?:mermaid|math|glql|suggestion|plantuml|kroki|graphviz|dot|blockdiag|seqdiag|actdiag|nwdiag|packetdiag|rackdiag|bpmn|bytefield|c4plantuml|d2|dbml|ditaa|erd|excalidraw|nomnoml|pikchr|structurizr|svgbob|symbolator|tikz|umlet|vega|vegalite|wavedrom|wireviz)$/i;

/** The language of a code block as it may be printed, or null. */
export function cleanLanguage(lang: string | null | undefined, checks: Checks): string | null {
  if (lang === null || lang === undefined || !/^[A-Za-z0-9+#._-]{1,40}$/.test(lang)) return null;
  if (checks.target === "gitlab" && drawn.test(lang)) {
    checks.found("a drawn code block is shown as text");
    return "text";
  }
  return lang;
}

/** Whatever some system would make active in plain text. GitLab links any `scheme://`; Jira mentions are `[~name]`. Bounded, or long words cost seconds. */
const active =
  /(?<url>[a-z][a-z0-9+.-]{0,30}:\/\/[^\s<>]{0,2000}|(?<![a-z0-9])www\.[^\s<>]{1,2000})|(?<jira>\[~[^\]\n]{0,200}\])|(?<mention>(?<![a-z0-9_])@[\p{L}\p{N}_][\p{L}\p{N}_./-]{0,200})|(?<smart>(?<![\w&])#[a-z][\w-]*)/giu;

function mayStay(found: Record<string, string | undefined>, checks: Checks): boolean {
  const { url, jira, mention, smart } = found;
  const names = checks.mentions.map((name) => name.replace(/^@/, "").toLowerCase());
  if (url !== undefined) return allowedUrl(url, checks.allowedHosts) !== null;
  if (mention !== undefined) return names.includes(mention.slice(1).toLowerCase());
  if (jira !== undefined)
    return names.includes(
      jira
        .slice(2, -1)
        .replace(/^accountid:/, "")
        .toLowerCase(),
    );
  // Jira runs `SHOP-1 #close` in commit messages, and a merge request's text can become one.
  return smart !== undefined && checks.target !== "gitlab";
}

const reasons = {
  url: "an address to a foreign host was made plain",
  jira: "a mention was made plain",
  mention: "a mention was made plain",
  smart: "a smart commit command was made plain",
} as const;

/** Splits a cleaned text into text and inline code, so that nothing active is left outside code. */
export function defuse(value: string, checks: Checks): (Text | InlineCode)[] {
  const parts: (Text | InlineCode)[] = [];
  let from = 0;
  for (const match of value.matchAll(active)) {
    const groups = match.groups ?? {};
    const token = groups.jira ?? match[0].replace(/[.,;:!?)\]}'"*_~/-]+$/, "");
    if (token === "" || mayStay(groups.mention === undefined ? groups : { mention: token }, checks)) continue;
    for (const [kind, reason] of Object.entries(reasons)) if (groups[kind] !== undefined) checks.found(reason);
    if (match.index > from) parts.push({ type: "text", value: value.slice(from, match.index) });
    parts.push({ type: "inlineCode", value: token });
    from = match.index + token.length;
  }
  if (from < value.length) parts.push({ type: "text", value: value.slice(from) });
  return parts;
}

/** Makes the first word of every line that starts with `/` + letter inline code. Returns whether the next node starts a line. */
function defuseLines(nodes: PhrasingContent[], atStart: boolean, checks: Checks): [PhrasingContent[], boolean] {
  const out: PhrasingContent[] = [];
  let start = atStart;
  for (const node of nodes) {
    if (node.type === "break") {
      out.push(node);
      start = true;
    } else if (node.type === "text") {
      for (const line of node.value.split(/(?<=\n)/)) {
        const slash = start ? /^(\s*)(\/\p{L}\S*)([\s\S]*)$/u.exec(line) : null;
        if (slash === null) out.push({ type: "text", value: line });
        else {
          checks.found("a quick action was neutralised");
          out.push({ type: "text", value: slash[1] ?? "" }, { type: "inlineCode", value: slash[2] ?? "" });
          out.push({ type: "text", value: slash[3] ?? "" });
        }
        start = line.endsWith("\n") || (start && line.trim() === "");
      }
    } else if ("children" in node) {
      const [children, end] = defuseLines(node.children as PhrasingContent[], false, checks);
      out.push({ ...node, children } as PhrasingContent);
      start = end;
    } else {
      out.push(node);
      start = false;
    }
  }
  return [out, start];
}

/** The content of one block with no line that GitLab could take for a quick action. */
export function withoutQuickActions(nodes: PhrasingContent[], checks: Checks): PhrasingContent[] {
  return checks.target === "gitlab" ? join(defuseLines(nodes, true, checks)[0]) : nodes;
}

/** Neighbouring texts become one, neighbouring code too (printed side by side they would read as something else); empty ones go. */
export function join(nodes: readonly PhrasingContent[]): PhrasingContent[] {
  const out: PhrasingContent[] = [];
  for (const node of nodes) {
    const last = out.at(-1);
    if ((node.type === "text" || node.type === "inlineCode") && node.value === "") continue;
    if ((node.type === "text" || node.type === "inlineCode") && last?.type === node.type) {
      out[out.length - 1] = { type: node.type, value: last.value + node.value };
    } else out.push(node);
  }
  return out;
}

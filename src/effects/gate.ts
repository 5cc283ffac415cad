/**
 * The gate: every body that leaves passes here, whoever wrote it. Text goes in as Markdown and comes out as a tree that contains only
 * paragraphs, headings, lists, quotes, tables, rules, code, emphasis, strong, delete, breaks, and links and images to allowed hosts.
 *
 * What must hold for the tree, and for the tree printed and parsed again: no raw HTML, no link or image to a host that is not allowed,
 * no mention outside `mentions`, no registered or recognisable secret, no hidden character, no GitLab quick action, not longer than
 * `maxLength`. A text that cannot be brought there is withheld.
 */
import type { Root } from "mdast";
import { parseMarkdown, printMarkdown } from "../platform/markdown.ts";
import { redact } from "../platform/redact.ts";
import { cleanTree, walk } from "./clean-tree.ts";
import { allowedUrl } from "./link-policy.ts";
import { type Checks, cleanText, withoutHidden, withoutSecrets } from "./outgoing-text.ts";
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

/** The last look, at the text as it will be read: true when everything that this gate promises holds. */
function holds(text: string, rules: GateRules): boolean {
  if (redact(text) !== text) return false;
  if (rules.target === "gitlab" && text.search(commandLine) >= 0) return false;
  for (const node of walk(parseMarkdown(text))) {
    if (node.type === "html" || node.type === "definition") return false;
    const address = node.type === "link" || node.type === "image" ? node.url : null;
    if (address !== null && allowedUrl(address, rules.allowedHosts) === null) return false;
  }
  return true;
}

/** Container markers (quotes, list items) at the start of one line, more than anybody nests on purpose. */
const nested = /^((?:[ \t]{0,3}(?:>|[-*+]|\d{1,9}[.)])[ \t]?){24})(?:[ \t]{0,3}(?:>|[-*+]|\d{1,9}[.)])[ \t]?)+/gm;

/**
 * What is done to the text as it came. Parsing takes time that grows faster than the text (very much so for long runs of emphasis
 * marks) and recursion for what is nested, so all three have a bound here.
 */
function beforeParsing(markdown: string, maxLength: number, found: Checks["found"]): string {
  const clean = withoutSecrets(withoutHidden(markdown, found), found)
    .replace(/([*_~])\1{99,}/g, (run) => run.slice(0, 99))
    .replace(nested, "$1");
  // Twice the cap: markup that is taken out must not cost the text behind it. What is cut here is cut again, and said, at the end.
  const most = 2 * maxLength + 1000;
  return clean.length <= most ? clean : clean.slice(0, most).toWellFormed();
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
  let text = beforeParsing(markdown, rules.maxLength, found);
  for (let round = 0; round < mostRounds; round += 1) {
    const body = shorten(cleanTree(parseMarkdown(text), { ...rules, found }), rules.maxLength, found);
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
  const plain = cleanText(text.slice(0, 4 * maxLength).toWellFormed(), checks)
    .replace(/\s*\n\s*/g, " ")
    .replace(/(?<![A-Za-z0-9_])@(?=[\p{L}\p{N}_])/gu, "@ ")
    .replace(/(?<![\w&])#(?=[A-Za-z])/g, "# ")
    .trim();
  if (plain.length <= maxLength) return plain;
  return `${plain.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Commands in comments: `@ticketsmith <command> …` or `/ticketsmith <command> …` on the first line that is not quoted. Pure. */

/** Everything that can be said to the bot; where each may be said is for `route` to know. */
export const commandNames = [
  ...([
    "review",
    "describe",
    "improve",
    "ask",
    "fix",
    "test",
    "docs",
    "changelog",
    "heal",
    "conflicts",
    "split",
  ] as const),
  ...(["approve", "reject", "retry", "stop", "status", "budget", "merge", "help"] as const),
] as const;
export type CommandName = (typeof commandNames)[number];

export type Command =
  | { readonly name: CommandName; readonly argument: string }
  /** `nearest` is what may have been meant, or null. */
  | { readonly unknown: string; readonly nearest: CommandName | null };

/** The longest first line that may be a command; its argument may be a question. */
const maxLength = 2000;

/** Letters that have to be changed, put in or left out to get from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_none, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function nearestTo(word: string): CommandName | null {
  const [best] = commandNames
    .map((name) => ({ name, off: distance(word.slice(0, 20), name) }))
    .toSorted((a, b) => a.off - b.off);
  return best !== undefined && best.off <= 2 && best.off < best.name.length - 1 ? best.name : null;
}

/**
 * The first line that is the author's own. Jira sends wiki markup (`{quote}…{quote}`, `bq. …`), GitLab Markdown, where a quote goes on
 * to the next blank line (CommonMark 0.31, "lazy continuation lines").
 */
function firstOwnLine(body: string): string | undefined {
  let quoted = false;
  const lines = body.replace(/\{quote\}[\s\S]*?(?:\{quote\}|$)/g, "\n").split(/\r\n|\r|\n/);
  return lines.find((line) => {
    const text = line.trim();
    if (text === "") quoted = false;
    else if (text.startsWith(">")) quoted = true;
    return text !== "" && !quoted && !/^bq\.\s/.test(text);
  });
}

/** Names under which people know these commands from PR-Agent (github.com/The-PR-Agent/pr-agent, "Tools"). */
const aliases: ReadonlyMap<string, CommandName> = new Map([
  ["review", "review"],
  ["describe", "describe"],
  ["improve", "improve"],
  ["ask", "ask"],
  ["ask_line", "ask"],
  ["add_docs", "docs"],
  ["update_changelog", "changelog"],
  ["test", "test"],
  ["help", "help"],
]);

function parseAlias(line: string): Command | null {
  const [, word = "", argument = ""] = /^\/([a-z_]+)(?:\s+(.*))?$/i.exec(line) ?? [];
  const name = aliases.get(word.toLowerCase());
  return name === undefined ? null : { name, argument: argument.trim() };
}

/**
 * The command of a comment, or null when it has none.
 * @param body wiki markup or Markdown
 * @param options.aliases whether PR-Agent's names (`/review`, `/ask …`) count as well
 */
export function parseCommand(body: string, options: { readonly aliases?: boolean } = {}): Command | null {
  const line = (firstOwnLine(body) ?? "")
    .slice(0, maxLength)
    // Copied from a comment of ours it is still code; invisible characters come along with copied text, too.
    .replace(/[\u200B\u200E\u200F\u2060\uFEFF]/g, "")
    .trim()
    .replace(/^(?:\{\{(.*)\}\}|`(.*)`)$/, "$1$2")
    // Jira escapes what would mean something to its wiki markup.
    .replace(/\\([^\w\s])/g, "$1");
  const [, rest] = /^[@/]ticketsmith(?:[:,]|(?=\s|$))(.*)$/i.exec(line) ?? [];
  if (rest === undefined) return options.aliases === true ? parseAlias(line) : null;
  const [, word = "", argument = ""] = /^(\S*)\s*(.*)$/.exec(rest.trim()) ?? [];
  const wanted = word.toLowerCase();
  if (wanted === "") return { name: "help", argument: "" };
  const name = commandNames.find((known) => known === wanted);
  return name === undefined ? { unknown: wanted, nearest: nearestTo(wanted) } : { name, argument: argument.trim() };
}

/** US dollars in the argument of `budget`, e.g. `+2`, `+ 2.50` or `+$3`; null when it does not say how much more. */
export function parseRaise(argument: string): number | null {
  const [, digits] = /^\+\s*\$?\s*(\d{1,6}(?:[.,]\d{1,2})?)\s*(?:\$|usd)?$/i.exec(argument.trim()) ?? [];
  const usd = Number((digits ?? "0").replace(",", "."));
  return usd > 0 ? usd : null;
}

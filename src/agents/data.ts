/** Text from tickets, files and commands on its way into a prompt: it is data, and must not be able to pass for anything else. */
import { stripVTControlCharacters } from "node:util";
import { stripComments, stripHidden } from "../platform/hidden-text.ts";

/** Most bytes of one tool result that a model is shown. */
const resultLimit = 24_000;

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
}

/**
 * A fenced section. The fence is longer than any run of backticks in the text, so nothing in the text can end it; hidden characters
 * are taken out and counted in the title. `markdown` says that the text is rendered where people read it: HTML comments, which
 * they do not see, go too. `title` is ours.
 */
export function dataSection(title: string, text: string, options: { markdown?: boolean } = {}): string {
  const visible = stripHidden(stripVTControlCharacters(text));
  const shown = options.markdown === true ? stripComments(visible.text) : { text: visible.text, removed: 0 };
  const removed = visible.removed + shown.removed;
  const fence = "`".repeat(Math.max(3, longestRun(shown.text) + 1));
  const note = removed > 0 ? `, ${removed} hidden parts removed` : "";
  return `${title} (data${note}):\n${fence}\n${shown.text.trimEnd()}\n${fence}`;
}

/** At most `limit` bytes of UTF-8: two thirds from the head and one third from the tail, where commands say how they ended. */
export function capped(text: string, limit = resultLimit): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const head = Math.floor((limit * 2) / 3);
  const tail = limit - head;
  // A cut inside a character leaves U+FFFD at the seam.
  const first = bytes
    .subarray(0, head)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  const last = bytes
    .subarray(bytes.length - tail)
    .toString("utf8")
    .replace(/^\uFFFD+/, "");
  return `${first}\n[… ${bytes.length - limit} bytes left out …]\n${last}`;
}

/** Long answers in pages: a model sees a bounded part, and how to ask for the next. */
import { ToolRefusal } from "./tool.ts";

/**
 * Lines `from` (counted from 1) and on, as many as fit, with a last line that says what is left and how to see it.
 * `more`: there were lines beyond those given. Throws ToolRefusal when `from` is behind the end.
 */
export function paged(
  lines: readonly string[],
  options: { from: number; what: string; lines: number; characters: number; more?: boolean },
): string {
  const { from, what } = options;
  const total = options.more === true ? `more than ${lines.length}` : String(lines.length);
  if (from > lines.length) throw new ToolRefusal(`"from" is ${from}, but there are ${total} ${what}`);
  const shown: string[] = [];
  let size = 0;
  for (const line of lines.slice(from - 1, from - 1 + options.lines)) {
    if (shown.length > 0 && size + line.length > options.characters) break;
    shown.push(line);
    size += line.length + 1;
  }
  const end = from - 1 + shown.length;
  if (end < lines.length) shown.push(`[${what} ${from}-${end} of ${total}; go on with from=${end + 1}]`);
  else if (options.more === true) shown.push(`[only the first ${end} ${what} can be shown: ask for less at once]`);
  return shown.join("\n");
}

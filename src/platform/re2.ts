/**
 * Regular expressions of other systems in RE2's syntax (github.com/google/re2/wiki/Syntax), tried with JavaScript's engine. What reads
 * differently there is not guessed at, and what takes too long (RE2 never does) is given up.
 */
import { runInNewContext } from "node:vm";

/** More than any honest expression needs for a commit message. */
const timeoutMs = 200;

/** Syntax that JavaScript takes for something else, or does not know under another name. */
const foreign = /\[\[:|\\[AzZCQE]|\(\?P[<>=]|\\p[A-Z](?![a-z{])|\(\?[a-z]*U|\(\?[a-z]*-/;

/** Signs that may be escaped in JavaScript's Unicode mode; RE2 takes a backslash before any other punctuation mark, too. */
const escapable = "^$\\.*+?()[]{}|/-";

/** The same expression for JavaScript, and its flags; null when it cannot be said. */
function translate(pattern: string, multiline: boolean): { source: string; flags: string } | null {
  if (foreign.test(pattern)) return null;
  const flags = new Set(["u", ...(multiline ? ["m"] : [])]);
  const [head = "", letters = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  for (const letter of letters) flags.add(letter);
  let source = "";
  let inClass = false;
  for (let at = head.length; at < pattern.length; at += 1) {
    const sign = pattern[at] ?? "";
    if (sign === "\\") {
      const next = pattern[at + 1] ?? "";
      const needless = /[!-/:-@[-`{-~]/.test(next) && (!escapable.includes(next) || (next === "-" && !inClass));
      source += needless ? next : sign + next;
      at += 1;
      continue;
    }
    if (sign === "[" && !inClass) inClass = true;
    else if (sign === "]") inClass = false;
    source += sign;
  }
  return { source, flags: [...flags].join("") };
}

/**
 * Whether an expression is found in a text. Null when there is no telling.
 * @param multiline `^` and `$` stand at lines, too
 */
export function matchesRe2(pattern: string, text: string, { multiline = false } = {}): boolean | null {
  const translated = translate(pattern, multiline);
  if (translated === null) return null;
  try {
    const found: unknown = runInNewContext(
      "new RegExp(source, flags).test(text)",
      { ...translated, text },
      { timeout: timeoutMs },
    );
    return found === true;
  } catch {
    // Syntax that JavaScript refuses, or the time is up.
    return null;
  }
}

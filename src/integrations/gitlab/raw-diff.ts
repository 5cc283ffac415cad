/** Git's own text of a difference, taken apart by file (git-diff(1), "Generating patch text with -p"). */
import type { FileDiff } from "../../domain/merge-request.ts";

/** Hunks from the first `@@` on; empty when there are none (binary, renamed only, mode only). */
export function hunksOf(text: string): string {
  const start = text.search(/^@@ /m);
  return start < 0 ? "" : text.slice(start);
}

/** A path in git's C-style quotes, or as it stands. Octal escapes are bytes of UTF-8. */
function unquote(path: string): string {
  if (!path.startsWith('"')) return path;
  const named: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };
  const bytes: number[] = [];
  for (const [, octal, letter, plain] of path.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gs)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (letter !== undefined) bytes.push(named[letter] ?? letter.charCodeAt(0));
    else bytes.push(...Buffer.from(plain ?? "", "utf8"));
  }
  return Buffer.from(bytes).toString("utf8");
}

/** Both paths of `diff --git a/… b/…`. Without quotes they are told apart only where they are the same, which is where it matters. */
function pathsOf(header: string): { oldPath: string; newPath: string } | null {
  const quoted = /^diff --git ("(?:[^"\\]|\\.)*"|\S.*?) ("(?:[^"\\]|\\.)*")$/.exec(header);
  if (quoted !== null) {
    return { oldPath: unquote(quoted[1] ?? "").slice(2), newPath: unquote(quoted[2] ?? "").slice(2) };
  }
  const rest = header.slice("diff --git ".length);
  const half = (rest.length - 1) / 2;
  const [left, right] = [rest.slice(0, half), rest.slice(half + 1)];
  return left.slice(2) === right.slice(2) ? { oldPath: left.slice(2), newPath: right.slice(2) } : null;
}

/** One file; null for what is none. */
function readSection(section: string): FileDiff | null {
  const hunkAt = section.search(/^@@ /m);
  const head = (hunkAt < 0 ? section : section.slice(0, hunkAt)).split("\n").map((line) => line.replace(/\r$/, ""));
  const after = (prefix: string): string | undefined =>
    head.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  const side = (prefix: string): string | undefined => {
    // A path with a blank in it has a tab behind it.
    const path = unquote((after(prefix) ?? "").replace(/\t$/, ""));
    return /^[ab]\//.test(path) ? path.slice(2) : undefined;
  };
  const both = pathsOf(head[0] ?? "");
  const from = after("rename from ") ?? after("copy from ");
  const to = after("rename to ") ?? after("copy to ");
  const renamed = from !== undefined && to !== undefined;
  const oldPath = renamed ? unquote(from) : (side("--- ") ?? both?.oldPath ?? side("+++ "));
  const newPath = renamed ? unquote(to) : (side("+++ ") ?? both?.newPath ?? side("--- "));
  if (oldPath === undefined || newPath === undefined) return null;
  const added = after("new file mode ") !== undefined;
  const deleted = after("deleted file mode ") !== undefined;
  const status = added ? "added" : deleted ? "deleted" : renamed ? "renamed" : "modified";
  return { oldPath, newPath, status, patch: hunkAt < 0 ? "" : section.slice(hunkAt), withheld: false };
}

/** Every file of `git diff`'s output, with `a/` and `b/` before the paths. Of text that was cut the last file is left out. */
export function readRawDiff(text: string, cut = false): FileDiff[] {
  // Lines of content start with a blank, `+`, `-` or `\`: only a file's header can start like this.
  const sections = text.split(/^(?=diff --git )/m).filter((part) => part.startsWith("diff --git "));
  return (cut ? sections.slice(0, -1) : sections).flatMap((section) => readSection(section) ?? []);
}

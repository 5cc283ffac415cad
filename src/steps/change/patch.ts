/** A patch in git's format, as code that judges a change needs it. Made by ourselves with `git diff --binary --full-index --no-renames`. */

export interface ChangedLine {
  /** Line number in the changed file for added lines, in the original one for removed lines; counted from 1. */
  readonly number: number;
  readonly text: string;
}

export interface ChangedFile {
  readonly path: string;
  /** The path before a rename or copy, else the same as `path`. */
  readonly oldPath: string;
  readonly kind: "added" | "deleted" | "modified";
  /** File modes such as `100644`, `100755`, `120000` (symbolic link), `160000` (submodule); null when there is no such side. */
  readonly oldMode: string | null;
  readonly newMode: string | null;
  readonly binary: boolean;
  readonly added: readonly ChangedLine[];
  readonly removed: readonly ChangedLine[];
  /** The part of the patch that is about this file, byte for byte. */
  readonly text: string;
}

/** Undoes git's quoting of unusual names: `"a/na\303\257ve"`, see "core.quotePath" in git-config(1). */
function unquote(name: string): string {
  if (!name.startsWith('"')) return name;
  const plain: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };
  const bytes: number[] = [];
  const source = name.slice(1, -1);
  for (let at = 0; at < source.length; ) {
    const octal = /^\\([0-7]{3})/.exec(source.slice(at, at + 4))?.[1];
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      at += 4;
    } else if (source[at] === "\\") {
      bytes.push(plain[source[at + 1] ?? ""] ?? 63);
      at += 2;
    } else {
      const point = String.fromCodePoint(source.codePointAt(at) ?? 63);
      bytes.push(...Buffer.from(point));
      at += point.length;
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

/** Without `a/` or `b/`; null for `/dev/null`. Git ends names with blanks in them by a tab. */
function side(name: string): string | null {
  const plain = unquote(name.replace(/\t$/, ""));
  return plain === "/dev/null" ? null : plain.replace(/^[ab]\//, "");
}

/** The paths of `diff --git a/x b/x`; only used where no other header names them (empty files, mode changes). */
function fromHeader(header: string): { old: string; new: string } {
  const rest = header.slice("diff --git ".length);
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*")$/.exec(rest) ?? /^("(?:[^"\\]|\\.)*") (.+)$/.exec(rest);
  if (quoted !== null) return { old: side(quoted[1] ?? "") ?? "", new: side(quoted[2] ?? "") ?? "" };
  // Without a rename both halves are the same but for their first letter.
  const half = (rest.length - 1) / 2;
  if (Number.isInteger(half) && rest.slice(2, half) === rest.slice(half + 3)) {
    return { old: rest.slice(2, half), new: rest.slice(half + 3) };
  }
  const at = rest.indexOf(" b/");
  return { old: rest.slice(2, at), new: rest.slice(at + 3) };
}

interface Header {
  old: string | null;
  new: string | null;
  kind: ChangedFile["kind"];
  oldMode: string | null;
  newMode: string | null;
  binary: boolean;
}

function readHeader(line: string, header: Header): void {
  const rest = (prefix: string): string | null => (line.startsWith(prefix) ? line.slice(prefix.length) : null);
  const mode = rest("old mode ") ?? rest("deleted file mode ");
  const newMode = rest("new mode ") ?? rest("new file mode ");
  const index = /^index [0-9a-f]+\.\.[0-9a-f]+ (\d{6})$/.exec(line)?.[1];
  if (mode !== null) header.oldMode = mode;
  if (newMode !== null) header.newMode = newMode;
  if (index !== undefined) header.oldMode = header.newMode = index;
  if (line.startsWith("new file mode ")) [header.kind, header.oldMode] = ["added", null];
  if (line.startsWith("deleted file mode ")) [header.kind, header.newMode] = ["deleted", null];
  const from = rest("rename from ") ?? rest("copy from ");
  const to = rest("rename to ") ?? rest("copy to ");
  if (from !== null) header.old = unquote(from);
  if (to !== null) header.new = unquote(to);
  const minus = rest("--- ");
  const plus = rest("+++ ");
  if (minus !== null) header.old = side(minus) ?? header.old;
  if (plus !== null) header.new = side(plus) ?? header.new;
  if (line.startsWith("GIT binary patch") || line.startsWith("Binary files ")) header.binary = true;
}

function readFile(lines: readonly string[]): ChangedFile {
  const names = fromHeader(lines[0] ?? "");
  const header: Header = { ...names, kind: "modified", oldMode: null, newMode: null, binary: false };
  const added: ChangedLine[] = [];
  const removed: ChangedLine[] = [];
  let hunk: { old: number; new: number; oldLeft: number; newLeft: number } | null = null;
  for (const line of lines.slice(1)) {
    const start = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    const inside: boolean = hunk !== null && (hunk.oldLeft > 0 || hunk.newLeft > 0);
    if (start !== null && !inside) {
      const [old, oldLeft, now, newLeft] = start.slice(1).map((text) => Number(text ?? 1));
      hunk = { old: old ?? 0, new: now ?? 0, oldLeft: oldLeft ?? 1, newLeft: newLeft ?? 1 };
    } else if (hunk === null) readHeader(line, header);
    else if (inside && line.startsWith("+")) {
      added.push({ number: hunk.new++, text: line.slice(1) });
      hunk.newLeft -= 1;
    } else if (inside && line.startsWith("-")) {
      removed.push({ number: hunk.old++, text: line.slice(1) });
      hunk.oldLeft -= 1;
    } else if (inside && !line.startsWith("\\")) {
      hunk.old += 1;
      hunk.new += 1;
      hunk.oldLeft -= 1;
      hunk.newLeft -= 1;
    }
  }
  const path = (header.kind === "deleted" ? header.old : header.new) ?? names.new;
  const { kind, oldMode, newMode, binary } = header;
  const oldPath = header.old ?? path;
  return { path, oldPath, kind, oldMode, newMode, binary, added, removed, text: `${lines.join("\n")}\n` };
}

/** The files of a patch, in its order. Inside a hunk every line begins with a blank, `+`, `-` or `\`, so nothing in a file can pass for a header. */
export function parsePatch(patch: string): ChangedFile[] {
  const chunks: string[][] = [];
  for (const line of patch.replace(/\n$/, "").split("\n")) {
    if (line.startsWith("diff --git ")) chunks.push([line]);
    else chunks.at(-1)?.push(line);
  }
  return chunks.map(readFile);
}

/** The patch without the files that `leaveOut` names. Still applies, since each file stands for itself. */
export function withoutFiles(patch: string, leaveOut: (path: string) => boolean): string {
  return parsePatch(patch)
    .filter((file) => !leaveOut(file.path) && !leaveOut(file.oldPath))
    .map((file) => file.text)
    .join("");
}

/**
 * Patches as models write them: unified diffs whose line numbers and counts are mostly guessed, with or without `diff --git` lines and
 * code fences, or the "*** Begin Patch" form that some models were trained on. Hunks are found by their text, so numbers are only hints.
 * (Libraries for unified diffs refuse wrong counts, and trust wrong line numbers.)
 */
import { ToolRefusal } from "./tool.ts";

export interface PatchLine {
  readonly kind: " " | "-" | "+";
  readonly text: string;
}

export interface Hunk {
  /** First line in the old file by the header, or null when there is none. */
  readonly line: number | null;
  readonly lines: readonly PatchLine[];
  /** The new text ends without a line end. */
  readonly noNewlineAtEnd: boolean;
}

export interface FilePatch {
  readonly path: string;
  readonly action: "edit" | "create" | "delete";
  readonly hunks: readonly Hunk[];
}

interface Draft {
  path: string;
  action: FilePatch["action"];
  hunks: { line: number | null; lines: PatchLine[]; noNewlineAtEnd: boolean }[];
}

/** `a/src/x.js<tab>date` -> `src/x.js`; null for /dev/null. */
function nameIn(header: string, side: "a" | "b"): string | null {
  const name = (header.slice(4).split("\t")[0] ?? "").trim().replace(/^"(.*)"$/, "$1");
  if (name === "/dev/null") return null;
  return name.startsWith(`${side}/`) ? name.slice(2) : name;
}

const marker = /^\*\*\* (Add|Update|Delete) File: (.+)$/;
const actions = { Add: "create", Update: "edit", Delete: "delete" } as const;

function withoutFences(text: string): string[] {
  const lines = text.replace(/\r\n/g, "\n").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const first = lines.findIndex((line) => line.trim() !== "");
  if (!/^\s*```/.test(lines[first] ?? "")) return lines;
  const last = lines.findLastIndex((line) => /^\s*```\s*$/.test(line));
  return lines.slice(first + 1, last > first ? last : undefined);
}

/** Header of a file at this line, if one is there: how many lines it takes, and what it says. */
function headerAt(lines: readonly string[], at: number): { size: number; draft: Draft } | null {
  const line = lines[at] ?? "";
  const marked = marker.exec(line);
  if (marked !== null) {
    const action = actions[marked[1] as keyof typeof actions];
    return { size: 1, draft: { path: (marked[2] ?? "").trim(), action, hunks: [] } };
  }
  const next = lines[at + 1] ?? "";
  if (!line.startsWith("--- ") || !next.startsWith("+++ ")) return null;
  const [before, after] = [nameIn(line, "a"), nameIn(next, "b")];
  const path = after ?? before;
  if (path === null) throw new ToolRefusal("a patch from /dev/null to /dev/null names no file");
  if (before !== null && after !== null && before !== after) {
    throw new ToolRefusal(`${before} cannot be renamed by a patch: delete it and create ${after}`);
  }
  return {
    size: 2,
    draft: { path, action: before === null ? "create" : after === null ? "delete" : "edit", hunks: [] },
  };
}

const noise =
  /^(diff --git |index |new file mode|deleted file mode|old mode|new mode|similarity index|\*\*\* (Begin|End)\b)/;

function readHunkLine(line: string, draft: Draft, number: number): void {
  const hunk = draft.hunks.at(-1);
  if (line.startsWith("\\")) {
    const last = hunk?.lines.at(-1);
    if (hunk !== undefined && last !== undefined && last.kind !== "-") hunk.noNewlineAtEnd = true;
    return;
  }
  const kind = line[0] ?? " ";
  if (kind !== " " && kind !== "-" && kind !== "+") {
    throw new ToolRefusal(
      `line ${number} of the patch begins with none of " ", "-", "+", "@@": ${JSON.stringify(line.slice(0, 80))}`,
    );
  }
  // A blank context line often loses its one space.
  const entry: PatchLine = { kind, text: line.slice(1) };
  if (hunk === undefined) draft.hunks.push({ line: null, lines: [entry], noNewlineAtEnd: false });
  else hunk.lines.push(entry);
}

/** Reads a patch. Throws ToolRefusal that names the line that cannot be read. Files keep their order; a file may come once. */
export function parsePatch(text: string): readonly FilePatch[] {
  const lines = withoutFences(text);
  const drafts: Draft[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const header = headerAt(lines, at);
    const draft = drafts.at(-1);
    if (header !== null) {
      drafts.push(header.draft);
      at += header.size - 1;
    } else if (/^rename |^\*\*\* Move to:/.test(line)) {
      throw new ToolRefusal("a patch cannot rename here: delete the one file and create the other");
    } else if (/^GIT binary patch|^Binary files /.test(line)) {
      throw new ToolRefusal("binary patches are not taken");
    } else if (draft === undefined || noise.test(line)) {
      if (draft === undefined && line.startsWith("@@"))
        throw new ToolRefusal("the patch names no file before line 1: begin with --- and +++");
    } else if (line.startsWith("@@")) {
      const first = /^@@+ -(\d+)/.exec(line)?.[1];
      draft.hunks.push({ line: first === undefined ? null : Number(first), lines: [], noNewlineAtEnd: false });
    } else {
      readHunkLine(line, draft, at + 1);
    }
  }
  if (drafts.length === 0) throw new ToolRefusal("the patch names no file: begin with --- a/path and +++ b/path");
  const names = drafts.map(({ path }) => path);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ToolRefusal(`${twice} comes twice: put all hunks of a file together`);
  return drafts.map((draft) => ({ ...draft, hunks: draft.hunks.filter(({ lines: some }) => some.length > 0) }));
}

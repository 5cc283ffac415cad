/** A patch as the page shows it: files, and lines by kind. */

export interface PatchLine {
  readonly kind: "add" | "del" | "hunk" | "same" | "note";
  readonly text: string;
}

export interface PatchFile {
  readonly path: string;
  readonly added: number;
  readonly removed: number;
  readonly lines: readonly PatchLine[];
  /** Lines that are not shown. */
  readonly hidden: number;
}

/** More lines than anybody reads on a page; the merge request has all of them. */
const maxLines = 2000;

/** Unquotes git's `"a/na\303\257ve"` as far as the eye needs it. */
function plainPath(header: string): string {
  const match = /^diff --git (?:"?a\/.*?"?) "?b\/(.*?)"?$/.exec(header);
  return match?.[1] ?? header.slice("diff --git ".length);
}

function readFile(chunk: readonly string[], room: number): PatchFile {
  const [header = "", ...rest] = chunk;
  const lines: PatchLine[] = [];
  let added = 0;
  let removed = 0;
  let inHunk = false;
  for (const text of rest) {
    if (text.startsWith("@@")) inHunk = true;
    if (inHunk) {
      const kind = kindOf(text);
      if (kind === "add") added += 1;
      if (kind === "del") removed += 1;
      lines.push({ kind, text });
    } else if (/^(new file|deleted file|old mode|new mode|rename|copy|similarity|Binary|GIT binary)/.test(text)) {
      lines.push({ kind: "note", text });
      // What follows is base 85, which says nothing to anybody.
      if (text.startsWith("GIT binary")) break;
    }
  }
  return {
    path: plainPath(header),
    added,
    removed,
    lines: lines.slice(0, room),
    hidden: Math.max(0, lines.length - room),
  };
}

function kindOf(text: string): PatchLine["kind"] {
  if (text.startsWith("@@")) return "hunk";
  if (text.startsWith("+")) return "add";
  if (text.startsWith("-")) return "del";
  if (text.startsWith("\\")) return "note";
  return "same";
}

/** Splits git's patch format into files. Text in another format comes back as no files. */
export function readPatch(patch: string): PatchFile[] {
  const chunks: string[][] = [];
  for (const line of patch.replace(/\n$/, "").split("\n")) {
    // Inside a hunk every line begins with a blank, "+", "-" or "\", so this can only be a header.
    if (line.startsWith("diff --git ")) chunks.push([line]);
    else chunks.at(-1)?.push(line);
  }
  let room = maxLines;
  return chunks.map((chunk) => {
    const file = readFile(chunk, room);
    room -= file.lines.length;
    return file;
  });
}

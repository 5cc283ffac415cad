import { z } from "zod";
import { writeInside } from "../workspace/tree.ts";
import { mostSimilar } from "./similar.ts";
import { linesOf, numbered, readText } from "./text-file.ts";
import { defineTool, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

const mostShown = 30;
const shortestTelling = 8;

/** Indexes at which `part` begins in `text`; overlapping ones count, since a replacement would be ambiguous there too. */
function occurrences(text: string, part: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(part); at !== -1 && found.length < 100; at = text.indexOf(part, at + 1)) found.push(at);
  return found;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function notFound(path: string, text: string, wanted: string, replacement: string): ToolRefusal {
  // A short text is in most files by chance.
  const there = replacement.trim().length < shortestTelling ? [] : occurrences(text, replacement);
  if (there.length > 0) {
    return new ToolRefusal(
      `"old" is not in ${path}, but "new" is there already, at line ${lineAt(text, there[0] ?? 0)}: nothing changed`,
    );
  }
  if (/^\d+\t/m.test(wanted)) {
    return new ToolRefusal(
      `"old" is not in ${path}: leave out the line numbers and tabs that read_file puts before lines`,
    );
  }
  const lines = linesOf(text);
  const near = mostSimilar(lines, linesOf(wanted));
  if (near === null) {
    return new ToolRefusal(
      `"old" is not in ${path} (${lines.length} lines), nor anything like it: read the file again`,
    );
  }
  const from = Math.max(0, near.start - 1);
  const shown = lines.slice(from, Math.min(near.start + near.length + 1, from + mostShown));
  const why = near.score === 1 ? "only white space differs" : "copy it exactly";
  return new ToolRefusal(
    `"old" is not in ${path} as written. The nearest lines (${why}):\n${numbered(shown, from + 1)}`,
  );
}

export const editFile = defineTool({
  name: "edit_file",
  description:
    'Replace one piece of a text file. "old" must be in the file exactly once, copied exactly, white space included and without line numbers; add lines around it until it is unique.',
  input: z.strictObject({
    path: PathInput,
    old: z.string().min(1).max(100_000),
    new: z.string().max(100_000).describe("Empty to delete"),
  }),
  async execute(input, context) {
    const { root } = workspaceOf(context);
    const { path } = input;
    if (input.old === input.new) throw new ToolRefusal('"old" and "new" are the same: nothing to change');
    const text = await readText(root, path);
    let old = input.old;
    let replacement = input.new;
    let found = occurrences(text, old);
    // Models write \n; a file with Windows line ends keeps them.
    if (found.length === 0 && text.includes("\r\n")) {
      old = old.replace(/\r?\n/g, "\r\n");
      replacement = replacement.replace(/\r?\n/g, "\r\n");
      found = occurrences(text, old);
    }
    const [at] = found;
    if (at === undefined) throw notFound(path, text, input.old, input.new);
    if (found.length > 1) {
      const lines = found.slice(0, 20).map((index) => lineAt(text, index));
      throw new ToolRefusal(
        `"old" is in ${path} ${found.length === 100 ? "at least 100" : found.length} times, at lines ${lines.join(", ")}: add lines around it until it is unique`,
      );
    }
    const edited = text.slice(0, at) + replacement + text.slice(at + old.length);
    await writeInside(root, path, edited);
    const first = lineAt(text, at);
    const height = linesOf(replacement).length;
    const from = Math.max(1, first - 2);
    const shown = linesOf(edited).slice(from - 1, Math.min(first + height + 1, from - 1 + mostShown));
    return `edited ${path}; it now reads\n${numbered(shown, from)}`;
  },
});

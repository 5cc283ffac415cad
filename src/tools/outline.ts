import path from "node:path";
import { z } from "zod";
import { createEnds, createWhole } from "../workspace/output.ts";
import { Refusal, resolveInside } from "../workspace/paths.ts";
import { runProcess } from "../workspace/process.ts";
import { paged } from "./page.ts";
import { ripgrep } from "./ripgrep.ts";
import type { Declaration } from "./symbols/declarations.ts";
import { languageOf, languages } from "./symbols/languages.ts";
import { readText } from "./text-file.ts";
import { defineTool, FromInput, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

const mostFiles = 400;
/** Of one file, and of all files of one call: a parser is slow on more, and a reader has no use for it. */
const largestFile = 400_000;
const mostText = 8_000_000;
const parseMs = 20_000;
const mostAnswer = 8_000_000;

type SourceFile = { readonly path: string; readonly text: string };

/** Source files at a place, in order. Files that cannot be shown (too large, not text) are left out unless it is the one asked for. */
async function sourcesAt(
  root: string,
  given: string,
  signal: AbortSignal,
): Promise<{ files: SourceFile[]; more: boolean }> {
  const globs = languages.flatMap(({ extensions }) => extensions.map((extension) => `--glob=*.${extension}`));
  const place = await resolveInside(root, given);
  const found = await ripgrep({ root, place, options: ["--files", ...globs], maxBytes: 1_000_000, signal });
  const files: SourceFile[] = [];
  let size = 0;
  // A file that is named is listed whatever the globs say.
  const names = found.lines.filter((name) => languageOf(name) !== undefined);
  for (const name of names.slice(0, mostFiles)) {
    const text = await readText(root, name).catch((error: unknown) => {
      if (error instanceof Refusal) return "";
      throw error;
    });
    if (text.length > largestFile || size + text.length > mostText) continue;
    size += text.length;
    files.push({ path: name, text });
  }
  return { files, more: found.cut || names.length > mostFiles };
}

/** Parses in a process of its own, see symbols/child.ts. Throws ToolRefusal when that takes too long or ends badly. */
async function parseFiles(files: readonly SourceFile[], signal: AbortSignal): Promise<readonly Declaration[][]> {
  const stdout = createWhole(mostAnswer);
  const stderr = createEnds(2000);
  const end = await runProcess({
    file: process.execPath,
    argv: [path.join(import.meta.dirname, "symbols/child.ts")],
    env: { NODE_NO_WARNINGS: "1" },
    input: JSON.stringify(files),
    stdout,
    stderr,
    timeoutMs: parseMs,
    signal,
    enough: () => stdout.full,
  });
  if (end.timedOut || stdout.full)
    throw new ToolRefusal("that is too much to outline: give a smaller directory or a file");
  // Killed by a signal: a grammar crashed on what is in these files.
  if (end.exitCode === null) throw new ToolRefusal("these files cannot be parsed: use search or read_file");
  if (end.exitCode !== 0) throw new Error(`the parser of outlines failed: ${stderr.text().trim()}`);
  return JSON.parse(stdout.bytes().toString("utf8")) as Declaration[][];
}

export const outline = defineTool({
  name: "outline",
  description:
    "Declarations with their line numbers: all of a file, or the top level of every source file in a directory.",
  input: z.strictObject({ path: PathInput.default(".").describe("File or directory; default all"), from: FromInput }),
  async execute({ path: given, from }, context) {
    const { root } = workspaceOf(context);
    const { files, more } = await sourcesAt(root, given, context.signal);
    const single = files.length === 1 && files[0]?.path === path.posix.normalize(given);
    const known = languages.map(({ name }) => name).join(", ");
    if (files.length === 0) throw new ToolRefusal(`no source file at ${given} in a language known here (${known})`);
    const parsed = await parseFiles(files, context.signal);
    const lines = files.flatMap((file, index) => {
      const found = (parsed[index] ?? []).filter(({ depth }) => single || depth === 0);
      if (found.length === 0 && !single) return [];
      return [file.path, ...found.map(({ line, depth, head }) => `${line}\t${"  ".repeat(depth)}${head}`)];
    });
    if (lines.length === 0) return "nothing is declared there";
    return paged(lines, { from, what: "lines", lines: 300, characters: 12_000, more });
  },
});

import { rgPath } from "@vscode/ripgrep";
import { z } from "zod";
import { createEnds, createWhole, printable } from "../workspace/output.ts";
import { resolveInside } from "../workspace/paths.ts";
import { runProcess } from "../workspace/process.ts";
import { defineTool, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

const mostMatches = 200;
const mostBytes = 40_000;
const timeoutMs = 20_000;

/** Config files, parent directories' ignore rules and links are switched off: only the tree itself decides what is searched. */
const fixed = [
  ...["--no-config", "--no-follow", "--no-ignore-parent", "--no-ignore-global", "--no-require-git", "--hidden"],
  ...["--line-number", "--no-heading", "--with-filename", "--color=never", "--sort=path"],
  ...["--max-columns=300", "--max-columns-preview", "--max-filesize=2M"],
];

export const search = defineTool({
  name: "search",
  description:
    "Search file contents with a regular expression (ripgrep syntax). Answers path:line:text. Files ignored by .gitignore are left out.",
  input: z.strictObject({
    pattern: z
      .string()
      .min(1)
      .max(1000)
      .describe("Regular expression; escape ( ) [ ] { } . * + ? | to search for them literally"),
    path: PathInput.default(".").describe("File or directory to search; default the whole repository"),
    glob: z.string().min(1).max(200).optional().describe("Only files like this, e.g. *.ts or src/**/*.js"),
  }),
  async execute({ pattern, path, glob }, context) {
    const { root } = workspaceOf(context);
    if (/[\0\n\r]/.test(pattern)) throw new ToolRefusal("a pattern is one line");
    if (glob?.includes("\0")) throw new ToolRefusal("the glob contains a control character");
    const place = await resolveInside(root, path);
    const stdout = createWhole(mostBytes);
    const stderr = createEnds(2000);
    const end = await runProcess({
      file: rgPath,
      // As one word each, so that neither can become an option. "." keeps the paths in the answer relative.
      argv: [
        ...fixed,
        ...(glob === undefined ? [] : [`--glob=${glob}`]),
        ...["--glob=!.git", `--regexp=${pattern}`, "--", place === root ? "./" : `./${place.slice(root.length + 1)}`],
      ],
      cwd: root,
      env: {},
      stdout,
      stderr,
      timeoutMs,
      signal: context.signal,
      enough: () => stdout.full,
    });
    if (end.timedOut) throw new ToolRefusal("the search took too long: give a path or a glob");
    // 0 found, 1 nothing found, 2 error (rg(1)); killed by us when there was too much.
    if (end.exitCode !== 0 && end.exitCode !== 1 && !stdout.full) {
      throw new ToolRefusal(`the search failed: ${stderr.text().trim()}`);
    }
    // What follows the last line end is empty, or a line that was cut.
    const found = printable(stdout.bytes().toString("utf8"))
      .split("\n")
      .slice(0, -1)
      .map((line) => line.replace(/^\.\//, ""));
    if (found.length === 0) return `nothing matches ${pattern}`;
    const cut = stdout.full || found.length > mostMatches;
    const shown = found.slice(0, mostMatches).join("\n");
    return cut ? `${shown}\n[more matches were left out: narrow the pattern, path or glob]` : shown;
  },
});

import { z } from "zod";
import { resolveInside } from "../workspace/paths.ts";
import { paged } from "./page.ts";
import { ripgrep } from "./ripgrep.ts";
import { defineTool, FromInput, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

const pageMatches = 100;
const pageCharacters = 16_000;
/** Of all matches, so that later pages can be shown. */
const mostBytes = 2_000_000;

export const search = defineTool({
  name: "search",
  description: "Search file contents. Answers path:line:text. Files ignored by .gitignore are left out.",
  input: z.strictObject({
    pattern: z.string().min(1).max(1000).describe("Regular expression (ripgrep); escape ( ) [ ] { } . * + ? |"),
    path: PathInput.default(".").describe("File or directory; default all"),
    glob: z.string().min(1).max(200).optional().describe("Only such files, e.g. *.ts or src/**/*.js"),
    from: FromInput,
  }),
  async execute({ pattern, path, glob, from }, context) {
    const { root } = workspaceOf(context);
    if (/[\0\n\r]/.test(pattern)) throw new ToolRefusal("a pattern is one line");
    if (glob?.includes("\0")) throw new ToolRefusal("the glob contains a control character");
    const found = await ripgrep({
      root,
      place: await resolveInside(root, path),
      options: [
        ...["--line-number", "--no-heading", "--with-filename", "--max-columns=300", "--max-columns-preview"],
        // As one word each, so that neither can become an option.
        ...(glob === undefined ? [] : [`--glob=${glob}`]),
        `--regexp=${pattern}`,
      ],
      maxBytes: mostBytes,
      signal: context.signal,
    });
    if (found.lines.length === 0) return `nothing matches ${pattern}`;
    return paged(found.lines, {
      from,
      what: "matches",
      lines: pageMatches,
      characters: pageCharacters,
      more: found.cut,
    });
  },
});

/** Files as an agent sees them: UTF-8 text, numbered lines. */
import { isUtf8 } from "node:buffer";
import { Refusal } from "../workspace/paths.ts";
import { readInside } from "../workspace/tree.ts";

const largestFile = 2 * 1024 * 1024;
const longestLine = 500;

/** The text of a file. Refusal when it is missing, binary, or larger than 2 MiB. */
export async function readText(root: string, path: string): Promise<string> {
  const bytes = await readInside(root, path, largestFile);
  if (bytes.includes(0) || !isUtf8(bytes))
    throw new Refusal(`${path} is not a UTF-8 text file (${bytes.length} bytes)`);
  return bytes.toString("utf8");
}

/** Lines without their ends; a final line end does not make another line. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** `12<tab>text` lines; `first` is the number of the first. Overlong lines are cut and say so. */
export function numbered(lines: readonly string[], first: number): string {
  return lines
    .map((line, index) => {
      const cut = line.length - longestLine;
      const shown = cut > 0 ? `${line.slice(0, longestLine)}[… ${cut} characters cut]` : line;
      return `${first + index}\t${shown}`;
    })
    .join("\n");
}

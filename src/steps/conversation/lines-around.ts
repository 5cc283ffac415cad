import { textInside } from "../../workspace/tree.ts";

/**
 * The lines around one of a file, numbered, the one marked; null when they are not there (any more): renamed, deleted, shorter.
 * @param most.around lines shown above and below
 * @param most.bytes of the file; a larger one is not read
 */
export async function linesAround(
  root: string,
  path: string,
  line: number,
  { around, bytes }: { readonly around: number; readonly bytes: number },
): Promise<string | null> {
  const lines = (await textInside(root, path, bytes))?.split("\n") ?? [];
  if (line > lines.length) return null;
  const first = Math.max(1, line - around);
  return lines
    .slice(first - 1, line + around)
    .map((text, index) => `${first + index === line ? ">" : " "} ${first + index}\t${text}`)
    .join("\n");
}

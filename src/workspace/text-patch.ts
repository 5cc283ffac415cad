/** What git says differs, as text that survives as a string. */
import { isUtf8 } from "node:buffer";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../domain/errors.ts";
import type { Scratch } from "./scratch.ts";

/** A line for `info/attributes` that makes git treat exactly this path as binary. */
function binaryAttribute(file: string): string {
  const pattern = file.replace(/[\\*?[\]]/g, "\\$&");
  return `${JSON.stringify(`/${pattern}`)} -diff\n`;
}

/**
 * The patch in git's binary format. Text in another encoding (Latin-1 …) stands raw in a patch and would not survive as a string: such
 * files are sent as binary.
 * @param comparison arguments of git up to the commits that are compared
 * @param files every path that differs
 */
export async function textPatch(
  scratch: Scratch,
  comparison: readonly string[],
  files: readonly string[],
): Promise<string> {
  if (files.length === 0) return "";
  const patchOf = (...some: readonly string[]): Promise<Buffer> =>
    scratch.git([...comparison, "--binary", "--full-index", "--", ...some.map((file) => `:(literal,top)${file}`)]);
  const patch = await patchOf();
  if (isUtf8(patch)) return patch.toString("utf8");
  const foreign: string[] = [];
  for (const file of files) if (!isUtf8(await patchOf(file))) foreign.push(file);
  await writeFile(path.join(scratch.directory, "info/attributes"), foreign.map(binaryAttribute).join(""));
  const safe = await patchOf();
  if (!isUtf8(safe)) throw new UserError("the change touches files whose names or contents git cannot put in a patch");
  return safe.toString("utf8");
}

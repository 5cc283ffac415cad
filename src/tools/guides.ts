/** `AGENTS.md` files below the root: how that part of the repository is worked on. Of several the nearest counts. */
import { Refusal } from "../workspace/paths.ts";
import { readInside } from "../workspace/tree.ts";

const largest = 64_000;
const mostShown = 2_000;

async function guideIn(root: string, directory: string): Promise<string | null> {
  try {
    return (await readInside(root, `${directory}/AGENTS.md`, largest)).toString("utf8").trim();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/**
 * The nearest `AGENTS.md` above a file, for the end of an answer, when the agent has not seen it yet; else empty. The one at the root
 * is part of the task. `seen` holds the directories that were looked at.
 */
export async function nearestGuide(root: string, file: string, seen: Set<string>): Promise<string> {
  const parts = file.split("/").filter((part) => part !== "" && part !== ".");
  for (let depth = parts.length - 1; depth > 0; depth -= 1) {
    const directory = parts.slice(0, depth).join("/");
    // Whatever lies there or above was shown with an earlier file.
    if (seen.has(directory)) return "";
    seen.add(directory);
    const text = await guideIn(root, directory);
    if (text === null || text === "") continue;
    const cut =
      text.length > mostShown ? `${text.slice(0, mostShown)}\n[shortened: read ${directory}/AGENTS.md]` : text;
    return `\n\n${directory}/AGENTS.md, for all that is below ${directory}/:\n${cut}`;
  }
  return "";
}

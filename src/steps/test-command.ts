/** How a repository's tests are run: what the configuration says, else what its files tell. */
import { lstat, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { ProjectPolicy } from "../platform/policy.ts";

/** First file that is there decides. Only plain files count: a link could lead out of the tree. */
const byFile: readonly (readonly [file: string, command: readonly string[]])[] = [
  ["pytest.ini", ["python3", "-m", "pytest"]],
  ["pyproject.toml", ["python3", "-m", "pytest"]],
  ["go.mod", ["go", "test", "./..."]],
  ["Cargo.toml", ["cargo", "test"]],
];

const Manifest = z.object({ scripts: z.object({ test: z.string() }) });

async function isPlainFile(file: string): Promise<boolean> {
  return lstat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** The test command of a checkout as argv, or null when there is no telling. */
export async function testCommand(project: ProjectPolicy, root: string): Promise<readonly string[] | null> {
  if (project.test !== undefined) return project.test;
  const manifest = path.join(root, "package.json");
  if (await isPlainFile(manifest)) {
    const text = await readFile(manifest, "utf8");
    if (Manifest.safeParse(parseJson(text)).success) return ["npm", "test"];
  }
  for (const [file, command] of byFile) {
    if (await isPlainFile(path.join(root, file))) return command;
  }
  return null;
}

/** A manifest that is no JSON simply names no test script. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

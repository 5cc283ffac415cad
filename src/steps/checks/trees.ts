/** The trees on which a change is checked: the change itself, old tests on new code, and new tests on old code. */

import type { Workspace } from "../../domain/ports.ts";
import { isTestConfiguration, isTestFile } from "../../domain/test-file.ts";
import { textInside } from "../../workspace/tree.ts";
import { contentsBefore, type FileChange } from "../change/file-change.ts";
import { type ChangedFile, parsePatch, withoutFiles } from "../change/patch.ts";
import { groundOf } from "../ground.ts";
import type { StepContext } from "../step.ts";

/** Larger files are not compared as text. */
const largest = 1024 * 1024;

async function textOf(root: string, file: ChangedFile): Promise<string | null> {
  if (file.kind === "deleted" || file.binary || file.newMode === "120000" || file.newMode === "160000") return null;
  return textInside(root, file.path, largest);
}

/** The files of a patch with their contents on both sides. `root` is the changed tree. */
export async function readChange(patch: string, root: string): Promise<FileChange[]> {
  const files: FileChange[] = [];
  for (const file of parsePatch(patch)) {
    const after = await textOf(root, file);
    files.push({ ...file, after, before: contentsBefore(file, after) });
  }
  return files;
}

/** Belongs to the tests: their code, their data, and what says which of them run. */
export function isOfTests(path: string): boolean {
  return isTestFile(path) || isTestConfiguration(path);
}

/** Whether a change touches tests that were there before, or what decides about them. */
export function touchesOldTests(files: readonly ChangedFile[], alsoOfTests: ReadonlySet<string>): boolean {
  return files.some(
    (file) =>
      alsoOfTests.has(file.path) ||
      isTestConfiguration(file.path) ||
      (isTestFile(file.oldPath) && file.kind !== "added"),
  );
}

export type TreeName = "changed" | "old-tests" | "old-code";

/** Opens one of the trees. Each has a place of its own; `closeTrees` removes those that are only for checking. */
export async function openTree(
  context: StepContext,
  name: TreeName,
  patch: string,
  alsoOfTests: ReadonlySet<string> = new Set(),
): Promise<Workspace> {
  const { run, services } = context;
  const { repository, base } = groundOf(context);
  const ofTests = (path: string): boolean => isOfTests(path) || alsoOfTests.has(path);
  const open = (suffix: string, part: string): Promise<Workspace> =>
    services.workspaces.open({ runId: `${run.id}${suffix}`, project: repository, base, patch: part });
  if (name === "changed") return open("", patch);
  if (name === "old-tests") return open(".old-tests", withoutFiles(patch, ofTests));
  return open(
    ".old-code",
    withoutFiles(patch, (path) => !ofTests(path)),
  );
}

/** Removes the trees that were only for checking. */
export async function closeTrees(context: StepContext): Promise<void> {
  const { run, services } = context;
  await Promise.all([".old-tests", ".old-code"].map((suffix) => services.workspaces.remove(`${run.id}${suffix}`)));
}

/** What GitLab leaves out of large differences (docs.gitlab.com/administration/diff_limits), and how it says so. */
import { diffFiles, type FileDiff } from "./diffs.ts";
import { headOf, isSince } from "./lookups.ts";
import type { MergeRequest, Project, World } from "./world.ts";

/** Differences as the API shows them: without the hunks of large files. Before 18.4 nothing says that they are missing. */
export function limited(world: World, files: readonly FileDiff[]) {
  const { collapse, tooLarge } = world.diffLimits;
  return files.map((file) => {
    const bytes = Buffer.byteLength(file.diff);
    const shown = { ...file, diff: bytes >= collapse ? "" : file.diff };
    const flags = { collapsed: bytes >= collapse && bytes < tooLarge, too_large: bytes >= tooLarge };
    return isSince(world, "18.4") ? { ...shown, ...flags } : shown;
  });
}

/** The differences of a merge request's newest version, as the API shows them. */
export async function diffsOf(world: World, project: Project, mergeRequest: MergeRequest) {
  const { baseSha, headSha } = headOf(mergeRequest);
  return limited(world, await diffFiles(project.repository, baseSha, headSha));
}

/** Git's own text of all of it, which knows no limits. */
export async function rawDiffOf(project: Project, mergeRequest: MergeRequest): Promise<Buffer> {
  const { baseSha, headSha } = headOf(mergeRequest);
  return project.repository.run(["diff", "-M", "--no-color", "--no-ext-diff", "--full-index", baseSha, headSha]);
}

/** What becomes of comments on lines when new commits come (lib/gitlab/diff/position_tracer): they go along, or are outdated. */
import { isDiffLine, type LinePosition } from "./diffs.ts";
import type { DiffVersion, MergeRequest, Position, Project } from "./world.ts";

/** Where a line of one commit is in another; null when it is gone or changed. */
async function traceLine(
  project: Project,
  from: string,
  to: string,
  place: { path: string; line: number },
): Promise<{ path: string; line: number } | null> {
  const range = ["-M", "--no-color", "--no-ext-diff", from, to];
  const names = (
    await project.repository.run(["diff", "--name-status", "-z", "--diff-filter=RD", ...range])
  ).toString();
  const fields = names.split("\0");
  let path = place.path;
  for (let i = 0; i + 1 < fields.length; ) {
    const renamed = (fields[i] ?? "").startsWith("R");
    if (fields[i + 1] === place.path && !renamed) return null;
    if (fields[i + 1] === place.path) path = fields[i + 2] ?? path;
    i += renamed ? 3 : 2;
  }
  const patch = (await project.repository.run(["diff", "-U0", ...range, "--", place.path, path])).toString();
  let shift = 0;
  for (const hunk of patch.matchAll(/^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/gm)) {
    const [start, removed, added] = [Number(hunk[1]), Number(hunk[2] ?? 1), Number(hunk[3] ?? 1)];
    // A hunk that only adds names the line before it.
    const first = removed === 0 ? start + 1 : start;
    if (place.line < first) break;
    if (place.line < first + removed) return null;
    shift += added - removed;
  }
  return { path, line: place.line + shift };
}

async function follow(
  project: Project,
  position: Position,
  from: DiffVersion,
  to: DiffVersion,
): Promise<Position | null> {
  const { old_path: oldPath, new_path: newPath, old_line: oldLine, new_line: newLine } = position;
  const before =
    oldLine === null ? null : await traceLine(project, from.baseSha, to.baseSha, { path: oldPath, line: oldLine });
  const after =
    newLine === null ? null : await traceLine(project, from.headSha, to.headSha, { path: newPath, line: newLine });
  if ((oldLine !== null && before === null) || (newLine !== null && after === null)) return null;
  const place: LinePosition = {
    oldPath: before?.path ?? (oldPath === newPath ? (after?.path ?? oldPath) : oldPath),
    newPath: after?.path ?? newPath,
    oldLine: before?.line ?? null,
    newLine: after?.line ?? null,
  };
  if (!(await isDiffLine(project.repository, to.baseSha, to.headSha, place))) return null;
  return {
    position_type: position.position_type,
    base_sha: to.baseSha,
    start_sha: to.startSha,
    head_sha: to.headSha,
    old_path: place.oldPath,
    new_path: place.newPath,
    old_line: place.oldLine,
    new_line: place.newLine,
  };
}

/** Moves the comments on lines of the version before along to the newest one. Outdated ones stay where they are. */
export async function followPositions(
  project: Project,
  mergeRequest: MergeRequest,
  versions: { from: DiffVersion; to: DiffVersion },
  pusherId: number,
): Promise<void> {
  const { from, to } = versions;
  for (const { notes } of mergeRequest.discussions) {
    const position = notes[0]?.position;
    if (position == null || position.head_sha !== from.headSha) continue;
    const moved = await follow(project, position, from, to);
    for (const note of notes) {
      if (moved !== null) note.position = moved;
      else if (project.settings.resolveOutdatedThreads && note.resolvable && note.resolvedBy === null) {
        note.resolvedBy = pusherId;
        note.resolvedAt = new Date();
      }
    }
  }
}

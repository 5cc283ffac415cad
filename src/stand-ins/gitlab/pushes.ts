/** What follows when branches have moved, by git, by the API or by a merge. */
import { type FileLists, pushBody } from "./hook-bodies.ts";
import { noCommit } from "./hook-parts.ts";
import { fire } from "./hooks.ts";
import { announceMergeRequest, readVersion } from "./merge-requests.ts";
import { startPipeline } from "./pipelines.ts";
import type { Commit } from "./repository.ts";
import { addSystemNote } from "./system-notes.ts";
import { headOf, type Project, type User, type World } from "./world.ts";

/** GitLab's `push_event_hooks_limit`: a push that touches more refs sends no push hook. */
const HOOK_LIMIT = 3;

/** Compares the branches with what they were, and tells merge requests, pipelines and hooks. Null ids: the branch was not, or is no more. */
export async function afterPush(
  world: World,
  project: Project,
  user: User,
  before: ReadonlyMap<string, string>,
): Promise<void> {
  const now = await project.repository.branches();
  const names = [...new Set([...before.keys(), ...now.keys()])].filter((name) => before.get(name) !== now.get(name));
  for (const name of names) {
    const oldId = before.get(name) ?? noCommit;
    const newId = now.get(name) ?? noCommit;
    if (names.length <= HOOK_LIMIT) await firePush(world, project, user, name, oldId, newId, before);
    if (newId === noCommit) continue;
    if (oldId !== noCommit) await followPush(world, project, user, name, oldId);
    await startPipeline(world, project, { ref: name, sha: newId, source: "push", userId: user.id });
  }
}

async function firePush(
  world: World,
  project: Project,
  user: User,
  name: string,
  oldId: string,
  newId: string,
  before: ReadonlyMap<string, string>,
): Promise<void> {
  // A new branch lists what the default branch does not have.
  const base = oldId === noCommit ? before.get(project.defaultBranch) : oldId;
  const commits =
    newId === noCommit
      ? []
      : (await project.repository.log(base === undefined ? newId : `${base}..${newId}`)).reverse();
  const files = Object.fromEntries(
    await Promise.all(commits.slice(-20).map(async (commit) => [commit.id, await fileLists(project, commit)] as const)),
  );
  const push = { ref: `refs/heads/${name}`, before: oldId, after: newId, commits, files };
  fire(world, project, "push_events", pushBody(world, project, user, push));
}

async function fileLists(project: Project, commit: Commit): Promise<FileLists> {
  const args = ["diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", commit.id];
  const fields = (await project.repository.run(args)).toString().split("\0");
  const lists: FileLists = { added: [], modified: [], removed: [] };
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const path = fields[i + 1] ?? "";
    if (fields[i] === "A") lists.added.push(path);
    else if (fields[i] === "D") lists.removed.push(path);
    else lists.modified.push(path);
  }
  return lists;
}

/** Moves open merge requests of a branch along after a push: new version, head and diff refs. */
async function followPush(world: World, project: Project, user: User, branch: string, before: string): Promise<void> {
  for (const mergeRequest of project.mergeRequests) {
    if (mergeRequest.state !== "opened" || mergeRequest.sourceBranch !== branch) continue;
    const version = await readVersion(world, project, branch, mergeRequest.targetBranch);
    if (version === null || version.headSha === headOf(mergeRequest).headSha) continue;
    const oldrev = headOf(mergeRequest).headSha;
    mergeRequest.versions.push(version);
    mergeRequest.updatedAt = new Date();
    const commits = await project.repository.log(`${before}..${version.headSha}`);
    const count = `${commits.length} commit${commits.length === 1 ? "" : "s"}`;
    addSystemNote(world, mergeRequest, user, `added ${count}`);
    await announceMergeRequest(world, project, user, mergeRequest, { action: "update", changes: {}, oldrev });
  }
}

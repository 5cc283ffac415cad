/** What follows when branches have moved, by git, by the API or by a merge. */
import { type FileLists, pushBody } from "./hook-bodies.ts";
import { noCommit } from "./hook-parts.ts";
import { fire } from "./hooks.ts";
import { headOf } from "./lookups.ts";
import { announceMergeRequest, lookForConflicts, readVersion } from "./merge-requests.ts";
import { startPipeline } from "./pipelines.ts";
import { followPositions } from "./positions.ts";
import type { Commit } from "./repository.ts";
import { addSystemNote } from "./system-notes.ts";
import type { Project, User, World } from "./world.ts";

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
    await lookAgain(project, name);
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

/** Open merge requests into a branch that moved may have got conflicts, or lost them. */
async function lookAgain(project: Project, branch: string): Promise<void> {
  for (const mergeRequest of project.mergeRequests) {
    if (mergeRequest.state === "opened" && mergeRequest.targetBranch === branch) {
      await lookForConflicts(project, mergeRequest);
    }
  }
}

/** Moves open merge requests of a branch along after a push, here and where this is a fork of: new version, head and diff refs. */
async function followPush(world: World, source: Project, user: User, branch: string, before: string): Promise<void> {
  const places = world.projects.flatMap((project) =>
    project.mergeRequests.map((mergeRequest) => ({ project, mergeRequest })),
  );
  for (const { project, mergeRequest } of places) {
    const { state, sourceProjectId, sourceBranch, targetBranch } = mergeRequest;
    if (state !== "opened" || sourceProjectId !== source.id || sourceBranch !== branch) continue;
    const version = await readVersion(world, project, { project: source, branch }, targetBranch);
    const old = headOf(mergeRequest);
    if (version === null || version.headSha === old.headSha) continue;
    mergeRequest.versions.push(version);
    mergeRequest.updatedAt = new Date();
    await followPositions(project, mergeRequest, { from: old, to: version }, user.id);
    await lookForConflicts(project, mergeRequest);
    const commits = await source.repository.log(`${before}..${version.headSha}`);
    const count = `${commits.length} commit${commits.length === 1 ? "" : "s"}`;
    addSystemNote(world, mergeRequest, user, `added ${count}`);
    const change = { action: "update", changes: {}, oldrev: old.headSha } as const;
    await announceMergeRequest(world, project, user, mergeRequest, change);
  }
}

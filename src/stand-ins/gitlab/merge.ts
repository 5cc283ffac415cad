/** Merging a merge request. */
import { announceMergeRequest } from "./merge-requests.ts";
import { afterPush } from "./pushes.ts";
import { notFound, Refusal } from "./request.ts";
import { addSystemNote } from "./system-notes.ts";
import { headOf, isDraft, levelOf, type MergeRequest, type Project, type User, type World } from "./world.ts";

/** Whether a user may merge into the target branch. */
export function mayMerge(project: Project, user: User, mergeRequest: MergeRequest): boolean {
  const rule = project.protectedBranches.find((candidate) => candidate.name === mergeRequest.targetBranch);
  return levelOf(user, project) >= (rule?.mergeLevel ?? 30);
}

/** Merges with a merge commit. Refuses like GitLab: 401 without the right, 405 when closed or draft, 409 for an old sha, 422 for conflicts. */
export async function acceptMergeRequest(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  options: { sha?: string | undefined; message?: string | undefined; removeSourceBranch?: boolean | undefined },
): Promise<void> {
  if (!mayMerge(project, user, mergeRequest)) throw new Refusal(401, { message: "401 Unauthorized" });
  const { headSha } = headOf(mergeRequest);
  if (options.sha !== undefined && options.sha !== headSha) {
    throw new Refusal(409, { message: `SHA does not match HEAD of source branch: ${headSha}` });
  }
  if (mergeRequest.state !== "opened" || isDraft(mergeRequest)) {
    throw new Refusal(405, { message: "405 Method Not Allowed" });
  }
  const before = await project.repository.resolve(mergeRequest.targetBranch);
  if (before === null) throw notFound("Branch");
  const message =
    options.message ??
    `Merge branch '${mergeRequest.sourceBranch}' into '${mergeRequest.targetBranch}'\n\n${mergeRequest.title}\n\nSee merge request ${project.path}!${mergeRequest.iid}`;
  const now = new Date();
  const author = { name: user.name, email: user.email, date: now.toISOString() };
  const after = await project.repository.merge(before, headSha, message, author);
  if (after === null) throw new Refusal(422, { message: "Branch cannot be merged" });
  const branches = await project.repository.branches();
  await project.repository.setBranch(mergeRequest.targetBranch, after);
  if (options.removeSourceBranch ?? mergeRequest.removeSourceBranch) {
    await project.repository.setBranch(mergeRequest.sourceBranch, null);
  }
  mergeRequest.state = "merged";
  mergeRequest.mergedBy = user.id;
  mergeRequest.mergedAt = now;
  mergeRequest.updatedAt = now;
  mergeRequest.mergeCommitSha = after;
  addSystemNote(world, mergeRequest, user, "merged");
  await announceMergeRequest(world, project, user, mergeRequest, {
    action: "merge",
    changes: { state_id: { previous: 1, current: 3 } },
  });
  await afterPush(world, project, user, branches);
}

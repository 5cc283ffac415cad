/** Merging a merge request. */

import { headOf } from "./lookups.ts";
import { detailedStatus } from "./merge-request-shapes.ts";
import { announceMergeRequest } from "./merge-requests.ts";
import { mayMergeInto } from "./protection.ts";
import { afterPush } from "./pushes.ts";
import { notFound, Refusal } from "./request.ts";
import { addSystemNote } from "./system-notes.ts";
import type { MergeRequest, Project, User, World } from "./world.ts";

/** With these a merge is tried; with the others it is refused at once. */
const harmless = new Set(["mergeable", "ci_still_running", "conflict"]);

/**
 * Merges with a merge commit. Refuses like GitLab: 401 without the right, 409 for an old sha, 405 when it may not be merged as it stands
 * (closed, draft, approvals missing, …), 422 for conflicts.
 */
export async function acceptMergeRequest(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  options: { sha?: string | undefined; message?: string | undefined; removeSourceBranch?: boolean | undefined },
): Promise<void> {
  if (!mayMergeInto(project, user, mergeRequest.targetBranch)) throw new Refusal(401, { message: "401 Unauthorized" });
  const { headSha } = headOf(mergeRequest);
  if (options.sha !== undefined && options.sha !== headSha) {
    throw new Refusal(409, { message: `SHA does not match HEAD of source branch: ${headSha}` });
  }
  if (!harmless.has(detailedStatus(world, project, mergeRequest))) {
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
  const own = mergeRequest.sourceProjectId === project.id;
  if (own && (options.removeSourceBranch ?? mergeRequest.removeSourceBranch)) {
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

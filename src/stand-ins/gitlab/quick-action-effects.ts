/** Quick actions doing what they say, with the rights of whoever wrote the text. */
import { mayApprove } from "./approvals.ts";
import { headOf, isDraft, levelOf } from "./lookups.ts";
import { acceptMergeRequest } from "./merge.ts";
import { changeState, editMergeRequest, type MergeRequestEdit } from "./merge-requests.ts";
import type { QuickAction } from "./quick-actions.ts";
import { Refusal } from "./request.ts";
import { addSystemNote } from "./system-notes.ts";
import type { ExecutedQuickAction, MergeRequest, Project, User, World } from "./world.ts";

/**
 * Executes quick actions in order and writes each into `world.executedQuickActions`. Gives what a commands-only note is answered with:
 * changed fields and one sentence per action.
 */
export async function runQuickActions(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  actions: readonly QuickAction[],
  where: ExecutedQuickAction["where"],
): Promise<{ changes: Record<string, unknown>; summary: string[] }> {
  const changes: Record<string, unknown> = {};
  const summary: string[] = [];
  for (const action of actions) {
    const change = await run(world, project, user, mergeRequest, action);
    Object.assign(changes, change ?? {});
    summary.push(change === null ? `Could not apply ${action.name} command.` : `Applied ${action.name} command.`);
    world.executedQuickActions.push({
      ...action,
      userId: user.id,
      project: project.path,
      mergeRequestIid: mergeRequest.iid,
      where,
      effective: change !== null,
    });
  }
  return { changes, summary };
}

/** What changed, or null when the action was not possible or is not played through here. */
async function run(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  { name, argument }: QuickAction,
): Promise<Record<string, unknown> | null> {
  const developer = levelOf(user, project) >= 30;
  const mayEdit = developer || mergeRequest.authorId === user.id;
  if (name === "merge" || name === "ship") return developer ? merge(world, project, user, mergeRequest) : null;
  if (name === "approve" && mayApprove(world, project, user, mergeRequest)) {
    mergeRequest.approvedBy.push(user.id);
    addSystemNote(world, mergeRequest, user, "approved this merge request");
    return { approve: true };
  }
  if (!mayEdit) return null;
  if (name === "close" || name === "reopen") {
    const state = mergeRequest.state;
    await changeState(world, project, user, mergeRequest, name);
    return state === mergeRequest.state ? null : { state_event: name };
  }
  const edit = editFor(world, mergeRequest, name, argument);
  if (edit === null) return null;
  await editMergeRequest(world, project, user, mergeRequest, edit);
  return { ...edit };
}

async function merge(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
): Promise<Record<string, unknown> | null> {
  try {
    await acceptMergeRequest(world, project, user, mergeRequest, {});
    return { merge: headOf(mergeRequest).headSha };
  } catch (error) {
    // A refused quick action is not an error of the call that carried it.
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function editFor(world: World, mergeRequest: MergeRequest, name: string, argument: string): MergeRequestEdit | null {
  const labels = [...argument.matchAll(/~"([^"]+)"|~(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
  const people = [...argument.matchAll(/@([\w.-]+)/g)].flatMap((match) => {
    const user = world.users.find((candidate) => candidate.username === match[1]);
    return user === undefined ? [] : [user.id];
  });
  switch (name) {
    case "title":
      return argument === "" ? null : { title: argument };
    case "draft":
      return isDraft(mergeRequest) ? null : { title: `Draft: ${mergeRequest.title}` };
    case "ready":
      return isDraft(mergeRequest)
        ? { title: mergeRequest.title.replace(/^\s*(?:\[draft\]|\(draft\)|draft:)\s*/i, "") }
        : null;
    case "label":
    case "labels":
      return labels.length === 0 ? null : { addLabels: labels };
    case "relabel":
      return labels.length === 0 ? null : { labels };
    case "unlabel":
    case "remove_label":
      return { removeLabels: labels.length === 0 ? mergeRequest.labels : labels };
    case "target_branch":
      return argument === "" ? null : { targetBranch: argument };
    case "assign":
    case "reassign":
      return people.length === 0 ? null : { assigneeIds: people };
    case "unassign":
      return { assigneeIds: [] };
    case "assign_reviewer":
    case "request_review":
    case "reassign_reviewer":
      return people.length === 0 ? null : { reviewerIds: people };
    case "unassign_reviewer":
      return { reviewerIds: [] };
    case "lock":
      return { discussionLocked: true };
    case "unlock":
      return { discussionLocked: false };
    default:
      return null;
  }
}

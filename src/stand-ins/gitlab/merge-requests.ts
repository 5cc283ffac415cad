/** What people do to merge requests: open, edit, close, reopen. Texts arrive here without their quick actions. */
import { type MergeRequestChange, mergeRequestBody } from "./hook-bodies.ts";
import { hookLabels } from "./hook-parts.ts";
import { fire } from "./hooks.ts";
import { headOf, isDraft, labelOf, sourceOf } from "./lookups.ts";
import { Refusal } from "./request.ts";
import { addSystemNote } from "./system-notes.ts";
import type { DiffVersion, MergeRequest, Project, User, World } from "./world.ts";

/** Tells the hooks about a change of a merge request. */
export async function announceMergeRequest(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  change: MergeRequestChange,
): Promise<void> {
  const [lastCommit] = await project.repository.log(headOf(mergeRequest).headSha, { limit: 1 });
  fire(
    world,
    project,
    "merge_requests_events",
    mergeRequestBody(world, project, user, mergeRequest, lastCommit, change),
  );
}

/**
 * The version of a source branch's head against its target as both are now; null when one is gone or they share nothing. The commits of a
 * fork are fetched first.
 */
export async function readVersion(
  world: World,
  project: Project,
  from: { project: Project; branch: string },
  target: string,
): Promise<DiffVersion | null> {
  const headSha = (await from.project.repository.branches()).get(from.branch);
  const startSha = (await project.repository.branches()).get(target);
  if (headSha === undefined || startSha === undefined) return null;
  if (from.project !== project) {
    await project.repository.run([
      "fetch",
      "--quiet",
      from.project.repository.directory,
      `+${headSha}:refs/keep/${headSha}`,
    ]);
  }
  const baseSha = (await project.repository.mergeBase(startSha, headSha)) ?? startSha;
  return { id: world.nextId(), baseSha, startSha, headSha, createdAt: new Date() };
}

/** Looks whether a merge request can still be merged without a person. */
export async function lookForConflicts(project: Project, mergeRequest: MergeRequest): Promise<void> {
  const target = await project.repository.resolve(mergeRequest.targetBranch);
  mergeRequest.conflicts =
    target !== null && !(await project.repository.canMerge(target, headOf(mergeRequest).headSha));
}

export interface NewMergeRequest {
  readonly source: Project;
  readonly sourceBranch: string;
  readonly targetBranch: string;
  readonly title: string;
  readonly description: string;
  readonly labels: readonly string[];
  readonly assigneeIds: readonly number[];
  readonly reviewerIds: readonly number[];
  readonly removeSourceBranch: boolean;
  readonly squash: boolean;
}

/** Opens a merge request, or refuses like GitLab: 422 for impossible branches, 409 for a second open one, 400 for a bad title. */
export async function openMergeRequest(
  world: World,
  project: Project,
  user: User,
  input: NewMergeRequest,
): Promise<MergeRequest> {
  const { source, sourceBranch, targetBranch } = input;
  if (source === project && sourceBranch === targetBranch) {
    throw new Refusal(422, { message: ["You can't use same project/branch for source and target"] });
  }
  const version = await readVersion(world, project, { project: source, branch: sourceBranch }, targetBranch);
  if (version === null) {
    const names = await source.repository.branches();
    const [word, name] = names.has(sourceBranch) ? ["Target", targetBranch] : ["Source", sourceBranch];
    throw new Refusal(422, { message: [`${word} branch "${name}" does not exist`] });
  }
  const twin = findOpen(project, { sourceProjectId: source.id, sourceBranch, targetBranch });
  if (twin !== undefined) {
    throw new Refusal(409, {
      message: [`Another open merge request already exists for this source branch: !${twin.iid}`],
    });
  }
  checkTitle(input.title);
  const now = new Date();
  const mergeRequest: MergeRequest = {
    id: world.nextId(),
    iid: Math.max(0, ...project.mergeRequests.map((existing) => existing.iid)) + 1,
    title: input.title,
    description: input.description,
    state: "opened",
    sourceProjectId: source.id,
    sourceBranch,
    targetBranch,
    authorId: user.id,
    labels: [...input.labels],
    assigneeIds: [...input.assigneeIds],
    reviewerIds: [...input.reviewerIds],
    removeSourceBranch: input.removeSourceBranch,
    squash: input.squash,
    discussionLocked: false,
    createdAt: now,
    updatedAt: now,
    closedBy: null,
    closedAt: null,
    mergedBy: null,
    mergedAt: null,
    mergeCommitSha: null,
    conflicts: false,
    approvedBy: [],
    versions: [version],
    discussions: [],
    draftNotes: [],
  };
  for (const name of input.labels) labelOf(world, project, name);
  await lookForConflicts(project, mergeRequest);
  project.mergeRequests.push(mergeRequest);
  await announceMergeRequest(world, project, user, mergeRequest, { action: "open", changes: {} });
  return mergeRequest;
}

function findOpen(
  project: Project,
  like: Pick<MergeRequest, "sourceProjectId" | "sourceBranch" | "targetBranch">,
): MergeRequest | undefined {
  return project.mergeRequests.find(
    (existing) =>
      existing.state === "opened" &&
      existing.sourceProjectId === like.sourceProjectId &&
      existing.sourceBranch === like.sourceBranch &&
      existing.targetBranch === like.targetBranch,
  );
}

function checkTitle(title: string): void {
  if (title.trim() === "") throw new Refusal(400, { message: { title: ["can't be blank"] } });
  if ([...title].length > 255)
    throw new Refusal(400, { message: { title: ["is too long (maximum is 255 characters)"] } });
}

export interface MergeRequestEdit {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly targetBranch?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly addLabels?: readonly string[] | undefined;
  readonly removeLabels?: readonly string[] | undefined;
  readonly assigneeIds?: readonly number[] | undefined;
  readonly reviewerIds?: readonly number[] | undefined;
  readonly removeSourceBranch?: boolean | undefined;
  readonly squash?: boolean | undefined;
  readonly discussionLocked?: boolean | undefined;
  readonly stateEvent?: "close" | "reopen" | undefined;
}

/** Changes a merge request and tells the hooks what changed; a change to what it is already is none. */
export async function editMergeRequest(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  edit: MergeRequestEdit,
): Promise<void> {
  const before = { ...mergeRequest, draft: isDraft(mergeRequest) };
  if (edit.title !== undefined) {
    checkTitle(edit.title);
    mergeRequest.title = edit.title;
  }
  if (edit.targetBranch !== undefined && edit.targetBranch !== mergeRequest.targetBranch) {
    const from = { project: sourceOf(world, project, mergeRequest), branch: mergeRequest.sourceBranch };
    const version = await readVersion(world, project, from, edit.targetBranch);
    if (version === null) throw new Refusal(400, { message: { target_branch: ["does not exist"] } });
    mergeRequest.targetBranch = edit.targetBranch;
    mergeRequest.versions.push(version);
    await lookForConflicts(project, mergeRequest);
  }
  mergeRequest.description = edit.description ?? mergeRequest.description;
  const labels = new Set(edit.labels ?? mergeRequest.labels);
  for (const name of edit.addLabels ?? []) labels.add(name);
  for (const name of edit.removeLabels ?? []) labels.delete(name);
  for (const name of labels) labelOf(world, project, name);
  mergeRequest.labels = [...labels];
  mergeRequest.assigneeIds = [...(edit.assigneeIds ?? mergeRequest.assigneeIds)];
  mergeRequest.reviewerIds = [...(edit.reviewerIds ?? mergeRequest.reviewerIds)];
  mergeRequest.removeSourceBranch = edit.removeSourceBranch ?? mergeRequest.removeSourceBranch;
  mergeRequest.squash = edit.squash ?? mergeRequest.squash;
  mergeRequest.discussionLocked = edit.discussionLocked ?? mergeRequest.discussionLocked;
  await announceEdit(world, project, user, mergeRequest, before);
  if (edit.stateEvent !== undefined) await changeState(world, project, user, mergeRequest, edit.stateEvent);
}

async function announceEdit(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  before: MergeRequest & { draft: boolean },
): Promise<void> {
  const draft = isDraft(mergeRequest);
  const pairs: [string, unknown, unknown][] = [
    ["title", before.title, mergeRequest.title],
    ["description", before.description, mergeRequest.description],
    ["draft", before.draft, draft],
    ["target_branch", before.targetBranch, mergeRequest.targetBranch],
  ];
  const changes = Object.fromEntries(
    pairs.filter(([, old, now]) => old !== now).map(([field, previous, current]) => [field, { previous, current }]),
  );
  if ([...before.labels].sort().join() !== [...mergeRequest.labels].sort().join()) {
    changes.labels = {
      previous: hookLabels(world, project, before.labels),
      current: hookLabels(world, project, mergeRequest.labels),
    };
  }
  if (Object.keys(changes).length === 0) return;
  const previous = mergeRequest.updatedAt;
  mergeRequest.updatedAt = new Date();
  changes.updated_at = { previous: previous.toISOString(), current: mergeRequest.updatedAt.toISOString() };
  if (before.draft !== draft)
    addSystemNote(world, mergeRequest, user, `marked this merge request as **${draft ? "draft" : "ready"}**`);
  else if (before.title !== mergeRequest.title) addSystemNote(world, mergeRequest, user, "changed title");
  if (before.description !== mergeRequest.description)
    addSystemNote(world, mergeRequest, user, "changed the description");
  await announceMergeRequest(world, project, user, mergeRequest, { action: "update", changes });
}

/** Closes or reopens; nothing happens to one that is there already or merged. Reopening meets 409 like creating. */
export async function changeState(
  world: World,
  project: Project,
  user: User,
  mergeRequest: MergeRequest,
  event: "close" | "reopen",
): Promise<void> {
  const [from, to] = event === "close" ? (["opened", "closed"] as const) : (["closed", "opened"] as const);
  if (mergeRequest.state !== from) return;
  const twin = event === "reopen" ? findOpen(project, mergeRequest) : undefined;
  if (twin !== undefined) {
    throw new Refusal(409, {
      message: [`Another open merge request already exists for this source branch: !${twin.iid}`],
    });
  }
  mergeRequest.state = to;
  mergeRequest.updatedAt = new Date();
  mergeRequest.closedAt = event === "close" ? mergeRequest.updatedAt : null;
  mergeRequest.closedBy = event === "close" ? user.id : null;
  addSystemNote(world, mergeRequest, user, event === "close" ? "closed" : "reopened");
  const state = { opened: 1, closed: 2, merged: 3 };
  await announceMergeRequest(world, project, user, mergeRequest, {
    action: event,
    changes: { state_id: { previous: state[from], current: state[to] } },
  });
}

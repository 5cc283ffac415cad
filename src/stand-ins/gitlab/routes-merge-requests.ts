/** Merge requests: list, open, edit, merge, and what can be read about them. */
import type { Route } from "../server.ts";
import { approvalsLeft, approvalsShape, isNewest, mayApprove } from "./approvals.ts";
import { headOf, isDraft, levelOf } from "./lookups.ts";
import { acceptMergeRequest } from "./merge.ts";
import { listedMergeRequestShape, mergeRequestShape } from "./merge-request-shapes.ts";
import { announceMergeRequest, editMergeRequest, openMergeRequest } from "./merge-requests.ts";
import { pipelineShape } from "./pipeline-shapes.ts";
import { startPipeline } from "./pipelines.ts";
import { runQuickActions } from "./quick-action-effects.ts";
import { extractQuickActions } from "./quick-actions.ts";
import {
  bool,
  commaList,
  forbidden,
  inProject,
  integer,
  type MergeRequestCall,
  notFound,
  oneOf,
  onMergeRequest,
  type Params,
  type ProjectCall,
  paginate,
  Refusal,
  requireParams,
  text,
} from "./request.ts";
import { addSystemNote } from "./system-notes.ts";
import type { MergeRequest, Project, World } from "./world.ts";

const list = "/api/v4/projects/:id/merge_requests";
const one = `${list}/:iid`;

const shown = ({ world, project, mergeRequest }: MergeRequestCall, status = 200) => ({
  status,
  body: mergeRequestShape(world, project, mergeRequest),
});

/** Routes that change merge requests. */
export function mergeRequestRoutes(world: World): Route[] {
  return [
    [
      "GET",
      list,
      inProject(world, 20, (call) =>
        paginate(
          call,
          filtered(call).map((found) => listedMergeRequestShape(world, call.project, found)),
        ),
      ),
    ],
    ["POST", list, inProject(world, 30, create)],
    ["GET", one, onMergeRequest(world, 20, shown)],
    ["PUT", one, onMergeRequest(world, 20, update)],
    [
      "DELETE",
      one,
      onMergeRequest(world, 50, ({ project, mergeRequest }) => {
        project.mergeRequests.splice(project.mergeRequests.indexOf(mergeRequest), 1);
        return { status: 204 };
      }),
    ],
    [
      "PUT",
      `${one}/merge`,
      onMergeRequest(world, 20, async (call) => {
        await acceptMergeRequest(world, call.project, call.user, call.mergeRequest, {
          sha: text(call.params, "sha"),
          message: text(call.params, "merge_commit_message"),
          removeSourceBranch: bool(call.params, "should_remove_source_branch"),
        });
        return shown(call);
      }),
    ],
    ["POST", `${one}/approve`, onMergeRequest(world, 30, (call) => approve(call, true))],
    ["POST", `${one}/unapprove`, onMergeRequest(world, 30, (call) => approve(call, false))],
    [
      "POST",
      `${one}/pipelines`,
      onMergeRequest(world, 30, async ({ project, user, mergeRequest }) => {
        const { iid } = mergeRequest;
        const ref = `refs/merge-requests/${iid}/head`;
        const { headSha } = headOf(mergeRequest);
        const input = { ref, sha: headSha, source: "merge_request_event", userId: user.id, mergeRequestIid: iid };
        const pipeline = await startPipeline(world, project, input);
        if (pipeline === undefined) throw new Refusal(400, { message: "No stages / jobs for this pipeline." });
        return { status: 201, body: pipelineShape(world, project, pipeline) };
      }),
    ],
  ];
}

/** One person's (un)approval, or the one that decides. */
function approvalAction(yes: boolean, decides: boolean) {
  if (yes) return decides ? "approved" : "approval";
  return decides ? "unapproved" : "unapproval";
}

async function approve(call: MergeRequestCall, yes: boolean) {
  const { world, project, user, mergeRequest, params } = call;
  const has = mergeRequest.approvedBy.includes(user.id);
  if (!isNewest(mergeRequest, text(params, "sha"))) {
    throw new Refusal(409, { message: `SHA does not match HEAD of source branch: ${headOf(mergeRequest).headSha}` });
  }
  if (yes ? !mayApprove(world, project, user, mergeRequest) : !has) {
    throw yes ? new Refusal(401, { message: "401 Unauthorized" }) : notFound();
  }
  const wasApproved = approvalsLeft(world, project, mergeRequest) === 0;
  if (yes) mergeRequest.approvedBy.push(user.id);
  else mergeRequest.approvedBy.splice(mergeRequest.approvedBy.indexOf(user.id), 1);
  addSystemNote(world, mergeRequest, user, yes ? "approved this merge request" : "unapproved this merge request");
  await announceMergeRequest(world, project, user, mergeRequest, {
    action: approvalAction(yes, yes ? approvalsLeft(world, project, mergeRequest) === 0 : wasApproved),
    changes: {},
  });
  return { status: 201, body: approvalsShape(world, project, user, mergeRequest) };
}

/** The project that a new merge request goes to: this one, or the one it is a fork of. */
function targetOf({ world, project, user, params }: ProjectCall): Project {
  const id =
    params.target_project_id === undefined ? project.id : integer(params.target_project_id, "target_project_id");
  const target = world.projects.find((candidate) => candidate.id === id);
  if (target === undefined || levelOf(user, target) === 0) throw notFound("Project");
  if (target !== project && project.forkOf !== target) {
    throw new Refusal(422, { message: ["Source project is not a fork of the target project"] });
  }
  if (target.settings.archived || !target.settings.mergeRequestsEnabled) throw forbidden();
  return target;
}

async function create(call: ProjectCall) {
  const { world, user, params } = call;
  requireParams(params, "title", "source_branch", "target_branch");
  const project = targetOf(call);
  const { text: description, actions } = extractQuickActions(text(params, "description") ?? "");
  const mergeRequest = await openMergeRequest(world, project, user, {
    source: call.project,
    sourceBranch: text(params, "source_branch") ?? "",
    targetBranch: text(params, "target_branch") ?? "",
    title: text(params, "title") ?? "",
    description,
    labels: [...(commaList(params, "labels") ?? []), ...(commaList(params, "add_labels") ?? [])],
    assigneeIds: people(params, "assignee_ids", "assignee_id") ?? [],
    reviewerIds: people(params, "reviewer_ids") ?? [],
    removeSourceBranch: bool(params, "remove_source_branch") ?? false,
    squash: bool(params, "squash") ?? false,
  });
  await runQuickActions(world, project, user, mergeRequest, actions, "description");
  return shown({ ...call, project, mergeRequest }, 201);
}

/** Every parameter that changes something; without one of them the call is refused. */
const editable = [
  "title",
  "description",
  "target_branch",
  "state_event",
  "labels",
  "add_labels",
  "remove_labels",
  "assignee_id",
  "assignee_ids",
  "reviewer_ids",
  "remove_source_branch",
  "squash",
  "discussion_locked",
  "milestone_id",
  "allow_collaboration",
  "allow_maintainer_to_push",
  "merge_after",
];

async function update(call: MergeRequestCall) {
  const { world, project, user, mergeRequest, params } = call;
  if (!editable.some((name) => params[name] !== undefined)) {
    throw new Refusal(400, { error: `${editable.join(", ")} are missing, at least one parameter must be provided` });
  }
  if (call.level < 30 && mergeRequest.authorId !== user.id) throw new Refusal(403, { message: "403 Forbidden" });
  const stateEvent = oneOf(params, "state_event", ["close", "reopen"]) as "close" | "reopen" | undefined;
  const given = text(params, "description");
  const { text: description, actions } = extractQuickActions(given ?? "");
  await editMergeRequest(world, project, user, mergeRequest, {
    title: text(params, "title"),
    description: given === undefined ? undefined : description,
    targetBranch: text(params, "target_branch"),
    labels: commaList(params, "labels"),
    addLabels: commaList(params, "add_labels"),
    removeLabels: commaList(params, "remove_labels"),
    assigneeIds: people(params, "assignee_ids", "assignee_id"),
    reviewerIds: people(params, "reviewer_ids"),
    removeSourceBranch: bool(params, "remove_source_branch"),
    squash: bool(params, "squash"),
    discussionLocked: bool(params, "discussion_locked"),
    stateEvent,
  });
  await runQuickActions(world, project, user, mergeRequest, actions, "description");
  return shown(call);
}

/** User numbers; 0 and "" mean nobody. */
function people(params: Params, ...names: string[]): number[] | undefined {
  const given = names.flatMap((name) => commaList(params, name) ?? []);
  if (names.every((name) => params[name] === undefined)) return undefined;
  return given.map((id) => integer(id, names[0] ?? "")).filter((id) => id > 0);
}

function filtered(call: ProjectCall): MergeRequest[] {
  const { params, project } = call;
  const state = oneOf(params, "state", ["opened", "closed", "locked", "merged", "all"]) ?? "all";
  const orderBy = oneOf(params, "order_by", ["created_at", "updated_at", "title", "merged_at"]) ?? "created_at";
  const sort = oneOf(params, "sort", ["asc", "desc"]) ?? "desc";
  const iids = commaList(params, "iids");
  const labels = commaList(params, "labels");
  const draft = oneOf(params, "wip", ["yes", "no"]);
  const search = text(params, "search")?.toLowerCase();
  const updatedAfter = text(params, "updated_after");
  const same = (name: string, value: unknown): boolean =>
    params[name] === undefined || text(params, name) === String(value);
  const author = (found: MergeRequest) => call.world.users.find((user) => user.id === found.authorId)?.username;
  const found = project.mergeRequests.filter(
    (candidate) =>
      (state === "all" || candidate.state === state) &&
      (updatedAfter === undefined || candidate.updatedAt.getTime() > Date.parse(updatedAfter)) &&
      same("source_branch", candidate.sourceBranch) &&
      same("target_branch", candidate.targetBranch) &&
      same("author_id", candidate.authorId) &&
      same("author_username", author(candidate)) &&
      (iids === undefined || iids.includes(String(candidate.iid))) &&
      (labels === undefined || labels.every((label) => candidate.labels.includes(label))) &&
      (draft === undefined || isDraft(candidate) === (draft === "yes")) &&
      (search === undefined || `${candidate.title}\n${candidate.description}`.toLowerCase().includes(search)),
  );
  const key = (candidate: MergeRequest): string | number =>
    orderBy === "title" ? candidate.title : orderBy === "updated_at" ? candidate.updatedAt.getTime() : candidate.iid;
  found.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  return sort === "asc" ? found : found.reverse();
}

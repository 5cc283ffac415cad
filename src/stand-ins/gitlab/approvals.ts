/** Approvals, and the rules for them (Premium). */
import { headOf, levelOf, userOf } from "./lookups.ts";
import type { MergeRequest, Project, User, World } from "./world.ts";

/** How many approvals are still missing; always 0 on the Free tier. */
export function approvalsLeft(world: World, project: Project, mergeRequest: MergeRequest): number {
  if (world.tier === "free") return 0;
  return Math.max(0, project.settings.approvalsRequired - mergeRequest.approvedBy.length);
}

/** Whether a user's approval would count. */
export function mayApprove(world: World, project: Project, user: User, mergeRequest: MergeRequest): boolean {
  const own = mergeRequest.authorId === user.id;
  const allowed = world.tier === "free" || project.settings.authorMayApprove || !own;
  return allowed && levelOf(user, project) >= 30 && !mergeRequest.approvedBy.includes(user.id);
}

/** `GET …/approvals`: Free knows who approved, and not how many have to. */
export function approvalsShape(world: World, project: Project, user: User, mergeRequest: MergeRequest) {
  const approvedBy = mergeRequest.approvedBy.map((id) => {
    const { username, name, state } = userOf(world, id);
    return { user: { id, username, name, state, avatar_url: null, web_url: `${world.url}/${username}` } };
  });
  const free = {
    user_has_approved: mergeRequest.approvedBy.includes(user.id),
    user_can_approve: mayApprove(world, project, user, mergeRequest),
    approved: mergeRequest.approvedBy.length > 0,
    approved_by: approvedBy,
  };
  if (world.tier === "free") return free;
  const left = approvalsLeft(world, project, mergeRequest);
  return {
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    project_id: project.id,
    title: mergeRequest.title,
    description: mergeRequest.description,
    state: mergeRequest.state,
    created_at: mergeRequest.createdAt.toISOString(),
    updated_at: mergeRequest.updatedAt.toISOString(),
    merge_status: mergeRequest.state === "opened" ? "can_be_merged" : "unchecked",
    ...free,
    approved: left === 0,
    approvals_required: project.settings.approvalsRequired,
    approvals_left: left,
    require_password_to_approve: false,
    suggested_approvers: [],
    approvers: [],
    approver_groups: [],
    approval_rules_left: left === 0 ? [] : [{ id: mergeRequest.id, name: "All Members", rule_type: "any_approver" }],
    has_approval_rules: true,
    merge_request_approvers_available: true,
    multiple_approval_rules_available: true,
    invalid_approvers_rules: [],
  };
}

/** `GET …/approval_state`. */
export function approvalStateShape(world: World, project: Project, mergeRequest: MergeRequest) {
  const required = project.settings.approvalsRequired;
  return {
    approval_rules_overwritten: false,
    rules:
      required === 0
        ? []
        : [
            {
              id: mergeRequest.id,
              name: "All Members",
              rule_type: "any_approver",
              report_type: null,
              eligible_approvers: [],
              approvals_required: required,
              users: [],
              groups: [],
              contains_hidden_groups: false,
              approved_by: mergeRequest.approvedBy.map((id) => ({ id, username: userOf(world, id).username })),
              source_rule: null,
              approved: approvalsLeft(world, project, mergeRequest) === 0,
              overridden: false,
            },
          ],
  };
}

/** The commit that an approval was asked for is the newest one, or none was named. */
export function isNewest(mergeRequest: MergeRequest, sha: string | undefined): boolean {
  return sha === undefined || sha === headOf(mergeRequest).headSha;
}

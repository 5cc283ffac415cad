/** Push rules of a project: Premium, and for maintainers only (docs.gitlab.com/api/project_push_rules). */
import type { Route } from "../server.ts";
import type { PushRule } from "./push-rules.ts";
import { bool, inProject, integer, notFound, type Params, type ProjectCall, Refusal, text } from "./request.ts";
import type { Project, World } from "./world.ts";

const place = "/api/v4/projects/:id/push_rule";

const MAINTAINER = 40;

function shape(project: Project, rule: PushRule) {
  return {
    id: project.id,
    project_id: project.id,
    created_at: project.createdAt.toISOString(),
    commit_message_regex: rule.commitMessage ?? null,
    commit_message_negative_regex: rule.commitMessageNot ?? null,
    branch_name_regex: rule.branchName ?? null,
    author_email_regex: rule.authorEmail ?? null,
    file_name_regex: null,
    deny_delete_tag: false,
    member_check: rule.memberCheck ?? false,
    prevent_secrets: false,
    max_file_size: rule.maxFileMb ?? 0,
    commit_committer_check: null,
    commit_committer_name_check: false,
    reject_unsigned_commits: rule.signedCommits ?? null,
    reject_non_dco_commits: null,
  };
}

function read(params: Params, before: PushRule): PushRule {
  const words = {
    branchName: text(params, "branch_name_regex"),
    authorEmail: text(params, "author_email_regex"),
    commitMessage: text(params, "commit_message_regex"),
    commitMessageNot: text(params, "commit_message_negative_regex"),
    signedCommits: bool(params, "reject_unsigned_commits"),
    memberCheck: bool(params, "member_check"),
    maxFileMb: params.max_file_size === undefined ? undefined : integer(params.max_file_size, "max_file_size"),
  };
  const merged = { ...before, ...Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) };
  // An empty expression is none.
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ""));
}

/** Routes of push rules; 404 on the Free tier. */
export function pushRuleRoutes(world: World): Route[] {
  const handle = (work: (call: ProjectCall) => { status: number; body?: unknown }) =>
    inProject(world, MAINTAINER, (call) => {
      if (world.tier === "free") throw notFound();
      return work(call);
    });
  return [
    [
      "GET",
      place,
      handle(({ project }) => ({
        status: 200,
        body: project.settings.pushRule === null ? null : shape(project, project.settings.pushRule),
      })),
    ],
    [
      "POST",
      place,
      handle(({ project, params }) => {
        if (project.settings.pushRule !== null) throw new Refusal(422, { error: "Project push rule exists" });
        project.settings.pushRule = read(params, {});
        return { status: 201, body: shape(project, project.settings.pushRule) };
      }),
    ],
    [
      "PUT",
      place,
      handle(({ project, params }) => {
        if (project.settings.pushRule === null) throw notFound("Push Rule");
        project.settings.pushRule = read(params, project.settings.pushRule);
        return { status: 200, body: shape(project, project.settings.pushRule) };
      }),
    ],
    [
      "DELETE",
      place,
      handle(({ project }) => {
        if (project.settings.pushRule === null) throw notFound("Push Rule");
        project.settings.pushRule = null;
        return { status: 204 };
      }),
    ],
  ];
}

/** People, projects, branches, labels and hooks in the shapes of GitLab's REST API v4. */

import { isOff, levelOf, userOf } from "./lookups.ts";
import { mayPush, rulesFor } from "./protection.ts";
import type { Commit } from "./repository.ts";
import type { Hook, Label, Project, User, World } from "./world.ts";

export function userShape(world: World, user: User) {
  return {
    id: user.id,
    username: user.username,
    public_email: null,
    name: user.name,
    state: user.state,
    locked: false,
    avatar_url: null,
    web_url: `${world.url}/${user.username}`,
  };
}

/** What is told of a user who is asked for. */
export function fullUserShape(world: World, user: User) {
  return { ...userShape(world, user), created_at: "2026-01-05T09:00:00.000Z", bio: "", bot: user.bot, job_title: "" };
}

/** The same as `userShape` by number; null stays null. */
export function userShapeOf(world: World, id: number | null) {
  return id === null ? null : userShape(world, userOf(world, id));
}

export function projectShape(world: World, project: Project, user: User, empty: boolean) {
  const namespace = project.path.split("/").slice(0, -1).join("/");
  return {
    id: project.id,
    description: "",
    name: project.name,
    name_with_namespace: `${namespace} / ${project.name}`,
    path: project.path.split("/").at(-1),
    path_with_namespace: project.path,
    created_at: project.createdAt.toISOString(),
    default_branch: empty ? null : project.defaultBranch,
    tag_list: [],
    topics: [],
    ssh_url_to_repo: `git@${new URL(world.url).hostname}:${project.path}.git`,
    http_url_to_repo: `${world.url}/${project.path}.git`,
    web_url: `${world.url}/${project.path}`,
    readme_url: null,
    namespace: { id: 1, name: namespace, path: namespace, kind: "group", full_path: namespace, parent_id: null },
    visibility: "private",
    archived: project.settings.archived,
    empty_repo: empty,
    merge_method: "merge",
    squash_option: "default_off",
    remove_source_branch_after_merge: true,
    only_allow_merge_if_pipeline_succeeds: project.settings.pipelineMustSucceed,
    only_allow_merge_if_all_discussions_are_resolved: project.settings.threadsMustBeResolved,
    resolve_outdated_diff_discussions: project.settings.resolveOutdatedThreads,
    merge_requests_enabled: project.settings.mergeRequestsEnabled,
    merge_requests_access_level: project.settings.mergeRequestsEnabled ? "enabled" : "disabled",
    ...(project.forkOf === null
      ? {}
      : { forked_from_project: { id: project.forkOf.id, path_with_namespace: project.forkOf.path } }),
    jobs_enabled: true,
    ci_config_path: "",
    permissions: {
      project_access: { access_level: levelOf(user, project), notification_level: 3 },
      group_access: null,
    },
  };
}

export function commitShape(world: World, project: Project, commit: Commit) {
  return {
    id: commit.id,
    short_id: commit.id.slice(0, 8),
    created_at: commit.committer.date,
    parent_ids: commit.parents,
    title: commit.title,
    message: commit.message,
    author_name: commit.author.name,
    author_email: commit.author.email,
    authored_date: commit.author.date,
    committer_name: commit.committer.name,
    committer_email: commit.committer.email,
    committed_date: commit.committer.date,
    trailers: {},
    extended_trailers: {},
    web_url: `${world.url}/${project.path}/-/commit/${commit.id}`,
  };
}

export function branchShape(world: World, project: Project, user: User, name: string, commit: Commit) {
  const rules = rulesFor(project, name);
  return {
    name,
    commit: commitShape(world, project, commit),
    merged: false,
    protected: rules.length > 0,
    developers_can_push: rules.some(({ pushLevel }) => pushLevel === 30),
    developers_can_merge: rules.some(({ mergeLevel }) => mergeLevel === 30),
    can_push: mayPush(project, user, name),
    default: name === project.defaultBranch,
    web_url: `${world.url}/${project.path}/-/tree/${name}`,
  };
}

export function labelShape(label: Label) {
  return {
    id: label.id,
    name: label.name,
    description: label.description,
    description_html: label.description ?? "",
    text_color: "#FFFFFF",
    color: label.color,
    subscribed: false,
    priority: null,
    is_project_label: true,
  };
}

function alertStatus(hook: Hook): "executable" | "temporarily_disabled" | "disabled" {
  if (!isOff(hook)) return "executable";
  return hook.offUntil === "ever" ? "disabled" : "temporarily_disabled";
}

/** Tokens are never given back. */
export function hookShape(project: Project, hook: Hook) {
  return {
    id: hook.id,
    url: hook.url,
    name: null,
    description: null,
    created_at: hook.createdAt.toISOString(),
    ...hook.triggers,
    enable_ssl_verification: true,
    repository_update_events: false,
    alert_status: alertStatus(hook),
    disabled_until: hook.offUntil instanceof Date ? hook.offUntil.toISOString() : null,
    url_variables: [],
    push_events_branch_filter: "",
    branch_filter_strategy: "wildcard",
    custom_webhook_template: null,
    custom_headers: [],
    token_present: hook.token !== null,
    signing_token_present: hook.signingToken !== null,
    project_id: project.id,
  };
}

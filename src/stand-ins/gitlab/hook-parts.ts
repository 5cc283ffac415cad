/** What webhook bodies have in common (docs.gitlab.com/user/project/integrations/webhook_events). */

import { labelOf } from "./lookups.ts";
import type { Commit } from "./repository.ts";
import type { Label, Project, User, World } from "./world.ts";

/** Hooks write times as `2026-11-20 18:17:05 UTC`. */
export function stamp(date: Date): string {
  return date
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}

export function hookUser(user: User) {
  // Addresses that are not public are hidden since GitLab 14.
  return { id: user.id, name: user.name, username: user.username, avatar_url: null, email: "[REDACTED]" };
}

export function hookProject(world: World, project: Project) {
  const url = `${world.url}/${project.path}`;
  const ssh = `git@${new URL(world.url).hostname}:${project.path}.git`;
  return {
    id: project.id,
    name: project.name,
    description: "",
    web_url: url,
    avatar_url: null,
    git_ssh_url: ssh,
    git_http_url: `${url}.git`,
    namespace: project.path.split("/").slice(0, -1).join("/"),
    visibility_level: 0,
    path_with_namespace: project.path,
    default_branch: project.defaultBranch,
    ci_config_path: "",
    homepage: url,
    url: ssh,
    ssh_url: ssh,
    http_url: `${url}.git`,
  };
}

export function hookRepository(world: World, project: Project) {
  const { name, url, description, homepage } = hookProject(world, project);
  return { name, url, description, homepage };
}

export function hookCommit(world: World, project: Project, commit: Commit) {
  return {
    id: commit.id,
    message: commit.message,
    title: commit.title,
    timestamp: commit.committer.date,
    url: `${world.url}/${project.path}/-/commit/${commit.id}`,
    author: { name: commit.author.name, email: "[REDACTED]" },
  };
}

export function hookLabel(project: Project, label: Label) {
  const time = stamp(project.createdAt);
  return {
    id: label.id,
    title: label.name,
    color: label.color,
    project_id: project.id,
    created_at: time,
    updated_at: time,
    template: false,
    description: label.description,
    type: "ProjectLabel",
    group_id: null,
  };
}

/** Labels of a merge request by name, as hooks carry them. */
export function hookLabels(world: World, project: Project, names: readonly string[]) {
  return names.map((name) => hookLabel(project, labelOf(world, project, name)));
}

export const noCommit = "0".repeat(40);

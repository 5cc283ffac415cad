/** The JSON of Jira: version 3 for answers (rich text as ADF), version 2 for web hooks (rich text as wiki markup). */
import { adfToWiki } from "./rich-text.ts";
import type {
  JiraChange,
  JiraComment,
  JiraHistory,
  JiraIssue,
  JiraProject,
  JiraRemoteLink,
  JiraRole,
  JiraStatus,
  JiraTransition,
  JiraUser,
  JiraWorld,
} from "./world.ts";

type Json = Record<string, unknown>;
export type ApiVersion = 2 | 3;

/** e.g. `2026-03-01T09:30:00.000+0000` */
export function jiraTime(at: number): string {
  return new Date(at).toISOString().replace("Z", "+0000");
}

/** A person without e-mail address, as privacy settings usually have it. */
export function userJson(world: JiraWorld, user: JiraUser, version: ApiVersion = 3): Json {
  return {
    self: `${world.url}/rest/api/${version}/user?accountId=${encodeURIComponent(user.accountId)}`,
    accountId: user.accountId,
    avatarUrls: { "48x48": `${world.url}/avatar/${encodeURIComponent(user.accountId)}?s=48` },
    displayName: user.displayName,
    active: true,
    timeZone: "Etc/UTC",
    accountType: "atlassian",
  };
}

const categories = {
  new: { id: 2, colorName: "blue-gray", name: "To Do" },
  indeterminate: { id: 4, colorName: "yellow", name: "In Progress" },
  done: { id: 3, colorName: "green", name: "Done" },
} as const;

/** A status with its category. */
export function statusJson(world: JiraWorld, status: JiraStatus, version: ApiVersion = 3): Json {
  const { id, colorName, name } = categories[status.category];
  return {
    self: `${world.url}/rest/api/${version}/status/${status.id}`,
    description: "",
    iconUrl: `${world.url}/`,
    name: status.name,
    id: status.id,
    statusCategory: {
      self: `${world.url}/rest/api/${version}/statuscategory/${id}`,
      id,
      key: status.category,
      colorName,
      name,
    },
  };
}

/** A project, in short. */
export function projectJson(world: JiraWorld, project: JiraProject, version: ApiVersion = 3): Json {
  return {
    self: `${world.url}/rest/api/${version}/project/${project.id}`,
    id: project.id,
    key: project.key,
    name: project.name,
    projectTypeKey: "software",
    simplified: false,
    avatarUrls: { "48x48": `${world.url}/avatar/project-${project.key}` },
  };
}

/** All fields of an issue that we know. */
export function fieldsJson(world: JiraWorld, issue: JiraIssue, version: ApiVersion = 3): Json {
  const user = (one: JiraUser | null): Json | null => (one === null ? null : userJson(world, one, version));
  return {
    summary: issue.summary,
    issuetype: {
      self: `${world.url}/rest/api/${version}/issuetype/10001`,
      id: "10001",
      description: "",
      name: issue.type,
      subtask: false,
    },
    project: projectJson(world, issue.project, version),
    priority: { self: `${world.url}/rest/api/${version}/priority/3`, name: issue.priority, id: "3" },
    status: statusJson(world, issue.status, version),
    labels: issue.labels,
    description: version === 3 ? issue.description : adfToWiki(issue.description),
    assignee: user(issue.assignee),
    reporter: user(issue.reporter),
    creator: user(issue.reporter),
    created: jiraTime(issue.created),
    updated: jiraTime(issue.updated),
    resolution: null,
    components: [],
    fixVersions: [],
    issuelinks: [],
    subtasks: [],
    attachment: [],
  };
}

/** An issue with the given fields. */
export function issueJson(world: JiraWorld, issue: JiraIssue, fields: Json, version: ApiVersion = 3): Json {
  return {
    expand: "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
    id: issue.id,
    self: `${world.url}/rest/api/${version}/issue/${issue.id}`,
    key: issue.key,
    fields,
  };
}

/** A comment; `properties` only where they were asked for. */
export function commentJson(
  world: JiraWorld,
  issue: JiraIssue,
  comment: JiraComment,
  options: { version?: ApiVersion; properties?: boolean } = {},
): Json {
  const version = options.version ?? 3;
  return {
    self: `${world.url}/rest/api/${version}/issue/${issue.id}/comment/${comment.id}`,
    id: comment.id,
    author: userJson(world, comment.author, version),
    body: version === 3 ? comment.body : adfToWiki(comment.body),
    updateAuthor: userJson(world, comment.updateAuthor, version),
    created: jiraTime(comment.created),
    updated: jiraTime(comment.updated),
    jsdPublic: true,
    ...(options.properties === true
      ? { properties: [...comment.properties].map(([key, value]) => ({ key, value })) }
      : {}),
  };
}

/** A transition; `withFields` is `expand=transitions.fields`. */
export function transitionJson(
  world: JiraWorld,
  issue: JiraIssue,
  transition: JiraTransition,
  withFields: boolean,
): Json {
  const to = issue.project.statuses.find((status) => status.name === transition.to);
  const fields = Object.fromEntries(
    transition.requires.map((id) => [
      id,
      {
        required: true,
        hasDefaultValue: false,
        key: id,
        name: id[0]?.toUpperCase() + id.slice(1),
        operations: ["set"],
      },
    ]),
  );
  return {
    id: transition.id,
    name: transition.name,
    to: to === undefined ? null : statusJson(world, to),
    hasScreen: transition.requires.length > 0,
    isGlobal: transition.from === null,
    isInitial: false,
    isAvailable: true,
    isConditional: false,
    isLooped: false,
    ...(withFields ? { fields } : {}),
  };
}

/** A remote link; what is null is left out. */
export function remoteLinkJson(world: JiraWorld, issue: JiraIssue, link: JiraRemoteLink): Json {
  return {
    id: link.id,
    self: `${world.url}/rest/api/3/issue/${issue.key}/remotelink/${link.id}`,
    ...(link.globalId === null ? {} : { globalId: link.globalId }),
    ...(link.application === null ? {} : { application: link.application }),
    ...(link.relationship === null ? {} : { relationship: link.relationship }),
    object: { icon: {}, status: { icon: {} }, ...link.object },
  };
}

/** Groups have ids beside their names; ours follow from the name. */
export function groupId(name: string): string {
  return `group-id-of-${name}`;
}

/** A group, in short. */
export function groupJson(world: JiraWorld, name: string): Json {
  return { name, groupId: groupId(name), self: `${world.url}/rest/api/3/group?groupId=${groupId(name)}` };
}

/** A role of a project with the people and groups in it. */
export function roleJson(world: JiraWorld, project: JiraProject, role: JiraRole): Json {
  const users = role.users.map((accountId, index) => ({
    id: role.id * 100 + index,
    displayName: world.users.find((user) => user.accountId === accountId)?.displayName ?? "former user",
    type: "atlassian-user-role-actor",
    actorUser: { accountId },
  }));
  const groups = role.groups.map((name, index) => ({
    id: role.id * 100 + 50 + index,
    displayName: name,
    type: "atlassian-group-role-actor",
    name,
    actorGroup: { name, displayName: name, groupId: groupId(name) },
  }));
  return {
    self: `${world.url}/rest/api/3/project/${project.key}/role/${role.id}`,
    name: role.name,
    id: role.id,
    description: "",
    actors: [...users, ...groups],
  };
}

const trimmed = ["summary", "issuetype", "project", "assignee", "priority", "status"];

/** One change of an issue, as its changelog has it. */
export function historyJson(world: JiraWorld, { id, actor, created, items }: JiraHistory): Json {
  return { id, author: userJson(world, actor), created: jiraTime(created), items };
}

/** Body of the web hook for a change; `changelogId` is that of its history. Comments come without `user` and with a trimmed issue, as on Cloud. */
export function webhookBody(world: JiraWorld, change: JiraChange, changelogId: string): { event: string; body: Json } {
  const { issue } = change;
  const fields = fieldsJson(world, issue, 2);
  const timestamp = world.now();
  if ("comment" in change) {
    const few = Object.fromEntries(trimmed.map((name) => [name, fields[name]]));
    const comment = commentJson(world, issue, change.comment, { version: 2 });
    return {
      event: change.kind,
      body: { timestamp, webhookEvent: change.kind, comment, issue: webhookIssue(world, issue, few) },
    };
  }
  const event = `jira:issue_${change.kind}`;
  const changelog = "items" in change ? { changelog: { id: changelogId, items: change.items } } : {};
  return {
    event,
    body: {
      timestamp,
      webhookEvent: event,
      ...typeName(change),
      user: userJson(world, change.actor, 2),
      issue: webhookIssue(world, issue, fields),
      ...changelog,
    },
  };
}

/** Deletions carry no type. */
function typeName(change: Exclude<JiraChange, { comment: unknown }>): Json {
  if (change.kind === "deleted") return {};
  return { issue_event_type_name: change.kind === "updated" ? change.type : "issue_created" };
}

function webhookIssue(world: JiraWorld, issue: JiraIssue, fields: Json): Json {
  return { id: issue.id, self: `${world.url}/rest/api/2/issue/${issue.id}`, key: issue.key, fields };
}

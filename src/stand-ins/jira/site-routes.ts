/** REST routes around issues: people, projects, roles, fields, server info and administration of web hooks. */
import type { Route, StandInReply } from "../server.ts";
import { bodyOf, type Door, listIn, objectIn } from "./door.ts";
import { groupJson, projectJson, roleJson, userJson } from "./shapes.ts";
import type { Hook } from "./webhooks.ts";
import { type JiraProject, type JiraUser, type JiraWorld, Refusal } from "./world.ts";

function projectOf(world: JiraWorld, keyOrId = ""): JiraProject {
  const project = world.projects.find((one) => one.key === keyOrId.toUpperCase() || one.id === keyOrId);
  if (project === undefined) throw new Refusal(404, `No project could be found with key '${keyOrId}'.`);
  return project;
}

function userOf(world: JiraWorld, accountId: string | null): JiraUser {
  if (accountId === null) throw new Refusal(400, "The account ID is required.");
  const user = world.users.find((one) => one.accountId === accountId);
  if (user === undefined) throw new Refusal(404, "The user with the specified account ID does not exist.");
  return user;
}

function peopleRoutes(world: JiraWorld, door: Door): Route[] {
  const person = (user: JiraUser, expand: readonly string[]): StandInReply => {
    const groups = { size: user.groups.length, items: user.groups.map((name) => groupJson(world, name)) };
    return { status: 200, body: { ...userJson(world, user), ...(expand.includes("groups") ? { groups } : {}) } };
  };
  return [
    [
      "GET",
      "/rest/api/3/myself",
      door.forUser(({ query }, actor) => {
        const { status, body } = person(actor, listIn(query, "expand"));
        return { status, body: { ...(body as object), emailAddress: actor.email, locale: "en_US" } };
      }),
    ],
    [
      "GET",
      "/rest/api/3/user",
      door.forUser(({ query }) => person(userOf(world, query.get("accountId")), listIn(query, "expand"))),
    ],
    [
      "GET",
      "/rest/api/3/user/groups",
      door.forUser(({ query }) => {
        const user = userOf(world, query.get("accountId"));
        return { status: 200, body: user.groups.map((name) => groupJson(world, name)) };
      }),
    ],
  ];
}

function projectRoutes(world: JiraWorld, door: Door): Route[] {
  const path = "/rest/api/3/project/:project";
  return [
    [
      "GET",
      path,
      door.forUser(({ params }) => ({ status: 200, body: projectJson(world, projectOf(world, params.project)) })),
    ],
    [
      "GET",
      `${path}/role`,
      door.forUser(({ params }) => {
        const project = projectOf(world, params.project);
        const address = (id: number): string => `${world.url}/rest/api/3/project/${project.id}/role/${id}`;
        return { status: 200, body: Object.fromEntries(project.roles.map(({ name, id }) => [name, address(id)])) };
      }),
    ],
    [
      "GET",
      `${path}/role/:role`,
      door.forUser(({ params }) => {
        const project = projectOf(world, params.project);
        const role = project.roles.find((one) => String(one.id) === params.role);
        if (role === undefined) throw new Refusal(404, `Can not find a role actor for role id ${params.role}.`);
        return { status: 200, body: roleJson(world, project, role) };
      }),
    ],
  ];
}

const fields = [
  "summary",
  "description",
  "status",
  "issuetype",
  "project",
  "labels",
  "reporter",
  "assignee",
  "created",
  "updated",
];

function hookJson(world: JiraWorld, hook: Hook): Record<string, unknown> {
  return {
    name: hook.name,
    url: hook.url,
    excludeBody: false,
    filters: { "issue-related-events-section": hook.filter },
    events: hook.events,
    enabled: true,
    // The secret itself is never shown again.
    isSigned: hook.secret !== null,
    self: `${world.url}/rest/webhooks/1.0/webhook/${hook.id}`,
  };
}

/** Administration of web hooks: basic auth works here, unlike on `/rest/api/3/webhook`. */
function hookRoutes(world: JiraWorld, door: Door, hooks: Hook[]): Route[] {
  const path = "/rest/webhooks/1.0/webhook";
  const administer = (actor: JiraUser): void => {
    if (!actor.admin) throw new Refusal(403, "You are not authorized to administer web hooks.");
  };
  const hookOf = (id: string | undefined): Hook => {
    const hook = hooks.find((one) => String(one.id) === id);
    if (hook === undefined) throw new Refusal(404, "The web hook does not exist.");
    return hook;
  };
  const hookFrom = (body: Record<string, unknown>, id: number, secret: string | null): Hook => {
    const { name, url, events } = body;
    if (typeof name !== "string" || name === "")
      throw new Refusal(400, "", { errors: { name: "The name is required." } });
    if (typeof url !== "string" || !URL.canParse(url)) throw new Refusal(400, "", { errors: { url: "Invalid URL." } });
    return {
      id,
      name,
      url,
      events: Array.isArray(events) ? events.map(String) : [],
      filter: String(objectIn(body, "filters")["issue-related-events-section"] ?? ""),
      secret: typeof body.secret === "string" && body.secret !== "" ? body.secret : secret,
    };
  };
  return [
    [
      "GET",
      path,
      door.forUser((_request, actor) => {
        administer(actor);
        return { status: 200, body: hooks.map((hook) => hookJson(world, hook)) };
      }),
    ],
    [
      "POST",
      path,
      door.forUser((request, actor) => {
        administer(actor);
        const hook = hookFrom(bodyOf(request), Math.max(0, ...hooks.map((one) => one.id)) + 1, null);
        hooks.push(hook);
        return { status: 201, body: hookJson(world, hook) };
      }),
    ],
    [
      "GET",
      `${path}/:id`,
      door.forUser(({ params }, actor) => {
        administer(actor);
        return { status: 200, body: hookJson(world, hookOf(params.id)) };
      }),
    ],
    [
      "PUT",
      `${path}/:id`,
      door.forUser((request, actor) => {
        administer(actor);
        const old = hookOf(request.params.id);
        const hook = hookFrom(bodyOf(request), old.id, old.secret);
        hooks[hooks.indexOf(old)] = hook;
        return { status: 200, body: hookJson(world, hook) };
      }),
    ],
    [
      "DELETE",
      `${path}/:id`,
      door.forUser(({ params }, actor) => {
        administer(actor);
        hooks.splice(hooks.indexOf(hookOf(params.id)), 1);
        return { status: 204 };
      }),
    ],
  ];
}

/** All other routes. `hooks` is changed when web hooks are registered or removed. */
export function siteRoutes(world: JiraWorld, door: Door, hooks: Hook[]): Route[] {
  return [
    [
      "GET",
      "/rest/api/3/serverInfo",
      door.forUser(() => ({
        status: 200,
        body: {
          baseUrl: world.url,
          version: "1001.0.0-SNAPSHOT",
          versionNumbers: [1001, 0, 0],
          deploymentType: "Cloud",
          buildNumber: 100_290,
          serverTitle: "Jira",
        },
      })),
    ],
    [
      "GET",
      "/rest/api/3/field",
      door.forUser(() => ({
        status: 200,
        body: fields.map((id) => ({ id, key: id, name: id, custom: false, navigable: true, searchable: true })),
      })),
    ],
    ...peopleRoutes(world, door),
    ...projectRoutes(world, door),
    ...hookRoutes(world, door, hooks),
  ];
}

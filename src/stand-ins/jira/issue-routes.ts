/** REST routes of issues: create, read, edit, move, link, properties, search. */
import type { Route, StandInReply, StandInRequest } from "../server.ts";
import { createIssue, deleteIssue, editIssue, moveIssue, transitionsOf } from "./changes.ts";
import { putRemoteLink } from "./discussion.ts";
import { bodyOf, type Door, listIn, objectIn } from "./door.ts";
import { searchIssues } from "./jql.ts";
import { fieldsJson, historyJson, issueJson, remoteLinkJson, transitionJson } from "./shapes.ts";
import { type JiraIssue, type JiraWorld, Refusal } from "./world.ts";

/** `fields=a,b`, `*all`, `*navigable`, `-a`. */
function selectFields(all: Record<string, unknown>, wanted: readonly string[]): Record<string, unknown> {
  const named = wanted.filter((name) => !name.startsWith("-") && !name.startsWith("*"));
  const unwanted = new Set(wanted.filter((name) => name.startsWith("-")).map((name) => name.slice(1)));
  const everything = named.length === 0 || wanted.includes("*all") || wanted.includes("*navigable");
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => (everything || named.includes(name)) && !unwanted.has(name)),
  );
}

function search(world: JiraWorld, input: { jql: string; fields: string[]; token: string; max: number }): StandInReply {
  const found = searchIssues(world.issues.values(), input.jql, world.now());
  const from = input.token === "" ? 0 : Number(Buffer.from(input.token, "base64url").toString().replace("from:", ""));
  if (!Number.isInteger(from)) throw new Refusal(400, "The provided next page token is invalid or expired.");
  const max = Math.min(Math.max(1, input.max), 5000);
  const page = found.slice(from, from + max);
  const isLast = from + max >= found.length;
  const issues = page.map((issue) => {
    // Without `fields` this search answers ids only.
    if (input.fields.length === 0) return { id: issue.id };
    return issueJson(world, issue, selectFields(fieldsJson(world, issue), input.fields));
  });
  const nextPageToken = Buffer.from(`from:${from + max}`).toString("base64url");
  return { status: 200, body: { issues, isLast, ...(isLast ? {} : { nextPageToken }) } };
}

/** A page of at most 100, oldest first. */
function changelog(world: JiraWorld, issue: JiraIssue, query: URLSearchParams): StandInReply {
  const total = issue.history.length;
  const startAt = Math.max(0, Number(query.get("startAt") ?? 0));
  const maxResults = Math.min(100, Math.max(1, Number(query.get("maxResults") ?? 100)));
  const values = issue.history.slice(startAt, startAt + maxResults).map((entry) => historyJson(world, entry));
  const isLast = startAt + maxResults >= total;
  const self = `${world.url}/rest/api/3/issue/${issue.key}/changelog`;
  const nextPage = `${self}?startAt=${startAt + maxResults}&maxResults=${maxResults}`;
  return {
    status: 200,
    body: { self, ...(isLast ? {} : { nextPage }), maxResults, startAt, total, isLast, values },
  };
}

function create(world: JiraWorld, request: StandInRequest, actor: Parameters<typeof createIssue>[1]): StandInReply {
  const fields = objectIn(bodyOf(request), "fields");
  const project = objectIn(fields, "project");
  const issue = createIssue(world, actor, {
    project: String(project.key ?? project.id ?? ""),
    summary: fields.summary,
    type: String(objectIn(fields, "issuetype").name ?? "Task"),
    description: fields.description,
    labels: Array.isArray(fields.labels) ? fields.labels : [],
    assignee: fields.assignee,
  });
  return { status: 201, body: { id: issue.id, key: issue.key, self: `${world.url}/rest/api/3/issue/${issue.id}` } };
}

function propertyRoutes(door: Door): Route[] {
  const missing = (key: string): never => {
    throw new Refusal(404, `The property with key '${key}' does not exist.`);
  };
  const path = "/rest/api/3/issue/:key/properties";
  const found = (issue: JiraIssue, name: string): unknown =>
    issue.properties.has(name) ? issue.properties.get(name) : missing(name);
  return [
    [
      "GET",
      path,
      door.forIssue((_request, _actor, issue) => ({
        status: 200,
        body: { keys: [...issue.properties.keys()].map((key) => ({ key })) },
      })),
    ],
    [
      "GET",
      `${path}/:name`,
      door.forIssue(({ params }, _actor, issue) => ({
        status: 200,
        body: { key: params.name, value: found(issue, params.name ?? "") },
      })),
    ],
    [
      "PUT",
      `${path}/:name`,
      door.forIssue(({ params, body }, _actor, issue) => {
        const name = params.name ?? "";
        if (body === undefined) throw new Refusal(400, "The property value must be valid, non-empty JSON.");
        if (JSON.stringify(body).length > 32_768) throw new Refusal(400, "The property value is too long.");
        const isNew = !issue.properties.has(name);
        issue.properties.set(name, body);
        return { status: isNew ? 201 : 200, body: {} };
      }),
    ],
    [
      "DELETE",
      `${path}/:name`,
      door.forIssue(({ params }, _actor, issue) => {
        found(issue, params.name ?? "");
        issue.properties.delete(params.name ?? "");
        return { status: 204 };
      }),
    ],
  ];
}

function linkRoutes(world: JiraWorld, door: Door): Route[] {
  const path = "/rest/api/3/issue/:key/remotelink";
  return [
    [
      "GET",
      path,
      door.forIssue(({ query }, _actor, issue) => {
        const globalId = query.get("globalId");
        if (globalId === null) {
          return { status: 200, body: issue.remoteLinks.map((link) => remoteLinkJson(world, issue, link)) };
        }
        const link = issue.remoteLinks.find((one) => one.globalId === globalId);
        if (link === undefined) throw new Refusal(404, `No remote issue link with global ID '${globalId}' found.`);
        return { status: 200, body: remoteLinkJson(world, issue, link) };
      }),
    ],
    [
      "POST",
      path,
      door.forIssue((request, actor, issue) => {
        const { link, isNew } = putRemoteLink(world, actor, issue, bodyOf(request));
        const { id, self } = remoteLinkJson(world, issue, link);
        return { status: isNew ? 201 : 200, body: { id, self } };
      }),
    ],
  ];
}

/** All routes of issues but those of comments. */
export function issueRoutes(world: JiraWorld, door: Door): Route[] {
  const path = "/rest/api/3/issue/:key";
  return [
    ["POST", "/rest/api/3/issue", door.forUser((request, actor) => create(world, request, actor))],
    [
      "GET",
      path,
      door.forIssue(({ query }, _actor, issue) => ({
        status: 200,
        body: issueJson(world, issue, selectFields(fieldsJson(world, issue), listIn(query, "fields"))),
      })),
    ],
    [
      "PUT",
      path,
      door.forIssue((request, actor, issue) => {
        const body = bodyOf(request);
        editIssue(world, actor, issue, { fields: objectIn(body, "fields"), update: objectIn(body, "update") });
        return { status: 204 };
      }),
    ],
    [
      "DELETE",
      path,
      door.forIssue((_request, actor, issue) => {
        deleteIssue(world, actor, issue);
        return { status: 204 };
      }),
    ],
    ["GET", `${path}/changelog`, door.forIssue(({ query }, _actor, issue) => changelog(world, issue, query))],
    [
      "GET",
      `${path}/transitions`,
      door.forIssue(({ query }, _actor, issue) => {
        const withFields = listIn(query, "expand").includes("transitions.fields");
        const transitions = transitionsOf(issue).map((one) => transitionJson(world, issue, one, withFields));
        return { status: 200, body: { expand: "transitions", transitions } };
      }),
    ],
    [
      "POST",
      `${path}/transitions`,
      door.forIssue((request, actor, issue) => {
        const body = bodyOf(request);
        moveIssue(world, actor, issue, {
          transition: objectIn(body, "transition").id,
          fields: objectIn(body, "fields"),
        });
        return { status: 204 };
      }),
    ],
    ...linkRoutes(world, door),
    ...propertyRoutes(door),
    [
      "POST",
      "/rest/api/3/search/jql",
      door.forUser((request) => {
        const { jql, fields, nextPageToken, maxResults } = bodyOf(request);
        return search(world, {
          jql: String(jql ?? ""),
          fields: Array.isArray(fields) ? fields.map(String) : [],
          token: String(nextPageToken ?? ""),
          max: Number(maxResults ?? 50),
        });
      }),
    ],
    [
      "GET",
      "/rest/api/3/search/jql",
      door.forUser(({ query }) =>
        search(world, {
          jql: query.get("jql") ?? "",
          fields: listIn(query, "fields"),
          token: query.get("nextPageToken") ?? "",
          max: Number(query.get("maxResults") ?? 50),
        }),
      ),
    ],
  ];
}

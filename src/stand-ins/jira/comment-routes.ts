/** REST routes of comments and their properties. */
import type { Route, StandInRequest } from "../server.ts";
import { addComment, deleteComment, updateComment } from "./discussion.ts";
import { bodyOf, type Door, listIn } from "./door.ts";
import { commentJson } from "./shapes.ts";
import { type JiraComment, type JiraIssue, type JiraWorld, Refusal } from "./world.ts";

function notFound(id: string): never {
  throw new Refusal(404, `Can not find a comment for the id: ${id}.`);
}

function commentOf(issue: JiraIssue, id = ""): JiraComment {
  return issue.comments.find((comment) => comment.id === id) ?? notFound(id);
}

function anywhere(world: JiraWorld, id = ""): { issue: JiraIssue; comment: JiraComment } {
  for (const issue of world.issues.values()) {
    const comment = issue.comments.find((one) => one.id === id);
    if (comment !== undefined) return { issue, comment };
  }
  return notFound(id);
}

function wantsProperties(request: StandInRequest): { properties: boolean } {
  return { properties: listIn(request.query, "expand").includes("properties") };
}

function propertyRoutes(world: JiraWorld, door: Door): Route[] {
  const path = "/rest/api/3/comment/:id/properties";
  return [
    [
      "GET",
      path,
      door.forUser(({ params }) => {
        const { comment } = anywhere(world, params.id);
        return { status: 200, body: { keys: [...comment.properties.keys()].map((key) => ({ key })) } };
      }),
    ],
    [
      "GET",
      `${path}/:name`,
      door.forUser(({ params }) => {
        const { comment } = anywhere(world, params.id);
        const key = params.name ?? "";
        if (!comment.properties.has(key)) throw new Refusal(404, `The property with key '${key}' does not exist.`);
        return { status: 200, body: { key, value: comment.properties.get(key) } };
      }),
    ],
    [
      "PUT",
      `${path}/:name`,
      door.forUser(({ params, body }, actor) => {
        const { issue, comment } = anywhere(world, params.id);
        door.countWrite(issue);
        if (comment.author !== actor && !actor.admin) {
          throw new Refusal(403, "You do not have the permission to edit this comment.");
        }
        if (body === undefined) throw new Refusal(400, "The property value must be valid, non-empty JSON.");
        const isNew = !comment.properties.has(params.name ?? "");
        comment.properties.set(params.name ?? "", body);
        return { status: isNew ? 201 : 200, body: {} };
      }),
    ],
  ];
}

/** All routes of comments. */
export function commentRoutes(world: JiraWorld, door: Door): Route[] {
  const path = "/rest/api/3/issue/:key/comment";
  return [
    [
      "GET",
      path,
      door.forIssue((request, _actor, issue) => {
        const { query } = request;
        const orderBy = query.get("orderBy") ?? "created";
        if (!["created", "+created", "-created"].includes(orderBy)) {
          throw new Refusal(400, `Comments can not be ordered by '${orderBy}'.`);
        }
        const all = orderBy === "-created" ? issue.comments.toReversed() : issue.comments;
        const startAt = Number(query.get("startAt") ?? 0);
        const maxResults = Math.min(Number(query.get("maxResults") ?? 100), 5000);
        const comments = all
          .slice(startAt, startAt + maxResults)
          .map((comment) => commentJson(world, issue, comment, wantsProperties(request)));
        return { status: 200, body: { startAt, maxResults, total: all.length, comments } };
      }),
    ],
    [
      "POST",
      path,
      door.forIssue((request, actor, issue) => {
        const comment = addComment(world, actor, issue, bodyOf(request));
        return { status: 201, body: commentJson(world, issue, comment, wantsProperties(request)) };
      }),
    ],
    [
      "GET",
      `${path}/:id`,
      door.forIssue((request, _actor, issue) => {
        const comment = commentOf(issue, request.params.id);
        return { status: 200, body: commentJson(world, issue, comment, wantsProperties(request)) };
      }),
    ],
    [
      "PUT",
      `${path}/:id`,
      door.forIssue((request, actor, issue) => {
        const comment = commentOf(issue, request.params.id);
        updateComment(world, actor, issue, comment, bodyOf(request));
        return { status: 200, body: commentJson(world, issue, comment, wantsProperties(request)) };
      }),
    ],
    [
      "DELETE",
      `${path}/:id`,
      door.forIssue((request, actor, issue) => {
        deleteComment(world, actor, issue, commentOf(issue, request.params.id));
        return { status: 204 };
      }),
    ],
    ...propertyRoutes(world, door),
  ];
}

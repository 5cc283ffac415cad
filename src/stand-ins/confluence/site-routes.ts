/** The stand-in's spaces (API v2) and what is left of API v1. */
import type { Handler, Route } from "../server.ts";
import { searchPages } from "./search.ts";
import { webPath } from "./view.ts";
import { latest, type Wiki, WikiError } from "./wiki.ts";
import { type Body, type Context, listing, record, text, values } from "./wire.ts";

/** Spaces: API v2. */
export function spaceRoutes(wiki: Wiki, owner: string, { base }: Context): Route[] {
  const shape = ({ id, key, name, homepageId }: Wiki["spaces"][number]): Body => ({
    id,
    key,
    name,
    type: "global",
    status: "current",
    authorId: owner,
    createdAt: "2026-01-05T09:00:00.000Z",
    homepageId,
    _links: { webui: `/spaces/${key}` },
  });
  return [
    [
      "GET",
      "/wiki/api/v2/spaces",
      (request) => {
        const [keys, ids] = [values(request, "keys"), values(request, "ids")];
        const found = wiki.spaces.filter(
          ({ key, id }) => (keys.length === 0 || keys.includes(key)) && (ids.length === 0 || ids.includes(id)),
        );
        return listing(request, base(), found.map(shape));
      },
    ],
    [
      "GET",
      "/wiki/api/v2/spaces/:id",
      (request) => {
        const space = wiki.spaces.find(({ id }) => id === request.params.id);
        if (space === undefined) throw new WikiError(404, "NOT_FOUND", "Space not found");
        return { status: 200, body: { ...shape(space), _links: { webui: `/spaces/${space.key}`, base: base() } } };
      },
    ],
  ];
}

/** What only v1 has (labels, search, the current user), and what it has no longer. */
export function v1Routes(wiki: Wiki, { me, base }: Context): Route[] {
  const search: Handler = (request) => {
    const cql = request.query.get("cql") ?? "";
    const limit = Number(request.query.get("limit") ?? 25);
    const found = searchPages(wiki, cql);
    const results = found.slice(0, limit).map((page) => ({
      content: {
        id: page.id,
        type: "page",
        status: "current",
        title: latest(page).title,
        _links: { webui: webPath(wiki, page) },
      },
      title: latest(page).title,
      excerpt: "",
      url: webPath(wiki, page),
      breadcrumbs: [],
      entityType: "content",
      iconCssClass: "aui-icon content-type-page",
      lastModified: latest(page).createdAt,
      friendlyLastModified: "today",
      score: 0,
    }));
    const links = { base: base(), context: "/wiki" };
    const counts = { start: 0, limit, size: results.length, totalSize: found.length, searchDuration: 1 };
    return { status: 200, body: { results, ...counts, cqlQuery: cql, _links: links } };
  };
  const gone: Handler = () => ({
    status: 410,
    body: { statusCode: 410, message: "This deprecated endpoint has been removed." },
  });
  return [
    [
      "GET",
      "/wiki/rest/api/user/current",
      (request) => {
        const { accountId, displayName, email = "" } = me(request);
        const person = {
          type: "known",
          accountId,
          accountType: "atlassian",
          email,
          publicName: displayName,
          displayName,
        };
        return {
          status: 200,
          body: { ...person, timeZone: "Etc/UTC", isExternalCollaborator: false, _links: { base: base() } },
        };
      },
    ],
    ["GET", "/wiki/rest/api/search", search],
    ["GET", "/wiki/rest/api/content/search", gone],
    [
      "POST",
      "/wiki/rest/api/content/:id/label",
      (request) => {
        const given = Array.isArray(request.body) ? request.body : [request.body];
        const names = given.map((label) => text(record(label).name));
        const { labels } = wiki.addLabels(request.params.id ?? "", names);
        const results = labels.map((name, index) => ({ prefix: "global", name, id: String(index + 1), label: name }));
        return { status: 200, body: { results, start: 0, limit: 200, size: results.length, _links: { base: base() } } };
      },
    ],
    [
      "DELETE",
      "/wiki/rest/api/content/:id/label",
      (request) => {
        const { labels } = wiki.page(request.params.id ?? "");
        const at = labels.indexOf(request.query.get("name") ?? "");
        if (at < 0) throw new WikiError(404, "NOT_FOUND", "No such label");
        labels.splice(at, 1);
        return { status: 204 };
      },
    ],
    ["GET", "/wiki/rest/api/content", gone],
    ["POST", "/wiki/rest/api/content", gone],
    ["GET", "/wiki/rest/api/content/:id", gone],
    ["PUT", "/wiki/rest/api/content/:id", gone],
  ];
}

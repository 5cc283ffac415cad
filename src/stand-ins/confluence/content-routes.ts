/** API v2 of the stand-in: pages and what hangs on them. */
import type { Route, StandInReply, StandInRequest } from "../server.ts";
import { webPath } from "./view.ts";
import { latest, type PageProperty, type Wiki, type WikiPage } from "./wiki.ts";
import { type Body, bad, type Context, listing, record, storageOf, text, values } from "./wire.ts";

function sorted(pages: readonly WikiPage[], sort: string | null): WikiPage[] {
  const keys: Record<string, (page: WikiPage) => string | number> = {
    id: (page) => Number(page.id),
    "created-date": (page) => page.createdAt,
    "modified-date": (page) => latest(page).createdAt,
    title: (page) => latest(page).title,
  };
  const key = keys[(sort ?? "id").replace(/^-/, "")];
  if (key === undefined) throw bad(`Unsupported sort: ${sort}`);
  const ascending = [...pages].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  return sort?.startsWith("-") ? ascending.reverse() : ascending;
}

/** Pages, their children, labels and properties: API v2. */
export function contentRoutes(wiki: Wiki, { me, base }: Context): Route[] {
  const shape = (page: WikiPage, format: string | null): Body => {
    const { title, number, message, authorId, createdAt, body } = latest(page);
    return {
      id: page.id,
      status: page.status,
      title,
      spaceId: page.spaceId,
      parentId: page.parentId,
      parentType: page.parentId === null ? null : "page",
      position: null,
      authorId: page.authorId,
      ownerId: page.authorId,
      lastOwnerId: null,
      createdAt: page.createdAt,
      version: { number, message, minorEdit: false, authorId, createdAt },
      body: format === "storage" ? { storage: { representation: "storage", value: body } } : {},
      _links: {
        webui: webPath(wiki, page),
        editui: `/pages/resumedraft.action?draftId=${page.id}`,
        tinyui: `/x/${page.id}`,
      },
    };
  };
  const single = (page: WikiPage, format: string | null): StandInReply => {
    const body = shape(page, format);
    return { status: 200, body: { ...body, _links: { ...record(body._links), base: base() } } };
  };
  const property = ({ id, key, value, version }: PageProperty): Body => ({
    id,
    key,
    value,
    version: { number: version, message: "", minorEdit: false, createdAt: "2026-01-05T09:00:00.000Z" },
  });
  const one = (request: StandInRequest, name = "id"): string => request.params[name] ?? "";
  return [
    [
      "GET",
      "/wiki/api/v2/pages",
      (request) => {
        const [ids, spaces, title] = [values(request, "id"), values(request, "space-id"), request.query.get("title")];
        const statuses = request.query.has("status") ? values(request, "status") : ["current", "archived"];
        const found = wiki.pages.filter(
          (page) =>
            (ids.length === 0 || ids.includes(page.id)) &&
            (spaces.length === 0 || spaces.includes(page.spaceId)) &&
            (title === null || latest(page).title === title) &&
            statuses.includes(page.status),
        );
        const format = request.query.get("body-format");
        return listing(
          request,
          base(),
          sorted(found, request.query.get("sort")).map((page) => shape(page, format)),
        );
      },
    ],
    [
      "POST",
      "/wiki/api/v2/pages",
      (request) => {
        const body = record(request.body);
        if (!/^\d+$/.test(text(body.spaceId))) throw bad("spaceId must be a number as text");
        if (body.status !== undefined && body.status !== "current") throw bad("The stand-in knows no drafts");
        const page = wiki.createPage({
          spaceId: text(body.spaceId),
          ...(body.parentId === undefined ? {} : { parentId: String(body.parentId) }),
          authorId: me(request).accountId,
          title: text(body.title),
          body: storageOf(body.body),
        });
        return single(page, "storage");
      },
    ],
    [
      "GET",
      "/wiki/api/v2/pages/:id",
      (request) => single(wiki.page(one(request), { trashed: true }), request.query.get("body-format")),
    ],
    [
      "PUT",
      "/wiki/api/v2/pages/:id",
      (request) => {
        const body = record(request.body);
        const missing = ["id", "status", "title", "body", "version"].filter((name) => body[name] === undefined);
        if (missing.length > 0) throw bad(`Required fields are missing: ${missing.join(", ")}`);
        if (String(body.id) !== one(request)) throw bad("The id in the body differs from the id in the path");
        if (body.status !== "current") throw bad("The stand-in knows no drafts");
        const version = record(body.version);
        const page = wiki.updatePage({
          id: one(request),
          authorId: me(request).accountId,
          title: text(body.title),
          body: storageOf(body.body),
          number: Number(version.number),
          message: text(version.message),
        });
        return single(page, "storage");
      },
    ],
    [
      "DELETE",
      "/wiki/api/v2/pages/:id",
      (request) => {
        wiki.page(one(request)).status = "trashed";
        return { status: 204 };
      },
    ],
    [
      "GET",
      "/wiki/api/v2/pages/:id/children",
      (request) => {
        wiki.page(one(request));
        const children = wiki.pages.filter((page) => page.parentId === one(request) && page.status === "current");
        const shown = sorted(children, request.query.get("sort")).map((page) => ({
          id: page.id,
          status: page.status,
          title: latest(page).title,
          spaceId: page.spaceId,
          childPosition: null,
        }));
        return listing(request, base(), shown);
      },
    ],
    [
      "GET",
      "/wiki/api/v2/pages/:id/labels",
      (request) => {
        const labels = wiki
          .page(one(request))
          .labels.map((name, index) => ({ id: String(index + 1), name, prefix: "global" }));
        return listing(request, base(), labels);
      },
    ],
    [
      "GET",
      "/wiki/api/v2/pages/:id/properties",
      (request) => {
        const key = request.query.get("key");
        const found = wiki.page(one(request)).properties.filter((candidate) => key === null || candidate.key === key);
        return listing(request, base(), found.map(property));
      },
    ],
    [
      "POST",
      "/wiki/api/v2/pages/:id/properties",
      (request) => {
        const { key, value } = record(request.body);
        if (text(key) === "" || value === undefined) throw bad("key and value are required");
        return { status: 200, body: property(wiki.createProperty(one(request), text(key), value)) };
      },
    ],
    [
      "GET",
      "/wiki/api/v2/pages/:id/properties/:property",
      (request) => ({ status: 200, body: property(wiki.property(one(request), one(request, "property"))) }),
    ],
    [
      "PUT",
      "/wiki/api/v2/pages/:id/properties/:property",
      (request) => {
        const body = record(request.body);
        const number = Number(record(body.version).number);
        const input = { key: text(body.key), value: body.value, number };
        return { status: 200, body: property(wiki.updateProperty(one(request), one(request, "property"), input)) };
      },
    ],
    [
      "DELETE",
      "/wiki/api/v2/pages/:id/properties/:property",
      (request) => {
        const found = wiki.property(one(request), one(request, "property"));
        const { properties } = wiki.page(one(request));
        properties.splice(properties.indexOf(found), 1);
        return { status: 204 };
      },
    ],
  ];
}

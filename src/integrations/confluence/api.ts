/** The calls to Confluence Cloud that we need, each made once. What they throw is said in transport.ts. */
import { addLabelsToContent, getCurrentUser, searchByCQL } from "confluence.js/v1";
import {
  createPage,
  createPageProperty,
  getChildPages,
  getPageById,
  getPageContentProperties,
  getPageLabels,
  getPages,
  getSpaces,
  updatePage,
  updatePagePropertyById,
} from "confluence.js/v2";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import { type CloudOptions, createTransport } from "./transport.ts";

/** A page as the API knows it. */
export interface RemotePage {
  readonly id: string;
  readonly status: string;
  readonly title: string;
  readonly authorId: string;
  readonly version: number;
  readonly storage: string;
  readonly url: string;
}

export interface RemoteProperty {
  readonly id: string;
  readonly version: number;
  readonly value: unknown;
}

const Links = z.object({ base: z.string().optional(), webui: z.string().optional() }).default({});
const PageAnswer = z.object({
  id: z.string(),
  status: z.string().default("current"),
  title: z.string(),
  authorId: z.string().default(""),
  version: z.object({ number: z.number() }),
  body: z.object({ storage: z.object({ value: z.string() }).optional() }).nullish(),
  _links: Links,
});
const PagesAnswer = z.object({ results: z.array(PageAnswer), _links: Links });
const PropertyAnswer = z.object({ id: z.string(), value: z.unknown(), version: z.object({ number: z.number() }) });

/** The calls. Every one throws Retryable or Permanent; none is repeated here. */
export type ConfluenceApi = ReturnType<typeof createApi>;

export function createApi(options: CloudOptions) {
  const { client, site, call } = createTransport(options);

  function page(answer: z.infer<typeof PageAnswer>, base = answer._links.base ?? `${site}/wiki`): RemotePage {
    const { id, status, title, authorId, version, body, _links } = answer;
    const url = _links.webui === undefined ? `${base}/pages/viewpage.action?pageId=${id}` : `${base}${_links.webui}`;
    return { id, status, title, authorId, version: version.number, storage: body?.storage?.value ?? "", url };
  }

  async function pages(doing: string, parameters: Parameters<typeof getPages>[1]): Promise<RemotePage[]> {
    const query = { ...parameters, bodyFormat: "storage" };
    const answer = await call(doing, PagesAnswer, () => getPages(client, query));
    return answer.results.map((result) => page(result, result._links.base ?? answer._links.base));
  }

  const spaceIds = new Map<string, string>();

  return {
    /** Account that the token belongs to; null when Confluence answers as to a stranger. */
    async currentUser(): Promise<{ id: string; name: string } | null> {
      const schema = z.object({
        accountId: z.string().optional(),
        displayName: z.string().nullish(),
        publicName: z.string().nullish(),
      });
      const user = await call("read who we are", schema, () => getCurrentUser(client));
      if (user.accountId === undefined || user.accountId === "") return null;
      return { id: user.accountId, name: user.displayName ?? user.publicName ?? user.accountId };
    },

    /** Id of a space. Permanent when there is none that we may see. */
    async spaceId(key: string): Promise<string> {
      const known = spaceIds.get(key);
      if (known !== undefined) return known;
      const schema = z.object({ results: z.array(z.object({ id: z.string(), key: z.string() })) });
      const answer = await call(`look up space ${key}`, schema, () => getSpaces(client, { keys: [key] }));
      const id = answer.results.find((space) => space.key.toLowerCase() === key.toLowerCase())?.id;
      if (id === undefined) {
        throw new Permanent(
          `Confluence has no space ${key} that our account may see: check the space key in the config and the account's rights.`,
          {
            status: 404,
          },
        );
      }
      spaceIds.set(key, id);
      return id;
    },

    /** Current and archived pages with exactly this title. */
    pagesByTitle(spaceId: string, title: string): Promise<RemotePage[]> {
      return pages(`look for the page "${title}"`, { spaceId: [Number(spaceId)], title, limit: 25 });
    },

    newestPages(spaceId: string, limit: number): Promise<RemotePage[]> {
      return pages("list the newest pages", { spaceId: [Number(spaceId)], sort: "-created-date", limit });
    },

    /** At most 50 pages per call are asked for: bodies are large. Pages that are gone are left out. */
    async pagesById(ids: readonly string[]): Promise<RemotePage[]> {
      const found: RemotePage[] = [];
      for (let from = 0; from < ids.length; from += 50) {
        const part = ids.slice(from, from + 50).map(Number);
        found.push(...(await pages("read pages", { id: part, limit: 50 })));
      }
      return found;
    },

    /** Ids of the pages right under a page, those changed last first, at most 250. */
    async childIds(id: string): Promise<string[]> {
      const schema = z.object({ results: z.array(z.object({ id: z.string() })) });
      const query = { id: Number(id), limit: 250, sort: "-modified-date" };
      const answer = await call("list child pages", schema, () => getChildPages(client, query));
      return answer.results.map((child) => child.id);
    },

    async page(id: string): Promise<RemotePage> {
      const query = { id: Number(id), bodyFormat: "storage" };
      return page(await call(`read page ${id}`, PageAnswer, () => getPageById(client, query)));
    },

    async createPage(input: {
      spaceId: string;
      parentId: string | null;
      title: string;
      storage: string;
    }): Promise<RemotePage> {
      const { spaceId, parentId, title, storage } = input;
      const body = {
        spaceId,
        status: "current",
        title,
        ...(parentId === null ? {} : { parentId }),
        body: { representation: "storage", value: storage },
      };
      return page(await call(`create the page "${title}"`, PageAnswer, () => createPage(client, { body })));
    },

    /** Replaces title and body. `version` is the number that the page has now. */
    async updatePage(input: {
      id: string;
      version: number;
      title: string;
      storage: string;
      message: string;
    }): Promise<RemotePage> {
      const { id, version, title, storage, message } = input;
      const body = {
        id,
        status: "current",
        title,
        body: { representation: "storage", value: storage },
        version: { number: version + 1, message },
      };
      return page(await call(`update page ${id}`, PageAnswer, () => updatePage(client, { id: Number(id), body })));
    },

    async property(pageId: string, key: string): Promise<RemoteProperty | null> {
      const schema = z.object({ results: z.array(PropertyAnswer) });
      const query = { pageId: Number(pageId), key };
      const answer = await call(`read a property of page ${pageId}`, schema, () =>
        getPageContentProperties(client, query),
      );
      const [found] = answer.results;
      return found === undefined ? null : { id: found.id, version: found.version.number, value: found.value };
    },

    async createProperty(pageId: string, key: string, value: unknown): Promise<void> {
      const body = { pageId: Number(pageId), key, value };
      await call(`write a property of page ${pageId}`, PropertyAnswer, () => createPageProperty(client, body));
    },

    async updateProperty(pageId: string, key: string, property: RemoteProperty, value: unknown): Promise<void> {
      const version = { number: property.version + 1 };
      const body = { pageId: Number(pageId), propertyId: Number(property.id), key, value, version };
      await call(`write a property of page ${pageId}`, PropertyAnswer, () => updatePagePropertyById(client, body));
    },

    async labels(pageId: string): Promise<string[]> {
      const schema = z.object({ results: z.array(z.object({ name: z.string() })) });
      const answer = await call(`read the labels of page ${pageId}`, schema, () =>
        getPageLabels(client, { id: Number(pageId), limit: 250 }),
      );
      return answer.results.map((label) => label.name);
    },

    /** Adds labels; those that are there stay. Only v1 can. */
    async addLabels(pageId: string, names: readonly string[]): Promise<void> {
      const body = names.map((name) => ({ prefix: "global", name }));
      const schema = z.object({ results: z.array(z.unknown()) });
      await call(`label page ${pageId}`, schema, () => addLabelsToContent(client, { id: pageId, body }));
    },

    /** Ids of the pages that a CQL query finds. The index lags: never take it for proof that something is not there. */
    async search(cql: string, limit: number): Promise<string[]> {
      const schema = z.object({ results: z.array(z.object({ content: z.object({ id: z.string() }).optional() })) });
      const answer = await call("search", schema, () => searchByCQL(client, { cql, limit }));
      return answer.results.flatMap(({ content }) => (content === undefined ? [] : [content.id]));
    },
  };
}

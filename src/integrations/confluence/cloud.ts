/** Confluence Cloud behind our ports: pages are read as Markdown and written by marker. */
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, Retryable } from "../../domain/errors.ts";
import type { Actor } from "../../domain/event.ts";
import type { PageReader, PageWriter } from "../../domain/ports.ts";
import type { Page } from "../../domain/ticket.ts";
import type { Log } from "../../platform/log.ts";
import { type ConfluenceApi, createApi, type RemotePage } from "./api.ts";
import { findRenamed, ownKey, pickOwn, quote, Written } from "./find-own.ts";
import { digestOf, ownBlockIn, replaceOwnBlock, wrap } from "./own-block.ts";
import { storageToMarkdown } from "./read-storage.ts";
import { bodyToStorage } from "./storage.ts";
import { type CloudOptions, Unreadable } from "./transport.ts";

type PageInput = Parameters<PageWriter["ensurePage"]>[0];

/** One write under way: what is wanted, and the content as storage. */
interface Wanted extends PageInput {
  readonly spaceId: string;
  readonly content: string;
  readonly me: string;
}

const longestTitle = 255;

/** Titles to try in turn: the one asked for, then with the subject from the marker (`page:SHOP-1` gives `SHOP-1`). */
function titles({ title, marker }: PageInput): string[] {
  const subject = marker.slice(marker.indexOf(":") + 1);
  const suffixes = ["", ` (${subject})`, ...[2, 3, 4, 5].map((number) => ` (${subject} ${number})`)];
  return suffixes.map((suffix) => title.slice(0, longestTitle - suffix.length).trimEnd() + suffix);
}

/** Confluence says it in words only: 400 on create, 400 or 409 on update. */
function isTitleTaken(error: unknown): boolean {
  return error instanceof Permanent && /title/i.test(error.message) && /already exists/i.test(error.message);
}

/** A newer version came between: 409, on some sites 400 with "Version must be incremented". */
function isStale(error: unknown): boolean {
  if (!(error instanceof Permanent) || isTitleTaken(error)) return false;
  return error.status === 409 || (error.status === 400 && /version must be incremented/i.test(error.message));
}

/** Label names are lower case, without spaces and most punctuation. */
function labelName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s:;,.?&[\]()#^*@!]+/g, "-")
    .replace(/^-+|-+$/g, "");
}

function toPage(page: RemotePage): Page {
  return {
    id: page.id,
    url: page.url,
    title: page.title,
    version: page.version,
    body: storageToMarkdown(page.storage),
  };
}

function ensured(outcome: Ensured["outcome"], page: RemotePage): Ensured {
  return { outcome, ref: { id: page.id, url: page.url } };
}

/**
 * Labels and the property: neither makes a new version of the page. `ownTitle` is the title that we wrote last, whatever a person
 * made of it. Returns whether anything was missing.
 */
async function ensureMarks(api: ConfluenceApi, page: RemotePage, wanted: Wanted, ownTitle: string): Promise<boolean> {
  const present = await api.labels(page.id);
  const missing = [...new Set([ownKey, ...wanted.labels].map(labelName))].filter(
    (name) => name !== "" && !present.includes(name),
  );
  if (missing.length > 0) await api.addLabels(page.id, missing);
  const value: Written = {
    marker: wanted.marker,
    sha256: digestOf(wanted.content),
    title: ownTitle,
    wanted: wanted.title,
  };
  for (let attempt = 1; ; attempt += 1) {
    const property = await api.property(page.id, ownKey);
    const written = Written.safeParse(property?.value);
    const isSame =
      written.success && Object.entries(value).every(([key, text]) => written.data[key as keyof Written] === text);
    if (isSame) return missing.length > 0;
    try {
      if (property === null) await api.createProperty(page.id, ownKey, value);
      else await api.updateProperty(page.id, ownKey, property, value);
      return true;
    } catch (error) {
      // Somebody else wrote it in between (409, or 400 for a second property of the same key): read it again.
      const isRace = error instanceof Permanent && (error.status === 409 || error.status === 400);
      if (!isRace || attempt === 3) throw error;
    }
  }
}

/**
 * The title that the page should have, and the one of ours to remember. A person's title stays; ours follows what is wanted, but one
 * that was once taken (and got a suffix) is not tried again for the same wish.
 */
async function titleFor(api: ConfluenceApi, page: RemotePage, wanted: Wanted): Promise<{ title: string; own: string }> {
  const written = Written.safeParse((await api.property(page.id, ownKey))?.value);
  // Without a property the page comes from an attempt that ended early, and nobody can tell whose title it is.
  if (!written.success) return { title: page.title, own: page.title };
  // The property is written after the title: it may be one behind.
  if (page.title !== written.data.title && titles(wanted).includes(page.title))
    return { title: page.title, own: page.title };
  if (page.title !== written.data.title) return { title: page.title, own: written.data.title };
  const title = written.data.wanted === wanted.title ? page.title : wanted.title;
  return { title, own: title };
}

/** Brings our page up to date. A version conflict is answered by reading again, three times at most. */
async function update(api: ConfluenceApi, log: Log, found: RemotePage, wanted: Wanted): Promise<Ensured> {
  if (found.status !== "current") {
    throw new Permanent(
      `The page "${found.title}" (${found.url}) is ${found.status}: restore it in Confluence, or delete it for a new one.`,
    );
  }
  let page = found;
  let { title, own } = await titleFor(api, page, wanted);
  let taken = 0;
  for (let conflicts = 0; ; ) {
    const isCurrent = ownBlockIn(page.storage)?.digest === digestOf(wanted.content);
    if (isCurrent && page.title === title) {
      return ensured((await ensureMarks(api, page, wanted, own)) ? "updated" : "unchanged", page);
    }
    const next = isCurrent
      ? { storage: page.storage, lost: false }
      : replaceOwnBlock(page.storage, wanted.marker, wanted.content);
    if (next.lost) log.warn("The anchors of our part of a page are gone; it was put on top", { page: page.id });
    const { id, version } = page;
    try {
      const message = wanted.versionMessage;
      const updated = await api.updatePage({ id, version, title, storage: next.storage, message });
      await ensureMarks(api, updated, wanted, own);
      return ensured("updated", updated);
    } catch (error) {
      if (isTitleTaken(error)) {
        taken += 1;
        const other = titles(wanted)[taken];
        if (other === undefined) throw error;
        title = other;
        own = other;
      } else if (isStale(error)) {
        conflicts += 1;
        if (conflicts > 3)
          throw new Retryable(`Page ${id} is being edited by others; tried ${conflicts} times`, { cause: error });
        page = await api.page(id);
        ({ title, own } = await titleFor(api, page, wanted));
      } else throw error;
    }
  }
}

async function parentId(api: ConfluenceApi, wanted: Wanted): Promise<string | null> {
  if (wanted.parentTitle === null) return null;
  const [parent] = (await api.pagesByTitle(wanted.spaceId, wanted.parentTitle)).filter(
    ({ status }) => status === "current",
  );
  if (parent !== undefined) return parent.id;
  throw new Permanent(
    `Confluence space ${wanted.space} has no page titled "${wanted.parentTitle}" to put ours under: create it, or change the parent page in the config.`,
    { status: 404 },
  );
}

/** Makes the page under the first free title. When a title turns out to be held by our own page (a lost answer), that one is it. */
async function create(api: ConfluenceApi, log: Log, wanted: Wanted, parent: string | null): Promise<Ensured> {
  const storage = wrap(wanted.marker, wanted.content);
  for (const title of titles(wanted)) {
    const holders = await api.pagesByTitle(wanted.spaceId, title);
    const own = await pickOwn(api, holders, wanted.marker, wanted.me);
    if (own !== null) return update(api, log, own, wanted);
    if (holders.length > 0) continue;
    try {
      const page = await api.createPage({ spaceId: wanted.spaceId, parentId: parent, title, storage });
      await ensureMarks(api, page, wanted, title);
      return ensured("created", page);
    } catch (error) {
      if (!isTitleTaken(error) && !(error instanceof Unreadable)) throw error;
      const late = await pickOwn(api, await api.pagesByTitle(wanted.spaceId, title), wanted.marker, wanted.me);
      if (late !== null) {
        const { outcome, ref } = await update(api, log, late, wanted);
        return { outcome: error instanceof Unreadable ? "created" : outcome, ref };
      }
      if (error instanceof Unreadable) throw error;
    }
  }
  throw new Permanent(`Every title we tried for the page "${wanted.title}" is taken in space ${wanted.space}.`, {
    status: 400,
  });
}

/**
 * Confluence Cloud as reader and writer of pages. Needs an account that may read and write the spaces in use.
 * Every method throws Retryable (429 with the time asked for, 5xx, network, no answer in time) or Permanent (refusals, in Confluence's
 * own words). Throws UserError at once when the settings cannot work.
 */
export function createConfluenceCloud(
  options: CloudOptions & { readonly log: Log },
): PageReader & PageWriter & { whoAmI(): Promise<Actor> } {
  const api = createApi(options);
  const { log } = options;
  let account: Actor | undefined;

  async function whoAmI(): Promise<Actor> {
    const user = await api.currentUser();
    if (user === null) {
      throw new Permanent(
        "Confluence treats us as a stranger: CONFLUENCE_API_TOKEN has expired or belongs to nobody.",
        { status: 401 },
      );
    }
    account = user;
    return user;
  }

  const me = async (): Promise<string> => (account ?? (await whoAmI())).id;

  return {
    whoAmI,

    async findPage({ space, marker }) {
      const spaceId = await api.spaceId(space);
      const page = await findRenamed(api, { space, spaceId, parentId: null }, marker, await me());
      return page === null || page.status !== "current" ? null : toPage(page);
    },

    async searchPages({ space, text, limit }) {
      const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
      if (words.length === 0 || limit < 1) return [];
      // The last word may be unfinished. Words only: in `~`, CQL gives many signs a meaning.
      const cql = `space = ${quote(space)} AND type = page AND title ~ ${quote(`${words.join(" ")}*`)}`;
      const ids = await api.search(cql, limit);
      const pages = await api.pagesById(ids);
      return ids.flatMap((id) => pages.filter((page) => page.id === id).map(toPage)).slice(0, limit);
    },

    async ensurePage(input) {
      const spaceId = await api.spaceId(input.space);
      const wanted: Wanted = { ...input, spaceId, content: bodyToStorage(input.body), me: await me() };
      const titled = await pickOwn(api, await api.pagesByTitle(spaceId, input.title), input.marker, wanted.me);
      if (titled !== null) return update(api, log, titled, wanted);
      const parent = await parentId(api, wanted);
      const renamed = await findRenamed(
        api,
        { space: input.space, spaceId, parentId: parent },
        input.marker,
        wanted.me,
      );
      return renamed !== null ? update(api, log, renamed, wanted) : create(api, log, wanted, parent);
    },
  };
}

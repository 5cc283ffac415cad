/** The wiki behind the stand-in: spaces, pages with their versions, labels and properties. No HTTP here. */
import { asStored, storageProblem } from "./storage-format.ts";

export interface WikiUser {
  readonly accountId: string;
  readonly displayName: string;
  readonly email?: string;
  /** Present: the user may call the API with it. */
  readonly apiToken?: string;
}

export interface WikiSpace {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly homepageId: string;
}

export interface PageVersion {
  readonly number: number;
  readonly message: string;
  readonly authorId: string;
  readonly createdAt: string;
  readonly title: string;
  /** Storage format, as stored. */
  readonly body: string;
}

export interface PageProperty {
  readonly id: string;
  readonly key: string;
  value: unknown;
  version: number;
}

export interface WikiPage {
  readonly id: string;
  readonly spaceId: string;
  status: "current" | "archived" | "trashed";
  parentId: string | null;
  readonly authorId: string;
  readonly createdAt: string;
  readonly versions: PageVersion[];
  readonly labels: string[];
  readonly properties: PageProperty[];
  /** Whether search knows the page already. */
  indexed: boolean;
}

/** A refusal, with the status and the words that the API answers. */
export class WikiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The newest version of a page. */
export function latest(page: WikiPage): PageVersion {
  const version = page.versions.at(-1);
  if (version === undefined) throw new Error(`page ${page.id} has no version`);
  return version;
}

export class Wiki {
  readonly spaces: WikiSpace[] = [];
  readonly pages: WikiPage[] = [];
  /** False: pages created from now on are not found by search, as on a site whose index lags. */
  indexing = true;
  #lastId = 65_536;
  #lastMacro = 0;
  #clock = Date.UTC(2026, 0, 5, 9, 0, 0);

  constructor(spaces: readonly { key: string; name: string }[], owner: string) {
    for (const { key, name } of spaces) {
      const id = this.#nextId();
      const home = this.#insert({
        spaceId: id,
        parentId: null,
        authorId: owner,
        title: `${name} Home`,
        body: "<p></p>",
      });
      this.spaces.push({ id, key, name, homepageId: home.id });
    }
  }

  #nextId(): string {
    this.#lastId += 7;
    return String(this.#lastId);
  }

  #now(): string {
    this.#clock += 1000;
    return new Date(this.#clock).toISOString();
  }

  #stored(body: string): string {
    return asStored(body, () => {
      this.#lastMacro += 1;
      return `00000000-0000-4000-8000-${String(this.#lastMacro).padStart(12, "0")}`;
    });
  }

  #insert(input: {
    spaceId: string;
    parentId: string | null;
    authorId: string;
    title: string;
    body: string;
  }): WikiPage {
    const { spaceId, parentId, authorId, title, body } = input;
    const createdAt = this.#now();
    const page: WikiPage = {
      id: this.#nextId(),
      spaceId,
      status: "current",
      parentId,
      authorId,
      createdAt,
      versions: [{ number: 1, message: "", authorId, createdAt, title, body: this.#stored(body) }],
      labels: [],
      properties: [],
      indexed: this.indexing,
    };
    this.pages.push(page);
    return page;
  }

  /** The page, trashed ones only when asked for. Throws WikiError 404. */
  page(id: string, options: { trashed?: boolean } = {}): WikiPage {
    const page = this.pages.find((candidate) => candidate.id === id);
    if (page === undefined || (page.status === "trashed" && options.trashed !== true)) {
      throw new WikiError(404, "NOT_FOUND", `No content found with id: ContentId{id=${id}}`);
    }
    return page;
  }

  /** Titles are unique per space whatever their case; archived pages keep theirs, trashed ones do not. */
  #refuseTakenTitle(spaceId: string, title: string, except?: WikiPage): void {
    const taken = this.pages.some(
      (page) =>
        page !== except &&
        page.spaceId === spaceId &&
        page.status !== "trashed" &&
        latest(page).title.toLowerCase() === title.toLowerCase(),
    );
    if (taken) {
      const words = "A page with this title already exists: A page already exists with the same TITLE in this space";
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", words);
    }
  }

  #refuseBadContent(title: string, body: string): void {
    if (title.trim() === "" || title.length > 255) {
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", "A page title must have 1 to 255 characters");
    }
    const problem = storageProblem(body);
    if (problem !== null) throw new WikiError(400, "INVALID_REQUEST_PARAMETER", problem);
  }

  /** Creates a page under the given parent or the space's home page. Throws WikiError 400 or 404. */
  createPage(input: { spaceId: string; parentId?: string; authorId: string; title: string; body: string }): WikiPage {
    const space = this.spaces.find(({ id }) => id === input.spaceId);
    if (space === undefined) throw new WikiError(404, "NOT_FOUND", `Space with id ${input.spaceId} does not exist`);
    const parentId = input.parentId ?? space.homepageId;
    if (this.page(parentId).spaceId !== space.id) {
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", "The parent page is in another space");
    }
    this.#refuseBadContent(input.title, input.body);
    this.#refuseTakenTitle(space.id, input.title);
    return this.#insert({ ...input, parentId });
  }

  /** Adds a version. Throws WikiError 400, 404, or 409 unless `number` is the current one plus one. */
  updatePage(input: {
    id: string;
    authorId: string;
    title: string;
    body: string;
    number: number;
    message: string;
  }): WikiPage {
    const page = this.page(input.id);
    if (page.status === "archived")
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", "Archived content cannot be edited");
    const current = latest(page).number;
    if (input.number !== current + 1) {
      const words = `Version must be incremented when updating a page. Current Version: [${current}]. Provided version: [${input.number}]`;
      throw new WikiError(409, "CONFLICT", words);
    }
    this.#refuseBadContent(input.title, input.body);
    this.#refuseTakenTitle(page.spaceId, input.title, page);
    const { number, message, authorId, title } = input;
    page.versions.push({ number, message, authorId, createdAt: this.#now(), title, body: this.#stored(input.body) });
    return page;
  }

  /** A person changes a page in the browser: whatever is not given stays. */
  editAs(authorId: string, id: string, change: { title?: string; body?: string }): WikiPage {
    const { number, title, body } = latest(this.page(id));
    return this.updatePage({ id, authorId, title, body, ...change, number: number + 1, message: "" });
  }

  addLabels(id: string, names: readonly string[]): WikiPage {
    const page = this.page(id);
    for (const name of names) {
      if (name === "" || name.length > 255 || /[\s:;,.?&[\]()#^*@!]/.test(name)) {
        throw new WikiError(400, "BAD_REQUEST", `The following are invalid labels: ${name}`);
      }
    }
    for (const name of names) if (!page.labels.includes(name.toLowerCase())) page.labels.push(name.toLowerCase());
    return page;
  }

  createProperty(id: string, key: string, value: unknown): PageProperty {
    const page = this.page(id);
    if (page.properties.some((property) => property.key === key)) {
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", `A property with the key ${key} already exists`);
    }
    const property: PageProperty = { id: this.#nextId(), key, value, version: 1 };
    page.properties.push(property);
    return property;
  }

  property(id: string, propertyId: string): PageProperty {
    const property = this.page(id).properties.find((candidate) => candidate.id === propertyId);
    if (property === undefined) throw new WikiError(404, "NOT_FOUND", `No property with id ${propertyId}`);
    return property;
  }

  updateProperty(id: string, propertyId: string, input: { key: string; value: unknown; number: number }): PageProperty {
    const property = this.property(id, propertyId);
    if (input.key !== property.key)
      throw new WikiError(400, "INVALID_REQUEST_PARAMETER", "The key of a property cannot change");
    if (input.number !== property.version + 1) {
      throw new WikiError(409, "CONFLICT", `Version must be incremented. Current version: ${property.version}`);
    }
    property.value = input.value;
    property.version = input.number;
    return property;
  }
}

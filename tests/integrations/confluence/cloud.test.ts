import { get } from "node:http";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Permanent, Retryable, UserError } from "../../../src/domain/errors.ts";
import { createConfluenceCloud } from "../../../src/integrations/confluence/cloud.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import { type ConfluenceStandIn, startConfluence } from "../../../src/stand-ins/confluence/start.ts";
import { latest, type WikiPage } from "../../../src/stand-ins/confluence/wiki.ts";
import type { Fault, StandInRequest } from "../../../src/stand-ins/server.ts";

const bot = { email: "bot@acme.example", apiToken: "confluence-token", accountId: "712020:bot" };
const mia = { accountId: "557058:mia", displayName: "Mia Example" };

let site: ConfluenceStandIn;
let confluence: ReturnType<typeof createConfluenceCloud>;

beforeEach(async () => {
  site = await startConfluence({
    spaces: [
      { key: "SHOP", name: "Shop" },
      { key: "DOCS", name: "Docs" },
    ],
    users: [mia],
    bot,
  });
  confluence = connect();
});

afterEach(async () => {
  expect(site.unknown).toEqual([]);
  await site.close();
});

function connect(changes: { apiToken?: string; timeoutMs?: number; baseUrl?: string } = {}) {
  return createConfluenceCloud({
    baseUrl: site.url,
    email: bot.email,
    apiToken: bot.apiToken,
    log: silentLog,
    ...changes,
  });
}

function input(
  changes: { body?: string; title?: string; parentTitle?: string | null; labels?: string[]; marker?: string } = {},
) {
  return {
    space: "SHOP",
    parentTitle: changes.parentTitle ?? null,
    marker: changes.marker ?? "page:SHOP-1",
    title: changes.title ?? "Cart totals",
    body: parseMarkdown(changes.body ?? "The cart adds up."),
    labels: changes.labels ?? ["shop"],
    versionMessage: "SHOP-1 done",
  };
}

/** Pages of a space apart from its home page. */
function pages(): WikiPage[] {
  const homes = site.wiki.spaces.map((space) => space.homepageId);
  return site.wiki.pages.filter((page) => !homes.includes(page.id) && page.status !== "trashed");
}

function only(): WikiPage {
  const [page, ...more] = pages();
  if (page === undefined || more.length > 0)
    throw new Error(`expected one page, found ${more.length + Number(page !== undefined)}`);
  return page;
}

const storage = (page: WikiPage): string => latest(page).body;
const person = (title: string, body = "<p>mine</p>"): WikiPage =>
  site.wiki.createPage({ spaceId: site.wiki.spaces[0]?.id ?? "", authorId: mia.accountId, title, body });

/** Makes the first request that fits fail. */
function failOnce(method: string, path: RegExp, fault: Fault): void {
  let struck = false;
  site.fault = (request: StandInRequest) => {
    if (struck || request.method !== method || !path.test(request.path)) return undefined;
    struck = true;
    return fault;
  };
}

const writes = (): string[] =>
  site.requests.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);

describe("a page is published", () => {
  it("once, with property, labels and an address", async () => {
    const { outcome, ref } = await confluence.ensurePage(input());
    const page = only();
    expect(outcome).toBe("created");
    expect(ref).toEqual({ id: page.id, url: `${site.url}/wiki/spaces/SHOP/pages/${page.id}/Cart+totals` });
    expect(page.labels).toEqual(["ticketsmith", "shop"]);
    expect(page.properties).toMatchObject([
      { key: "ticketsmith", value: { marker: "page:SHOP-1", title: "Cart totals" } },
    ]);
    expect(storage(page)).toContain("<p>The cart adds up.</p>");
    expect((await fetchText(ref.url)).toString()).toContain("The cart adds up.");
  });

  it("and left alone when nothing changed", async () => {
    const first = await confluence.ensurePage(input());
    site.requests.length = 0;
    expect(await confluence.ensurePage(input())).toEqual({ outcome: "unchanged", ref: first.ref });
    expect(writes()).toEqual([]);
    expect(only().versions).toHaveLength(1);
  });

  it("and updated in place", async () => {
    const first = await confluence.ensurePage(input());
    expect(await connect().ensurePage(input({ body: "Now with **tax**.", labels: ["Tax Rules!"] }))).toEqual({
      outcome: "updated",
      ref: first.ref,
    });
    expect(storage(only())).toContain("Now with <strong>tax</strong>.");
    expect(storage(only())).not.toContain("adds up");
    expect(latest(only())).toMatchObject({ number: 2, message: "SHOP-1 done", authorId: bot.accountId });
    expect(only().labels).toEqual(["ticketsmith", "shop", "tax-rules"]);
    expect((await confluence.ensurePage(input({ body: "Now with **tax**." }))).outcome).toBe("unchanged");
  });

  it("when only labels are missing, without a new version", async () => {
    await confluence.ensurePage(input());
    expect((await confluence.ensurePage(input({ labels: ["new"] }))).outcome).toBe("updated");
    expect(only().versions).toHaveLength(1);
  });

  it("under its parent", async () => {
    const parent = person("Releases");
    await confluence.ensurePage(input({ parentTitle: "Releases" }));
    expect(pages().find(({ id }) => id !== parent.id)?.parentId).toBe(parent.id);
  });

  it("not under a parent that is missing", async () => {
    const attempt = confluence.ensurePage(input({ parentTitle: "Releases" }));
    await expect(attempt).rejects.toThrow(/no page titled "Releases".*create it/);
    await expect(attempt).rejects.toBeInstanceOf(Permanent);
    expect(pages()).toEqual([]);
  });

  it("not in a space that is missing", async () => {
    await expect(confluence.ensurePage({ ...input(), space: "NOPE" })).rejects.toThrow(/no space NOPE/);
  });

  it("one per marker", async () => {
    await confluence.ensurePage(input());
    const other = await confluence.ensurePage(input({ marker: "page:SHOP-2" }));
    expect(other.outcome).toBe("created");
    expect(pages().map((page) => latest(page).title)).toEqual(["Cart totals", "Cart totals (SHOP-2)"]);
  });
});

async function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

describe("people's work is kept", () => {
  it("around our part", async () => {
    const { ref } = await confluence.ensurePage(input());
    site.wiki.editAs(mia.accountId, ref.id, { body: `<h2>Before</h2>${storage(only())}<p>After &nbsp; all</p>` });
    expect((await confluence.ensurePage(input())).outcome).toBe("unchanged");
    await confluence.ensurePage(input({ body: "Second" }));
    expect(storage(only())).toMatch(/^<h2>Before<\/h2>.*<p>Second<\/p>.*<p>After &nbsp; all<\/p>$/s);
    expect(storage(only())).not.toContain("adds up");
  });

  it("next to our anchors and inside layouts", async () => {
    const { ref } = await confluence.ensurePage(input());
    const typed = storage(only())
      .replace("<p><ac:structured-macro", "<p>Intro <ac:structured-macro")
      .replace(/<\/p>$/, " Outro</p>");
    const layout = `<ac:layout><ac:layout-section><ac:layout-cell>${typed}</ac:layout-cell></ac:layout-section></ac:layout>`;
    site.wiki.editAs(mia.accountId, ref.id, { body: layout });
    await confluence.ensurePage(input({ body: "Second" }));
    expect(storage(only())).toMatch(/^<ac:layout>.*Intro .*<p>Second<\/p>.* Outro<\/p>.*<\/ac:layout>$/s);
    expect(storage(only())).not.toContain("adds up");
  });

  it("even when our anchors are gone", async () => {
    const { ref } = await confluence.ensurePage(input());
    site.wiki.editAs(mia.accountId, ref.id, { body: "<p>All rewritten</p>" });
    await confluence.ensurePage(input({ body: "Second" }));
    expect(storage(only())).toMatch(/<p>Second<\/p>.*<p>All rewritten<\/p>$/s);
    await confluence.ensurePage(input({ body: "Third" }));
    expect(storage(only())).toMatch(/<p>Third<\/p>.*<p>All rewritten<\/p>$/s);
    expect(storage(only())).not.toContain("Second");
  });

  it("even when an anchor was torn out of place", async () => {
    const { ref } = await confluence.ensurePage(input());
    const [begin = "", end = ""] = storage(only()).split("<p>The cart adds up.</p>");
    site.wiki.editAs(mia.accountId, ref.id, {
      body: `<table><tbody><tr><td>${begin}</td><td>x</td></tr></tbody></table><p>y</p>${end}`,
    });
    await confluence.ensurePage(input({ body: "Second" }));
    expect(storage(only())).toMatch(/<p>Second<\/p>.*<td>x<\/td>.*<p>y<\/p>/s);
  });

  it("although a code block shows an anchor", async () => {
    const fake =
      '<ac:structured-macro ac:name="anchor"><ac:parameter ac:name="">ticketsmith.end.page%3ASHOP-1</ac:parameter></ac:structured-macro>';
    await confluence.ensurePage(input({ body: `\`\`\`\n${fake}\n\`\`\`\n\nend` }));
    await confluence.ensurePage(input({ body: "Second" }));
    expect(storage(only())).not.toContain("CDATA");
  });

  it("a title that a person gave stays, and the page is found", async () => {
    const { ref } = await confluence.ensurePage(input());
    site.wiki.editAs(mia.accountId, ref.id, { title: "How the cart adds up" });
    expect((await confluence.ensurePage(input())).outcome).toBe("unchanged");
    expect((await confluence.ensurePage(input({ body: "Second", title: "Cart sums" }))).ref.id).toBe(ref.id);
    expect(latest(only()).title).toBe("How the cart adds up");
  });

  it("but our own title follows", async () => {
    const { ref } = await confluence.ensurePage(input());
    expect(await confluence.ensurePage(input({ title: "Cart sums" }))).toMatchObject({
      outcome: "updated",
      ref: { id: ref.id },
    });
    expect(latest(only()).title).toBe("Cart sums");
    expect((await confluence.ensurePage(input({ title: "Cart sums" }))).outcome).toBe("unchanged");
  });

  it.each(["Cart totals", "CART TOTALS"])("a page titled %s that is somebody's own is not touched", async (title) => {
    const theirs = person(title);
    const { ref } = await confluence.ensurePage(input());
    expect(ref.id).not.toBe(theirs.id);
    expect(theirs.versions).toHaveLength(1);
    expect(latest(site.wiki.page(ref.id)).title).toBe("Cart totals (SHOP-1)");
    expect((await confluence.ensurePage(input())).outcome).toBe("unchanged");
  });

  it("nor is a copy of our page", async () => {
    const { ref } = await confluence.ensurePage(input());
    const copy = person("Cart totals copy", storage(only()));
    site.wiki.createProperty(copy.id, "ticketsmith", { marker: "page:SHOP-1", sha256: "x", title: "x", wanted: "x" });
    site.wiki.editAs(mia.accountId, ref.id, { title: "Renamed" });
    expect((await confluence.ensurePage(input({ body: "Second" }))).ref.id).toBe(ref.id);
    expect(copy.versions).toHaveLength(1);
  });

  it("a title taken since gives ours a suffix on update", async () => {
    const { ref } = await confluence.ensurePage(input());
    person("cart sums");
    await confluence.ensurePage(input({ title: "Cart sums" }));
    expect(latest(site.wiki.page(ref.id)).title).toBe("Cart sums (SHOP-1)");
    expect((await confluence.ensurePage(input({ title: "Cart sums" }))).outcome).toBe("unchanged");
  });

  it("an archived page is not replaced behind somebody's back", async () => {
    const { ref } = await confluence.ensurePage(input());
    site.wiki.page(ref.id).status = "archived";
    await expect(confluence.ensurePage(input({ body: "Second" }))).rejects.toThrow(/is archived: restore it/);
  });

  it("a deleted page is made anew", async () => {
    const { ref } = await confluence.ensurePage(input());
    site.wiki.page(ref.id).status = "trashed";
    expect((await confluence.ensurePage(input())).outcome).toBe("created");
  });
});

describe("lost answers and broken attempts leave one page", () => {
  const create = /\/api\/v2\/pages$/;
  it.each<[string, string, RegExp, Fault]>([
    [
      "500 before the page is made",
      "POST",
      create,
      { when: "before", answer: { status: 500, body: { message: "oops" } } },
    ],
    [
      "500 after the page is made",
      "POST",
      create,
      { when: "after", answer: { status: 500, body: { message: "oops" } } },
    ],
    ["a reset after the page is made", "POST", create, { when: "after", reset: true }],
    ["a reset before the page is made", "POST", create, { when: "before", reset: true }],
    ["a failure before the labels", "POST", /label$/, { when: "before", answer: { status: 503, body: "" } }],
    ["a failure after the labels", "POST", /label$/, { when: "after", answer: { status: 502, body: "" } }],
    ["a failure before the property", "POST", /properties$/, { when: "before", answer: { status: 500, body: "" } }],
    ["a failure after the property", "POST", /properties$/, { when: "after", reset: true }],
    [
      "a rate limit",
      "POST",
      create,
      { when: "before", answer: { status: 429, headers: { "retry-after": "7" }, body: "" } },
    ],
  ])("%s", async (_name, method, path, fault) => {
    site.wiki.indexing = false;
    failOnce(method, path, fault);
    await expect(confluence.ensurePage(input())).rejects.toBeInstanceOf(Retryable);
    site.fault = () => undefined;
    await connect().ensurePage(input());
    const page = only();
    expect(page.versions).toHaveLength(1);
    expect(page.labels).toEqual(["ticketsmith", "shop"]);
    expect(page.properties).toHaveLength(1);
    expect((await connect().ensurePage(input())).outcome).toBe("unchanged");
  });

  it("an answer that cannot be read, after the page was made", async () => {
    failOnce("POST", create, { when: "after", answer: { status: 200, body: { unexpected: true } } });
    expect((await confluence.ensurePage(input())).outcome).toBe("created");
    expect(only().properties).toHaveLength(1);
  });

  it("a lost answer to an update", async () => {
    await confluence.ensurePage(input());
    failOnce("PUT", /pages\/\d+$/, { when: "after", answer: { status: 502, body: "" } });
    await expect(confluence.ensurePage(input({ body: "Second" }))).rejects.toBeInstanceOf(Retryable);
    await confluence.ensurePage(input({ body: "Second" }));
    expect(only().versions).toHaveLength(2);
    expect((await confluence.ensurePage(input({ body: "Second" }))).outcome).toBe("unchanged");
  });

  it("a title whose property was not written any more, which still counts as ours", async () => {
    await confluence.ensurePage(input());
    failOnce("PUT", /properties/, { when: "before", reset: true });
    await expect(confluence.ensurePage(input({ title: "Cart sums" }))).rejects.toBeInstanceOf(Retryable);
    await confluence.ensurePage(input({ title: "Cart sums" }));
    await confluence.ensurePage(input({ title: "Cart products" }));
    expect(latest(only()).title).toBe("Cart products");
  });

  it("an attempt that ended before the property, the page renamed and not indexed since", async () => {
    site.wiki.indexing = false;
    failOnce("POST", /label$/, { when: "before", reset: true });
    await expect(confluence.ensurePage(input())).rejects.toBeInstanceOf(Retryable);
    site.wiki.editAs(mia.accountId, only().id, { title: "Renamed" });
    await connect().ensurePage(input());
    expect(only().properties).toHaveLength(1);
    expect(latest(only()).title).toBe("Renamed");
  });

  it("a call that takes too long", async () => {
    failOnce("POST", create, { delayMs: 300 });
    await expect(connect({ timeoutMs: 100 }).ensurePage(input())).rejects.toThrow(/did not answer within 100 ms/);
    await expect.poll(() => pages().length).toBe(1);
    await confluence.ensurePage(input());
    expect(only().properties).toHaveLength(1);
  });
});

describe("conflicts", () => {
  const conflict: Fault = {
    when: "before",
    answer: { status: 409, body: { errors: [{ status: 409, title: "Conflict" }] } },
  };
  it("are answered by reading again", async () => {
    const { ref } = await confluence.ensurePage(input());
    let edits = 0;
    site.fault = (request) => {
      if (request.method === "PUT" && request.path.endsWith(ref.id) && edits < 2) {
        edits += 1;
        site.wiki.editAs(mia.accountId, ref.id, { body: `${storage(only())}<p>edit ${edits}</p>` });
      }
      return undefined;
    };
    expect((await confluence.ensurePage(input({ body: "Second" }))).outcome).toBe("updated");
    expect(storage(only())).toMatch(/Second.*edit 1.*edit 2/s);
  });

  it("are given up for now after three", async () => {
    await confluence.ensurePage(input());
    site.requests.length = 0;
    site.fault = (request) => (request.method === "PUT" ? conflict : undefined);
    await expect(confluence.ensurePage(input({ body: "Second" }))).rejects.toBeInstanceOf(Retryable);
    expect(writes()).toHaveLength(4);
  });
});

describe("refusals", () => {
  it("say what Confluence said", async () => {
    failOnce("POST", /pages$/, {
      when: "before",
      answer: { status: 403, body: { errors: [{ status: 403, title: "No right to create here" }] } },
    });
    await expect(confluence.ensurePage(input())).rejects.toThrow(/No right to create here/);
  });
  it("of the token name the variables, and never the token", async () => {
    const error = await connect({ apiToken: "wrong-token-value" })
      .whoAmI()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Permanent);
    expect(String(error)).toContain("CONFLUENCE_API_TOKEN");
    expect(JSON.stringify(error) + String(error)).not.toContain("wrong-token-value");
  });
  it("carry the pause that was asked for", async () => {
    failOnce("GET", /current$/, { when: "before", answer: { status: 429, headers: { "retry-after": "7" }, body: "" } });
    await expect(confluence.whoAmI()).rejects.toMatchObject({ name: "Retryable", afterMs: 7000 });
  });
  it("of strangers are noticed", async () => {
    failOnce("GET", /current$/, {
      when: "before",
      answer: { status: 200, body: { type: "anonymous", displayName: "Anonymous" } },
    });
    await expect(confluence.whoAmI()).rejects.toThrow(/stranger/);
  });
  it("of settings come at once", () => {
    expect(() =>
      createConfluenceCloud({ baseUrl: "nowhere", email: bot.email, apiToken: "x", log: silentLog }),
    ).toThrow(UserError);
    expect(() => createConfluenceCloud({ baseUrl: site.url, email: "nobody", apiToken: "x", log: silentLog })).toThrow(
      /CONFLUENCE_EMAIL/,
    );
  });
});

describe("reading", () => {
  it("says who we are", async () => {
    expect(await confluence.whoAmI()).toEqual({ id: bot.accountId, name: "Ticketsmith" });
  });
  it("takes the site with or without /wiki", async () => {
    expect(await connect({ baseUrl: `${site.url}/wiki/` }).whoAmI()).toEqual({
      id: bot.accountId,
      name: "Ticketsmith",
    });
  });
  it("finds our page by its marker", async () => {
    expect(await confluence.findPage({ space: "SHOP", marker: "page:SHOP-1" })).toBeNull();
    const { ref } = await confluence.ensurePage(input({ body: "# Cart\n\nadds up" }));
    expect(await confluence.findPage({ space: "SHOP", marker: "page:SHOP-1" })).toEqual({
      id: ref.id,
      url: ref.url,
      title: "Cart totals",
      version: 1,
      body: "# Cart\n\nadds up",
    });
    expect(await confluence.findPage({ space: "DOCS", marker: "page:SHOP-1" })).toBeNull();
  });
  it("searches titles of one space", async () => {
    person("Cart rules", "<p>Sum &uuml;ber all</p>");
    person("Checkout");
    const found = await confluence.searchPages({ space: "SHOP", text: 'the "cart', limit: 5 });
    expect(found).toEqual([]);
    expect(await confluence.searchPages({ space: "SHOP", text: "car", limit: 5 })).toMatchObject([
      { title: "Cart rules", body: "Sum über all" },
    ]);
    expect(await confluence.searchPages({ space: "DOCS", text: "cart", limit: 5 })).toEqual([]);
    expect(await confluence.searchPages({ space: "SHOP", text: '" OR space = "DOCS', limit: 5 })).toEqual([]);
  });
});

describe("a site behind a gateway", () => {
  it("is called under its path", async () => {
    const gateway = nock("https://api.atlassian.example")
      .get("/ex/confluence/42/wiki/rest/api/user/current")
      .basicAuth({ user: bot.email, pass: bot.apiToken })
      .reply(200, { type: "known", accountId: "712020:bot", publicName: "Bot" });
    const found = await connect({ baseUrl: "https://api.atlassian.example/ex/confluence/42/wiki" }).whoAmI();
    expect(found).toEqual({ id: "712020:bot", name: "Bot" });
    gateway.done();
  });
});

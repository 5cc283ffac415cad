import { request as httpRequest } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfluenceStandIn, startConfluence } from "../../../src/stand-ins/confluence/start.ts";
import { storageProblem } from "../../../src/stand-ins/confluence/storage-format.ts";

const bot = { email: "bot@acme.example", apiToken: "token-of-the-bot", accountId: "712020:bot" };
const login = `Basic ${Buffer.from(`${bot.email}:${bot.apiToken}`).toString("base64")}`;

let site: ConfluenceStandIn;
beforeEach(async () => {
  site = await startConfluence({
    spaces: [{ key: "SHOP", name: "Shop" }],
    users: [{ accountId: "m", displayName: "Mia" }],
    bot,
  });
});
afterEach(() => site.close());

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  body: { [name: string]: unknown } & { results?: { [name: string]: unknown }[] };
}

function call(method: string, path: string, body?: unknown, authorization: string = login): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${site.url}/wiki${path}`, { method, headers: { authorization } }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("end", () => {
        const isJson = response.headers["content-type"] === "application/json";
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: isJson ? JSON.parse(text) : {},
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const spaceId = (): string => site.wiki.spaces[0]?.id ?? "";
const draft = (title: string, value = "<p>x</p>") => ({
  spaceId: spaceId(),
  status: "current",
  title,
  body: { representation: "storage", value },
});
const id = (answer: Answer): string => String(answer.body.id);

describe("pages", () => {
  it("are created, read, updated and deleted", async () => {
    const made = await call("POST", "/api/v2/pages", draft("One"));
    expect(made).toMatchObject({
      status: 200,
      body: { title: "One", spaceId: spaceId(), authorId: bot.accountId, version: { number: 1 } },
    });
    const update = {
      id: id(made),
      status: "current",
      title: "Two",
      body: { storage: { representation: "storage", value: "<p>y</p>" } },
      version: { number: 2, message: "why" },
    };
    expect(await call("PUT", `/api/v2/pages/${id(made)}`, update)).toMatchObject({
      status: 200,
      body: { title: "Two", version: { number: 2, message: "why" } },
    });
    const read = await call("GET", `/api/v2/pages/${id(made)}?body-format=storage`);
    expect(read.body).toMatchObject({
      body: { storage: { representation: "storage", value: "<p>y</p>" } },
      _links: { base: `${site.url}/wiki` },
    });
    expect((await call("DELETE", `/api/v2/pages/${id(made)}`)).status).toBe(204);
    expect((await call("GET", `/api/v2/pages?space-id=${spaceId()}&title=Two`)).body.results).toEqual([]);
  });

  it("are listed with cursors", async () => {
    for (const title of ["A", "B", "C"]) await call("POST", "/api/v2/pages", draft(title));
    const seen: unknown[] = [];
    let path = `/api/v2/pages?space-id=${spaceId()}&limit=2&sort=-created-date`;
    for (let turn = 0; turn < 5 && path !== ""; turn += 1) {
      const { body } = await call("GET", path);
      seen.push(...(body.results ?? []).map(({ title }) => title));
      const { next } = body._links as { next?: string };
      path = next?.replace("/wiki", "") ?? "";
    }
    expect(seen).toEqual(["C", "B", "A", "Shop Home"]);
  });

  it.each<[string, number, (made: Answer) => Promise<Answer>]>([
    ["a title that is taken, whatever its case", 400, () => call("POST", "/api/v2/pages", draft("oNE"))],
    ["a body that is not XML", 400, () => call("POST", "/api/v2/pages", draft("Two", "<p>"))],
    ["an unknown space", 404, () => call("POST", "/api/v2/pages", { ...draft("Two"), spaceId: "999" })],
    ["a space key for its id", 400, () => call("POST", "/api/v2/pages", { ...draft("Two"), spaceId: "SHOP" })],
    ["an unknown parent", 404, () => call("POST", "/api/v2/pages", { ...draft("Two"), parentId: "999" })],
    [
      "an update without version",
      400,
      (made) => call("PUT", `/api/v2/pages/${id(made)}`, { id: id(made), ...draft("Two") }),
    ],
    [
      "an update of an old version",
      409,
      (made) => call("PUT", `/api/v2/pages/${id(made)}`, { id: id(made), ...draft("Two"), version: { number: 1 } }),
    ],
    ["a page that is not there", 404, () => call("GET", "/api/v2/pages/999")],
    ["v1 content", 410, () => call("POST", "/rest/api/content", {})],
    ["a wrong login", 401, () => call("GET", "/api/v2/pages", undefined, "Basic eDp5")],
    [
      "an unusual label",
      400,
      (made) => call("POST", `/rest/api/content/${id(made)}/label`, [{ prefix: "global", name: "a b" }]),
    ],
    [
      "CQL beyond its means",
      400,
      () => call("GET", `/rest/api/search?cql=${encodeURIComponent("creator = currentUser()")}`),
    ],
  ])("refuse %s with %i", async (_name, status, attempt) => {
    const made = await call("POST", "/api/v2/pages", draft("One"));
    expect((await attempt(made)).status).toBe(status);
    expect(site.wiki.page(id(made)).versions).toHaveLength(1);
  });

  it("carry properties with versions", async () => {
    const page = id(await call("POST", "/api/v2/pages", draft("One")));
    const made = await call("POST", `/api/v2/pages/${page}/properties`, { key: "k", value: { a: 1 } });
    const path = `/api/v2/pages/${page}/properties/${id(made)}`;
    expect((await call("POST", `/api/v2/pages/${page}/properties`, { key: "k", value: 2 })).status).toBe(400);
    expect((await call("PUT", path, { key: "k", value: 2, version: { number: 1 } })).status).toBe(409);
    expect((await call("PUT", path, { key: "k", value: 2, version: { number: 2 } })).body).toMatchObject({
      value: 2,
      version: { number: 2 },
    });
    expect((await call("GET", `/api/v2/pages/${page}/properties?key=k`)).body.results).toHaveLength(1);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
  });

  it("carry labels and are found by them", async () => {
    const page = id(await call("POST", "/api/v2/pages", draft("Cart rules", "<p>tax and totals</p>")));
    await call("POST", `/rest/api/content/${page}/label`, [{ prefix: "global", name: "adr" }]);
    expect((await call("GET", `/api/v2/pages/${page}/labels`)).body.results).toMatchObject([
      { name: "adr", prefix: "global" },
    ]);
    const find = async (cql: string) =>
      (await call("GET", `/rest/api/search?cql=${encodeURIComponent(cql)}`)).body.results?.length;
    expect(await find('label = "adr"')).toBe(1);
    expect(await find('space = SHOP AND type = page AND title ~ "car*"')).toBe(1);
    expect(await find('text ~ "totals" and label = other')).toBe(0);
  });

  it("are shown to people", async () => {
    const macro =
      '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[a < b]]></ac:plain-text-body></ac:structured-macro>';
    const info =
      '<ac:structured-macro ac:name="info"><ac:rich-text-body><p>note &nbsp; well</p></ac:rich-text-body></ac:structured-macro>';
    const page = id(await call("POST", "/api/v2/pages", draft("<One>", macro + info)));
    const { text } = await call("GET", `/spaces/SHOP/pages/${page}`, undefined, "");
    expect(text).toContain("<code>a &#60; b</code>");
    expect(text).toContain('<div class="panel info">');
    expect(text).toContain("<h1>&#60;One&#62;</h1>");
    expect((await call("GET", "", undefined, "")).text).toContain(`/pages/${page}`);
  });
});

describe("storage format", () => {
  it.each([
    ["<p>a &amp; b &nbsp; <br/></p>", true],
    ["<p>a & b</p>", false],
    ["<p>&bogus;</p>", false],
    ["<p>", false],
    ["<p></b>", false],
    ["<script>x</script>", false],
    ['<p onclick="x">x</p>', false],
    ['<a href="javascript:x">x</a>', false],
    ['<ac:structured-macro ac:name="html"></ac:structured-macro>', false],
    ['<ac:structured-macro ac:name="toc"/>', true],
    ["<p><![CDATA[ <raw> & ]]></p>", true],
    ["<p>]]></p>", false],
    ["<p>\u0001</p>", false],
  ])("%j is fine: %s", (storage, fine) => {
    expect(storageProblem(storage) === null).toBe(fine);
  });
});

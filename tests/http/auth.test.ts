import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localPath } from "../../src/http/auth.ts";
import { createHostRule } from "../../src/http/hosts.ts";
import { cookiesNamed, isSession, makeSession, sessionCookie } from "../../src/http/session.ts";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/queryable.ts";
import { findRun } from "../../src/store/runs.ts";
import { seedQueued } from "./seed.ts";
import { apiKey, startServer, type TestServer } from "./server.ts";

let database: Database;
let open: TestServer;
let locked: TestServer;

const publicUrl = "https://smith.example.com";

beforeAll(async () => {
  database = await openDatabase({ directory: ":memory:", log: silentLog });
  open = await startServer(database);
  locked = await startServer(database, {
    environment: { HOST: "127.0.0.1", PUBLIC_URL: publicUrl, TICKETSMITH_API_KEY: apiKey },
  });
  await seedQueued(database, "rstay", "SHOP-1");
});

afterAll(async () => {
  await Promise.all([open.close(), locked.close()]);
  await database.close();
});

const form = { "content-type": "application/x-www-form-urlencoded" };
const good = { cookie: `${sessionCookie}=${makeSession(Date.now() + 60_000, apiKey)}` };
const late = { cookie: `${sessionCookie}=${makeSession(Date.now() - 1, apiKey)}` };
const forged = { cookie: `${sessionCookie}=${makeSession(Date.now() + 60_000, "another key, as long as it")}` };

describe("with an API key", () => {
  const nothing = {};
  const bearer = { authorization: `Bearer ${apiKey}` };
  const wrong = { authorization: `Bearer ${apiKey}x` };
  test.each<[path: string, headers: Record<string, string>, status: number]>([
    ["/healthz", nothing, 200],
    ["/readyz", nothing, 200],
    ["/login", nothing, 200],
    ["/assets/app.css", nothing, 200],
    ["/", nothing, 303],
    ["/", bearer, 200],
    ["/", good, 200],
    ["/", late, 303],
    ["/runs/rstay", nothing, 303],
    ["/runs/rstay", good, 200],
    ["/nowhere", nothing, 303],
    ["/api/v1/runs", nothing, 401],
    ["/api/v1/runs", wrong, 401],
    ["/api/v1/runs", { authorization: apiKey }, 401],
    ["/api/v1/runs", { authorization: "Bearer " }, 401],
    ["/api/v1/runs", { authorization: `Basic ${Buffer.from(`x:${apiKey}`).toString("base64")}` }, 401],
    ["/api/v1/runs", { authorization: `bearer ${apiKey}` }, 200],
    ["/api/v1/runs", bearer, 200],
    ["/api/v1/runs", good, 200],
    ["/api/v1/runs", late, 401],
    ["/api/v1/runs", forged, 401],
    ["/api/v1/runs", { cookie: `${sessionCookie}=${apiKey}` }, 401],
    ["/API/v1/runs", nothing, 303],
    ["/api/v1/runs/rstay/events", nothing, 401],
    ["/api/v1/runs/rstay/transcript", nothing, 401],
    ["/api/v1/deliveries", nothing, 401],
    ["/api/openapi.json", nothing, 401],
    ["/api/nowhere", nothing, 401],
  ])("GET %s with %o is answered %i", async (path, headers, status) => {
    const answer = await locked.ask(path, { headers });
    expect(answer.status).toBe(status);
    if (status === 401) {
      expect(answer.headers["www-authenticate"]).toContain("Bearer");
      expect(JSON.parse(answer.text)).toMatchObject({ status: 401, title: "Unauthorized" });
    }
    if (status === 303) expect(answer.headers.location).toBe(`/login?next=${encodeURIComponent(path)}`);
  });

  test("nobody stops a run without it", async () => {
    for (const path of ["/api/v1/runs/rstay/cancel", "/runs/rstay/cancel"]) {
      expect([401, 303]).toContain((await locked.ask(path, { method: "POST" })).status);
    }
    expect((await findRun(database, "rstay"))?.state).toBe("queued");
  });

  test("doors stand before all of this", async () => {
    const answer = await locked.ask("/webhooks/jira", { method: "POST", headers: { host: "anything.example" } });
    expect(answer.status).toBe(202);
    expect(answer.headers["content-security-policy"]).toBeUndefined();
  });

  test("a person signs in with the key, goes on where they wanted to, and out again", async () => {
    const body = new URLSearchParams({ key: ` ${apiKey} `, next: "/runs/rstay" }).toString();
    const answer = await locked.ask("/login", { method: "POST", headers: form, body });
    expect([answer.status, answer.headers.location]).toEqual([303, "/runs/rstay"]);
    const cookie = answer.headers["set-cookie"]?.[0] ?? "";
    expect(cookie).toMatch(/; HttpOnly(;|$)/);
    expect(cookie).toMatch(/; Secure(;|$)/);
    expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
    expect(cookie).not.toContain(apiKey);
    const signedIn = { cookie: cookie.split(";")[0] ?? "" };
    expect((await locked.ask("/runs/rstay", { headers: signedIn })).text).toContain(">Sign out</button>");
    const out = await locked.ask("/logout", { method: "POST", headers: signedIn });
    expect(out.headers["set-cookie"]?.[0]).toMatch(new RegExp(`^${sessionCookie}=;.*Expires=Thu, 01 Jan 1970`));
  });

  test.each([
    ["a wrong key", new URLSearchParams({ key: "wrong" }).toString()],
    ["no key", ""],
    ["two keys", `key=${apiKey}&key=${apiKey}`],
  ])("%s signs nobody in", async (_what, body) => {
    const answer = await locked.ask("/login", { method: "POST", headers: form, body });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("That is not the key.");
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("an endless login form is not read", async () => {
    const body = `key=${"x".repeat(100_000)}`;
    expect((await locked.ask("/login", { method: "POST", headers: form, body })).status).toBe(413);
  });

  test("a link from Jira comes back from our own page, so that the strict cookie is sent", async () => {
    const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    const first = await locked.ask("/runs/rstay", { headers: { ...navigation, "sec-fetch-site": "cross-site" } });
    expect(first.status).toBe(200);
    expect(first.text).toContain('content="0;url=/runs/rstay"');
    const second = await locked.ask("/runs/rstay", { headers: { ...navigation, "sec-fetch-site": "same-origin" } });
    expect(second.status).toBe(303);
  });
});

describe("sessions", () => {
  const now = 1_800_000_000_000;
  const token = makeSession(now, apiKey);
  test.each([
    ["before it expires", token, now - 1, true],
    ["when it expires", token, now, false],
    ["with a later end written in", token.replace(/^\d+/, String(now + 1)), now, false],
    ["with something behind it", `${token}.x`, now - 1, false],
    ["without signature", String(now), now - 1, false],
    ["empty", "", 0, false],
  ])("%s", (_what, offered, at, valid) => {
    expect(isSession(offered, apiKey, at)).toBe(valid);
  });

  test("are found among other cookies", () => {
    expect(cookiesNamed("a", "b=1; a=2;a=3=4; aa=5; a")).toEqual(["2", "3=4", ""]);
    expect(cookiesNamed("a", undefined)).toEqual([]);
  });
});

describe("after the login", () => {
  test.each([
    ["/runs/r1?x=1#y", "/runs/r1?x=1"],
    ["runs", "/runs"],
    ["https://evil.example/", "/"],
    ["//evil.example/", "/"],
    ["/\\evil.example/", "/"],
    ["\t//evil.example", "/"],
    ["/.//evil.example", "/"],
    ["javascript:alert(1)", "/"],
    [["/a", "/b"], "/"],
    [undefined, "/"],
  ])("%o leads to %s", (next, path) => {
    expect(localPath(next)).toBe(path);
  });
});

describe("host names", () => {
  const rule = createHostRule({ HOST: "192.0.2.7", PUBLIC_URL: "https://smith.example.com:8443/x" });
  const everywhere = createHostRule({ HOST: "0.0.0.0" });
  const six = createHostRule({ HOST: "::" });
  test.each<[(header: string | undefined) => boolean, string | undefined, boolean]>([
    [rule, "localhost:3000", true],
    [rule, "LOCALHOST", true],
    [rule, "127.0.0.1:3000", true],
    [rule, "127.9.9.9", true],
    [rule, "[::1]:3000", true],
    [rule, "192.0.2.7:3000", true],
    [rule, "smith.example.com", true],
    [rule, "smith.example.com.:8443", true],
    [rule, "evil.example", false],
    [rule, "localhost.evil.example", false],
    [rule, "smith.example.com.evil.example", false],
    [rule, "127.0.0.1.evil.example", false],
    [rule, "192.0.2.8", false],
    [rule, "0.0.0.0", false],
    [rule, "evil.example@localhost", false],
    [rule, "localhost/evil", false],
    [rule, "", false],
    [rule, undefined, false],
    [everywhere, "10.1.2.3:3000", true],
    [everywhere, "[fd00::1]", true],
    [everywhere, "evil.example", false],
    [six, "10.1.2.3", true],
  ])("%o of %s: %s", (isOurs, header, expected) => {
    expect(isOurs(header)).toBe(expected);
  });

  test("that are not ours are answered 421", async () => {
    for (const path of ["/", "/api/v1/runs", "/healthz", "/login"]) {
      const { status, text } = await open.ask(path, { headers: { host: "rebound.example:3000" } });
      expect(status).toBe(421);
      expect(text).toContain("PUBLIC_URL");
    }
    expect((await locked.ask("/healthz", { headers: { host: "smith.example.com" } })).status).toBe(200);
  });
});

describe("requests that other sites make a browser send", () => {
  const simple = { "content-type": "text/plain" };
  const stop = "/runs/rstay/cancel";
  const api = "/api/v1/runs/rstay/cancel";
  test.each<[string, string, string, Record<string, string>]>([
    ["form of another site", "POST", stop, { ...form, origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["the same without fetch metadata", "POST", stop, { ...form, origin: "https://evil.example" }],
    [
      "fetch in no-cors mode",
      "POST",
      api,
      { ...simple, origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    ],
    ["sandboxed frame", "POST", stop, { ...form, origin: "null" }],
    ["sandboxed frame with fetch metadata", "POST", stop, { ...form, origin: "null", "sec-fetch-site": "cross-site" }],
    [
      "another port of this host",
      "POST",
      stop,
      { ...form, origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" },
    ],
    ["another port, no fetch metadata", "POST", api, { origin: "http://127.0.0.1:1" }],
    ["sibling domain", "POST", stop, { origin: "https://x.smith.example.com", host: "localhost" }],
    ["origin that is no address", "POST", stop, { origin: "evil" }],
    ["login of a stranger's account", "POST", "/login", { ...form, origin: "https://evil.example" }],
    ["script tag on the API", "GET", "/api/v1/runs", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ["event source", "GET", "/api/v1/runs/rstay/events", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" }],
    ["stylesheet", "GET", "/assets/app.css", { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }],
  ])("%s is refused", async (_what, method, path, headers) => {
    for (const server of [open, locked]) {
      const answer = await server.ask(path, { method, headers: server === locked ? { ...good, ...headers } : headers });
      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect((await findRun(database, "rstay"))?.state).toBe("queued");
  });

  test("preflights get no permission", async () => {
    const { headers } = await open.ask(api, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test.each<[string, (server: TestServer) => Record<string, string>]>([
    ["our page", (server) => ({ ...form, origin: server.url, "sec-fetch-site": "same-origin" })],
    ["our page on plain http", (server) => ({ ...form, origin: server.url })],
    ["our page behind a proxy that changes the host", () => ({ ...form, ...good, origin: publicUrl })],
    ["a program", () => ({})],
  ])("%s may", async (what, headersFor) => {
    const server = what.includes("proxy") ? locked : open;
    const { status } = await server.ask("/runs/rnone/cancel", { method: "POST", headers: headersFor(server) });
    expect(status).toBe(404);
  });
});

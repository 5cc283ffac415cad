import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { registerSecret } from "../../src/platform/redact.ts";
import { openDatabase } from "../../src/store/database.ts";
import { insertDeliveries } from "../../src/store/deliveries.ts";
import type { Database } from "../../src/store/queryable.ts";
import { findRun } from "../../src/store/runs.ts";
import { insertTurn, produceStep, startStep } from "../../src/store/steps.ts";
import { calm, hostile, lease, seedDeliveries, seedFinished, seedQueued } from "./seed.ts";
import { startServer, type TestServer } from "./server.ts";

const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&<% it.x %>`;

let database: Database;
let server: TestServer;
let empty: { runs: string };

beforeAll(async () => {
  database = await openDatabase({ directory: ":memory:", log: silentLog });
  server = await startServer(database);
  empty = { runs: (await server.ask("/")).text };
  await seedFinished(database, "rcalm", "SHOP-42", calm);
  await seedFinished(database, "revil", "SHOP-66", hostile(evil), "failed");
  await seedDeliveries(database, "plainly", "rcalm");
  await seedDeliveries(database, evil, "revil");
});

afterAll(async () => {
  await server.close();
  await database.close();
});

/** Everything that is not our own markup: no tag and no quote from outside may be among it. */
function expectHarmless(html: string): void {
  expect(html).not.toMatch(/<script(?! src="\/assets\/live\.js" defer>)/);
  expect(html).not.toMatch(/<img|<svg[^>]* on|\son\w+\s*=\s*['"]/i);
  expect(html).not.toMatch(/(?:href|src|action|content)="(?!\/|https?:\/\/|#|width=|light dark|0;url=\/)/);
  expect(html).not.toContain(" style=");
}

describe("the first page", () => {
  test("without runs says what to do next", () => {
    expect(empty.runs).toContain("Label a ticket with <code>ticketsmith</code>");
    expect(empty.runs).toContain("webhooks/jira/README.md");
  });

  test("lists runs with state, cost and links to Jira and to the run", async () => {
    const { status, text, headers } = await server.ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toContain("text/html");
    expect(text).toContain('<a class="key" href="/runs/rcalm">SHOP-42</a>');
    expect(text).toContain('href="https://acme.atlassian.net/browse/SHOP-42"');
    expect(text).toContain('<span class="pill good">done</span>');
    expect(text).toContain("$0.42");
  });

  test("shows how the systems outside stand, and why", async () => {
    const since = new Date(Date.now() - 3 * 3_600_000);
    const one = await startServer(database, {
      outside: async () => [
        { kind: "system", name: "Jira", host: "acme.atlassian.net", state: "closed", since: null, reason: "" },
        { kind: "system", name: "GitLab", host: "gitlab.acme.test", state: "open", since, reason: `503 ${evil}` },
        { kind: "webhook", name: "acme/shop", state: "off", since, foundAt: since },
      ],
    });
    const { text } = await one.ask("/");
    await one.close();
    expectHarmless(text);
    const section = /<section id="outside"[\s\S]*?<\/section>/.exec(text)?.[0] ?? "";
    expect(section).toContain("gitlab.acme.test");
    for (const word of ["answers", "does not answer", "switched off"]) expect(section).toContain(`>${word}</span>`);
    expect(section).toContain("press Test in the project&#39;s settings");
    expect(section).toContain("3 h ago");
    expect(empty.runs).not.toContain("Outside systems");
  });

  test("shows the inbox with a verdict for every delivery", async () => {
    const { text } = await server.ask("/");
    for (const word of ["handled", "ignored", "unsupported"]) expect(text).toContain(`>${word}</span>`);
    expect(text).toContain("nothing that starts a run plainly");
    expect(text).toContain('<a href="/runs/rcalm">rcalm</a>');
  });
});

describe("the page of a run", () => {
  test("tells what happened", async () => {
    const { status, text } = await server.ask("/runs/rcalm");
    expect(status).toBe(200);
    expect(text).toContain(`<h1>${calm.summary}</h1>`);
    for (const step of ["understand", "plan", "implement", "verify", "publish", "document"]) {
      expect(text).toContain(`<span class="name">${step}</span>`);
    }
    expect(text).toContain(`<a class="button" href="${calm.url}" rel="noreferrer">Merge request !7</a>`);
    expect(text).toContain('<span class="add">+    sum += item.price * quantity;');
    expect(text).toContain('<span class="plus">+3</span> <span class="minus">−1</span>');
    expect(text).toContain("Result of read_file");
    expect(text).toContain("Confluence said: ok 1 - counts quantities");
    expect(text).not.toContain(">Stop</button>");
    expect(text).not.toContain("data-events");
  });

  test("of a run under way listens from what it shows, and offers to stop it", async () => {
    await seedQueued(database, "rnext", "SHOP-7");
    const { text } = await server.ask("/runs/rnext");
    expect(text).toContain('data-events="/api/v1/runs/rnext/events?after=0"');
    expect(text).toContain('<form method="post" action="/runs/rnext/cancel"');
    const stopped = await server.ask("/runs/rnext/cancel", { method: "POST" });
    expect([stopped.status, stopped.headers.location]).toEqual([303, "/runs/rnext"]);
    expect(await findRun(database, "rnext")).toMatchObject({ state: "cancelled", reason: "stopped in the dashboard" });
    const again = await server.ask("/runs/rnext/cancel", { method: "POST" });
    expect(again.status).toBe(303);
  });

  test("is there too when outputs and transcripts have a shape of long ago", async () => {
    await seedQueued(database, "rold", "SHOP-8");
    await lease(database, "rold");
    for (const [name, output] of Object.entries({
      understand: "text",
      plan: null,
      implement: [1],
      verify: { tests: 3 },
    })) {
      await startStep(database, "rold", name);
      await produceStep(database, "rold", name, { output, next: null });
    }
    const turn = {
      step: "plan",
      agent: "planner",
      model: "",
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
      costUsd: 0,
    };
    for (const [at, record] of [null, "text", { added: [{ role: "oracle" }, 7] }].entries()) {
      await insertTurn(database, "rold", { ...turn, turn: at + 1, record });
    }
    const { status, text } = await server.ask("/runs/rold");
    expect(status).toBe(200);
    expect(text).toContain("<b>planner</b>");
    expect(text).toContain('<span class="pill busy">writing</span>');
  });

  test("that does not exist is a page that says so", async () => {
    for (const path of ["/runs/rnone", "/runs/..%2f..", "/runs/%00", "/nowhere"]) {
      const { status, text, headers } = await server.ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(headers["content-type"]).toContain("text/html");
      expect(text).toContain("There is no such");
    }
    expect((await server.ask("/runs/%E0%A4%A")).status).toBe(400);
  });
});

describe("hostile text", () => {
  test.each(["/", "/runs/revil"])("is only text on %s", async (path) => {
    const { status, text } = await server.ask(path);
    expect(status).toBe(200);
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expectHarmless(text);
  });

  test("in an address leads nowhere", async () => {
    const { text } = await server.ask("/runs/revil");
    expect(text).not.toContain('href="javascript:');
    expect(text).toContain("Draft: &quot;&gt;&lt;script&gt;");
  });

  test("that is a secret is not shown", async () => {
    registerSecret("hunter2-is-the-password");
    await insertDeliveries(database, [
      { sender: "jira", key: "leak", body: "{}", kind: "k", parsed: { ignored: "it is hunter2-is-the-password" } },
    ]);
    for (const path of ["/", "/api/v1/deliveries"]) {
      const { text } = await server.ask(path);
      expect(text).toContain("it is [redacted]");
      expect(text).not.toContain("hunter2");
    }
  });
});

describe("headers", () => {
  test("allow our own files only, and no other site to read, frame or keep anything", async () => {
    const { headers } = await server.ask("/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["referrer-policy"]).toBe("same-origin");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["strict-transport-security"]).toBeUndefined();
    expect(headers["x-powered-by"]).toBeUndefined();
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("of assets name their type", async () => {
    for (const [file, type] of [
      ["app.css", "text/css"],
      ["live.js", "text/javascript"],
      ["icon.svg", "image/svg+xml"],
    ]) {
      const { status, headers } = await server.ask(`/assets/${file}`);
      expect([file, status]).toEqual([file, 200]);
      expect(headers["content-type"]).toContain(type);
    }
    expect((await server.ask("/assets/..%2fapp.ts")).status).toBe(404);
  });
});

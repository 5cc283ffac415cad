import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OutsideState } from "../../src/events/standing.ts";
import { openApiPath } from "../../src/http/api/openapi.ts";
import { apiRoutes } from "../../src/http/api/routes.ts";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { reserve, settleReservation } from "../../src/store/pots.ts";
import type { Database } from "../../src/store/queryable.ts";
import { handOver } from "../../src/store/runs.ts";
import { calm, lease, seedDeliveries, seedFinished, seedQueued } from "./seed.ts";
import { startServer, type TestServer } from "./server.ts";

let database: Database;
let server: TestServer;

interface Document {
  readonly paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, unknown> }> }>>;
}
let document: Document;
let check: (path: string, method: string, status: number, body: unknown) => void;

beforeAll(async () => {
  database = await openDatabase({ directory: ":memory:", log: silentLog });
  server = await startServer(database);
  await seedFinished(database, "rdone", "SHOP-42", calm);
  await seedFinished(database, "rneeds", "SHOP-43", calm, "needs_human");
  await seedDeliveries(database, "plainly", "rdone");
  document = JSON.parse((await server.ask("/api/openapi.json")).text) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document, "openapi");
  check = (path, method, status, body) => {
    const content = document.paths[path]?.[method]?.responses[String(status)]?.content ?? {};
    const pointer = `/paths/${pointerPart(path)}/${method}/responses/${status}/content/${pointerPart(Object.keys(content)[0] ?? "")}/schema`;
    const validate = ajv.getSchema(`openapi#${pointer}`);
    expect(validate, `${method} ${path} ${status} is not in the document`).toBeDefined();
    validate?.(body);
    expect(validate?.errors ?? []).toEqual([]);
  };
});

/** A name as a part of a JSON pointer in a URI fragment. */
function pointerPart(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

afterAll(async () => {
  await server.close();
  await database.close();
});

describe("the OpenAPI document", () => {
  test("has every route, and no other", () => {
    const served = apiRoutes.map((route) => `${route.method} ${openApiPath(route.path)}`);
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual(served.sort());
    expect(new Set(served).size).toBe(served.length);
  });

  test("is there for people too", async () => {
    const { status, text } = await server.ask("/api/docs");
    expect(status).toBe(200);
    for (const route of apiRoutes) expect(text).toContain(`${openApiPath(route.path)}</code>`);
  });

  test("is a document of version 3.1 with parameters and problems spelt out", () => {
    expect(document).toMatchObject({
      openapi: "3.1.0",
      paths: {
        "/api/v1/runs": {
          get: {
            parameters: [
              { name: "limit", in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: 200 } },
            ],
          },
        },
        "/api/v1/runs/{id}": { get: { parameters: [{ name: "id", in: "path", required: true }] } },
      },
    });
  });
});

describe("answers are as the document says", () => {
  test.each([
    ["/api/v1/runs", "/api/v1/runs", 200],
    ["/api/v1/runs?limit=1", "/api/v1/runs", 200],
    ["/api/v1/runs?limit=0", "/api/v1/runs", 400],
    ["/api/v1/runs?limit=x", "/api/v1/runs", 400],
    ["/api/v1/runs?limit=1.5", "/api/v1/runs", 400],
    ["/api/v1/runs?limit=1&limit=2", "/api/v1/runs", 400],
    ["/api/v1/runs/rdone", "/api/v1/runs/{id}", 200],
    ["/api/v1/runs/rnone", "/api/v1/runs/{id}", 404],
    ["/api/v1/runs/r%20x", "/api/v1/runs/{id}", 400],
    ["/api/v1/runs/rdone/transcript", "/api/v1/runs/{id}/transcript", 200],
    ["/api/v1/runs/rnone/transcript", "/api/v1/runs/{id}/transcript", 404],
    ["/api/v1/runs/rnone/events", "/api/v1/runs/{id}/events", 404],
    ["/api/v1/deliveries", "/api/v1/deliveries", 200],
    ["/api/v1/deliveries?limit=201", "/api/v1/deliveries", 400],
    ["/api/openapi.json", "/api/openapi.json", 200],
  ])("GET %s", async (address, path, status) => {
    const answer = await server.ask(address);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toContain(status === 200 ? "application/json" : "application/problem+json");
    check(path, "get", status, JSON.parse(answer.text));
  });

  test("a run has its steps with outputs and its ledger, but no transcript and no lease", async () => {
    const { text } = await server.ask("/api/v1/runs/rdone");
    const detail = JSON.parse(text) as { run: Record<string, unknown>; steps: unknown[]; effects: unknown[] };
    expect(detail.run).toMatchObject({ id: "rdone", state: "done", costUsd: 0.4231, tokens: 48_211 });
    expect(detail.run).not.toHaveProperty("epoch");
    expect(detail.steps).toHaveLength(6);
    expect(detail.steps[2]).toMatchObject({ step: "implement", output: { patch: calm.patch } });
    expect(detail.effects).toHaveLength(4);
    expect(text).not.toContain("You are the developer");
  });

  test("the newest come first, as many as asked for", async () => {
    const all = JSON.parse((await server.ask("/api/v1/runs")).text) as { runs: { id: string }[] };
    expect(all.runs.map((run) => run.id)).toEqual(["rneeds", "rdone"]);
    const one = JSON.parse((await server.ask("/api/v1/runs?limit=1")).text) as { runs: { id: string }[] };
    expect(one.runs.map((run) => run.id)).toEqual(["rneeds"]);
  });

  test("GET budgets lists limits, what is spent and what is held", async () => {
    const run = await seedQueued(database, "rspends", "SHOP-77");
    const claimed = await lease(database, run.id);
    const hold = (usd: number, tokens: number) => database.transaction((tx) => reserve(tx, claimed, { usd, tokens }));
    const { reservation } = (await hold(0.5, 1000))!;
    await settleReservation(database, run.id, reservation, { usd: 0.25, tokens: 800, turns: 1 });
    await hold(0.125, 500);
    const { status, text } = await server.ask("/api/v1/budgets");
    expect(status).toBe(200);
    check("/api/v1/budgets", "get", 200, JSON.parse(text));
    const { budgets } = JSON.parse(text) as { budgets: { kind: string; subject: string }[] };
    expect(budgets.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      "total ",
      "project SHOP",
      "ticket SHOP-77",
      "run rspends",
    ]);
    expect(budgets.at(-1)).toEqual({
      kind: "run",
      subject: "rspends",
      period: null,
      limits: { usd: 5, tokens: 2_000_000, turns: 200 },
      spent: { usd: 0.25, tokens: 800, turns: 1 },
      reserved: { usd: 0.125, tokens: 500 },
      raisedUsd: 0,
    });
    const page = (await server.ask("/")).text;
    expect(page).toContain("ticket SHOP-77");
    expect(page).toContain("$0.25");
    await handOver(database, claimed, { state: "cancelled" });
  });

  test("POST replay answers with the new delivery", async () => {
    const path = "/api/v1/deliveries/{id}/replay";
    const [delivery] = await listDeliveries(database, 1);
    const replaying = await startServer(database, {
      replay: async (id) => (id === delivery?.id ? { ...delivery, key: `${delivery.key}#replay-1` } : null),
    });
    try {
      const answer = await replaying.ask(`/api/v1/deliveries/${delivery?.id}/replay`, { method: "POST" });
      expect(answer.status).toBe(200);
      check(path, "post", 200, JSON.parse(answer.text));
      expect(JSON.parse(answer.text)).toMatchObject({ key: expect.stringMatching(/#replay-1$/) });
      for (const [id, status] of [
        ["999999", 404],
        ["7; drop", 400],
      ] as const) {
        const refused = await replaying.ask(`/api/v1/deliveries/${encodeURIComponent(id)}/replay`, { method: "POST" });
        expect(refused.status).toBe(status);
        check(path, "post", status, JSON.parse(refused.text));
      }
    } finally {
      await replaying.close();
    }
  });

  test("POST cancel stops a run once", async () => {
    await seedQueued(database, "rstop", "SHOP-9");
    const path = "/api/v1/runs/{id}/cancel";
    const stopped = await server.ask("/api/v1/runs/rstop/cancel", { method: "POST" });
    expect(stopped.status).toBe(200);
    check(path, "post", 200, JSON.parse(stopped.text));
    expect(JSON.parse(stopped.text)).toMatchObject({ state: "cancelled", reason: "stopped through the API" });
    for (const [id, status] of [
      ["rstop", 409],
      ["rnone", 404],
    ] as const) {
      const answer = await server.ask(`/api/v1/runs/${id}/cancel`, { method: "POST" });
      expect(answer.status).toBe(status);
      check(path, "post", status, JSON.parse(answer.text));
    }
  });
});

describe("whatever else is asked", () => {
  test("is a problem, not a page", async () => {
    const cases = [
      ["GET", "/api/v1/nothing", 404],
      ["GET", "/api/v1/runs/%E0%A4%A", 400],
      ["DELETE", "/api/v1/runs/rdone", 405],
      ["POST", "/api/v1/runs", 405],
      ["GET", "/api/v1/runs/rdone/cancel", 405],
    ] as const;
    for (const [method, path, status] of cases) {
      const answer = await server.ask(path, { method });
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.headers["content-type"]).toContain("application/problem+json");
      expect(JSON.parse(answer.text)).toMatchObject({ type: "about:blank", status });
      if (status === 405) expect(answer.headers.allow).toBe(path.endsWith("cancel") ? "POST" : "GET");
    }
  });

  test("a bug of ours is logged and not told", async () => {
    const logged: unknown[] = [];
    const broken = await startServer(database, {
      cancelRun: () => Promise.reject(new Error("select secret from somewhere")),
      log: { ...silentLog, error: (message, fields) => logged.push([message, fields]) },
    });
    for (const path of ["/api/v1/runs/rdone/cancel", "/runs/rdone/cancel"]) {
      const { status, text } = await broken.ask(path, { method: "POST" });
      expect(status).toBe(500);
      expect(text).not.toContain("secret");
    }
    expect(logged).toHaveLength(2);
    await broken.close();
  });
});

describe("health", () => {
  test("readiness has a reason, liveness has no opinion", async () => {
    const states = [{ ready: false, reason: "the database is away" }, new Error("boom")];
    const sick = await startServer(database, {
      isReady: () => {
        const state = states.shift();
        return state instanceof Error ? Promise.reject(state) : Promise.resolve(state ?? { ready: true, reason: "" });
      },
    });
    const first = await sick.ask("/readyz");
    expect([first.status, JSON.parse(first.text)]).toEqual([503, { ready: false, reason: "the database is away" }]);
    expect((await sick.ask("/readyz")).status).toBe(503);
    expect((await sick.ask("/readyz")).status).toBe(200);
    expect((await sick.ask("/healthz")).status).toBe(200);
    await sick.close();
  });

  test("a system that is away is told of, and no reason to turn work away", async () => {
    const since = new Date("2026-03-02T09:00:00.000Z");
    const system = { kind: "system", host: "gitlab.acme.test", reason: "503 from 10.0.0.7", since } as const;
    const webhook = { kind: "webhook", name: "acme/shop", since, foundAt: since } as const;
    const states: OutsideState[] = [
      { ...system, name: "Jira", state: "closed", since: null },
      { ...system, name: "GitLab", state: "open" },
      { ...webhook, state: "missing" },
      { ...webhook, state: "off" },
    ];
    const one = await startServer(database, { outside: async () => states });
    const { status, text } = await one.ask("/readyz");
    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        ready: true,
        reason: "",
        degraded: [
          { kind: "system", name: "GitLab", state: "open", since: since.toISOString() },
          { kind: "webhook", name: "acme/shop", state: "off", since: since.toISOString() },
        ],
      },
    ]);
    states.splice(0);
    expect(JSON.parse((await one.ask("/readyz")).text)).toEqual({ ready: true, reason: "" });
    await one.close();
  });
});

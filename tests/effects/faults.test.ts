/**
 * Every fault on every outside write, before and after the other side processed it. Real adapters, real engine, real git; each case is
 * one run of its own ticket in which the first attempt at *every* write (or every read) meets the fault. Whatever happens, the run
 * ends done and everything exists exactly once.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Effect, EffectDraft } from "../../src/domain/effect.ts";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { createConfluenceCloud } from "../../src/integrations/confluence/cloud.ts";
import { createGitLab } from "../../src/integrations/gitlab/gitlab.ts";
import { createJiraCloud } from "../../src/integrations/jira/cloud.ts";
import { createLog } from "../../src/platform/log.ts";
import { Policy } from "../../src/platform/policy.ts";
import { advance } from "../../src/runs/advance.ts";
import type { Engine } from "../../src/runs/engine.ts";
import { createQuarantine } from "../../src/runs/quarantine.ts";
import { startRun } from "../../src/runs/start.ts";

import { type Acme, bot, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { latest } from "../../src/stand-ins/confluence/wiki.ts";
import type { Fault, StandInRequest } from "../../src/stand-ins/server.ts";
import type { Services, Step } from "../../src/steps/step.ts";
import { listEffects } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import { findRun } from "../../src/store/runs.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { openTestDatabase } from "../support/database.ts";

/** How long our adapters wait for an answer here. */
const timeoutMs = 500;

type Blow = Fault extends infer F ? (F extends { when: string } ? Omit<F, "when"> : never) : never;

const html = { "content-type": "text/html" };
const json = { "content-type": "application/json" };
const gateway = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>";

/** The slow ones first: a few cases run at a time. */
const blows: Readonly<Record<string, Blow>> = {
  "429 with Retry-After: 1": {
    answer: { status: 429, headers: { "retry-after": "1" }, body: { message: "slow down" } },
  },
  "a body that breaks off": {
    answer: { status: 200, headers: { ...json, "content-length": "999" }, body: '{"id": "1' },
  },
  silence: { silent: true },
  "429 with a date": { answer: { status: 429, headers: { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }, body: "" } },
  "429 with garbage": { answer: { status: 429, headers: { "retry-after": "soon", ...html }, body: "Retry later\n" } },
  "429 without": { answer: { status: 429, body: "" } },
  "a 500": { answer: { status: 500, body: { message: "Internal server error" } } },
  "a 502 with a page": { answer: { status: 502, headers: html, body: gateway } },
  "a 503": { answer: { status: 503, body: "" } },
  "a reset": { reset: true },
  "truncated JSON": { answer: { status: 200, headers: json, body: '{"id": "100' } },
  "200 with a page": { answer: { status: 200, headers: html, body: "<!DOCTYPE html><p>Please sign in" } },
  "200 with another shape": { answer: { status: 200, body: { maintenance: true } } },
  "200 with nothing": { answer: { status: 200, body: "" } },
};

let acme: Acme;
let database: Database;
let directory: string;
let base: string;
/** Faults by ticket: asked with every request that is about it. */
const trouble = new Map<string, (request: StandInRequest, system: string) => Fault | undefined>();
const failed = new Map<string, string[]>();

/** The ticket that a request is about; undefined where nobody can tell. */
function ticketOf(request: StandInRequest): string | undefined {
  const pageId = /\/(?:pages|content)\/(\d+)/.exec(request.path)?.[1];
  const page = acme.confluence.wiki.pages.find(({ id }) => id === pageId);
  const text = [decodeURIComponent(request.path), request.query.toString(), request.raw.toString("latin1")].join(" ");
  return /SHOP-\d+/.exec(page === undefined ? text : latest(page).title)?.[0];
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-faults-"));
  [acme, database] = await Promise.all([startAcme({ scenarios: [] }), openTestDatabase()]);
  for (const system of ["jira", "gitlab", "confluence"] as const) {
    acme[system].fault = (request) => trouble.get(ticketOf(request) ?? "")?.(request, system);
  }
  base = (await acme.gitlab.project("acme/shop").repository.branches()).get("main") ?? "";
});
afterAll(async () => {
  await acme.close();
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

const patch = `diff --git a/NOTES.md b/NOTES.md
new file mode 100644
index 0000000000000000000000000000000000000000..9daeafb9864cf43055ae93beb0afd6c7d144bfa4
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+test
`;

/** The outside writes of the `deliver` workflow, and one more: labels. */
function effectsOf(ticket: string): Record<string, EffectDraft[]> {
  const draft = (name: string, effect: Effect): EffectDraft => ({ name, effect });
  const branch = `ticketsmith/${ticket}`;
  return {
    understand: [
      draft("hello", { kind: "jira.status", ticket, body: "I am reading" }),
      draft("started", { kind: "jira.transition", ticket, status: "In Progress" }),
    ],
    publish: [
      draft("branch", {
        kind: "gitlab.branch",
        repository: "acme/shop",
        branch,
        base,
        patch,
        message: `${ticket}: notes\n`,
        author: { name: "Ticketsmith", email: "ticketsmith@acme.test" },
        date: "2026-01-05T09:00:00Z",
      }),
      draft("mergeRequest", {
        kind: "gitlab.mergeRequest",
        repository: "acme/shop",
        sourceBranch: branch,
        targetBranch: "main",
        title: `${ticket}: notes`,
        body: "What has changed",
        draft: true,
        labels: ["ticketsmith"],
      }),
    ],
    document: [
      draft("page", {
        kind: "confluence.page",
        space: "SHOP",
        parentTitle: "Changes",
        subject: ticket,
        title: `${ticket}: notes`,
        body: "What has changed",
        labels: ["release-notes"],
        versionMessage: "by Ticketsmith",
      }),
    ],
    report: [
      draft("link", {
        kind: "jira.remoteLink",
        ticket,
        globalId: `gitlab:${ticket}`,
        url: "https://gitlab.acme.test/1",
        title: "Merge request",
        relationship: "merge request",
      }),
      draft("review", { kind: "jira.transition", ticket, status: "In Review" }),
      draft("labels", { kind: "jira.labels", ticket, add: ["delivered"], remove: [] }),
      draft("result", { kind: "jira.status", ticket, body: "Finished" }),
    ],
  };
}

function engineOf(ticket: string): Engine {
  const log = createLog({ level: process.env.STORY_LOG ?? "error", pretty: true });
  const jira = createJiraCloud({ baseUrl: acme.jira.url, ...bot.jira, timeoutMs, log });
  const code = createGitLab({ baseUrl: acme.gitlab.url, token: bot.gitlab.token, timeoutMs, log });
  const pages = createConfluenceCloud({ baseUrl: acme.confluence.url, ...bot.jira, timeoutMs, log });
  const workspaces = createWorkspaces({ directory, token: bot.gitlab.token, code, timeoutMs, log });
  const effects = effectsOf(ticket);
  const steps = Object.keys(effects).map(
    (name): Step<string> => ({
      name,
      output: z.string(),
      execute: async () => ({ output: "", effects: effects[name] ?? [], next: { kind: "continue" } }),
    }),
  );
  const policy = Policy.parse({
    projects: { SHOP: { repository: "acme/shop" } },
    people: { start: { accounts: ["mia"] } },
  });
  return {
    database,
    // Nobody needs to be rung: `finish` comes back by itself.
    bell: { ring: async () => {}, answer: () => {}, close: async () => {} },
    workflows: new Map([["deliver", { name: "deliver", steps }]]),
    services: { policy, workspaces: { remove: async () => {} }, tickets: jira } as unknown as Services,
    door: {
      database,
      writers: { tickets: jira, code, reviews: code, branches: workspaces, pages },
      allowedHosts: ["gitlab.acme.test"],
      dryRun: false,
      log,
    },
    log,
    stopping: new AbortController().signal,
    leaseMs: 30_000,
    quarantine: createQuarantine(),
    retryBaseMs: 10,
  };
}

/** Advances the run whenever it is due, until it has ended. */
async function finish(engine: Engine, run: Run): Promise<Run> {
  for (;;) {
    await advance(engine, run.id);
    const now = await findRun(database, run.id);
    if (now === null || isEnd(now.state)) return now ?? run;
    const pause = (now.notBefore?.getTime() ?? 0) - Date.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause + 2));
  }
}

/** Counts what exists for a ticket. */
async function existing(ticket: string): Promise<Record<string, unknown>> {
  const issue = acme.jira.issue(ticket);
  const moves = issue.history.flatMap(({ items }) => items.filter(({ field }) => field === "status"));
  const { repository } = acme.gitlab.project("acme/shop");
  const head = (await repository.branches()).get(`ticketsmith/${ticket}`);
  const requests = acme.gitlab.mergeRequests("acme/shop").filter((one) => one.sourceBranch === `ticketsmith/${ticket}`);
  const pages = acme.confluence.wiki.pages.filter((page) => latest(page).title.startsWith(`${ticket}:`));
  return {
    comments: issue.comments.map(({ body }) => JSON.stringify(body).includes("Finished")),
    moves: moves.map((item) => `${item.fromString} -> ${Object.getOwnPropertyDescriptor(item, "toString")?.value}`),
    labels: issue.labels,
    links: issue.remoteLinks.length,
    commits: head === undefined ? 0 : (await repository.log(`${base}..${head}`)).length,
    mergeRequests: requests.map(({ state, labels }) => [state, ...labels]),
    pages: pages.map((page) => ({
      versions: page.versions.length,
      labels: [...page.labels].sort(),
      properties: page.properties.map(({ key }) => key),
    })),
  };
}

const once = {
  comments: [true],
  moves: ["To Do -> In Progress", "In Progress -> In Review"],
  labels: ["delivered"],
  links: 1,
  commits: 1,
  mergeRequests: [["opened", "ticketsmith"]],
  pages: [{ versions: 1, labels: ["release-notes", "ticketsmith"], properties: ["ticketsmith"] }],
};

/** Makes every request of a kind fail at its first attempt. */
function strikeFirst(ticket: string, fault: Fault, isTarget: (request: StandInRequest) => boolean): void {
  const seen = new Set<string>();
  const list: string[] = [];
  failed.set(ticket, list);
  trouble.set(ticket, (request, system) => {
    if (!isTarget(request)) return undefined;
    // A pack may be packed otherwise the next time.
    const body = request.path.endsWith("git-receive-pack") ? "" : request.raw;
    const name = `${request.method} ${request.path}${request.query.size > 0 ? "?…" : ""}`;
    const key = `${system} ${name} ${request.query} ${createHash("sha256").update(body).digest("hex")}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
    list.push(`${system} ${name}`);
    return fault;
  });
}

function isRead(request: StandInRequest): boolean {
  return !isWrite(request);
}

function isWrite({ method, path: at }: StandInRequest): boolean {
  return method !== "GET" && !at.endsWith("git-upload-pack");
}

async function story(fault: Fault, isTarget: (request: StandInRequest) => boolean): Promise<void> {
  const ticket = acme.jira.createIssue({ project: "SHOP", summary: "Notes", by: people.mia.accountId }).key;
  strikeFirst(ticket, fault, isTarget);
  const engine = engineOf(ticket);
  const run = await startRun(database, engine.workflows, {
    workflow: "deliver",
    requestedBy: "mia",
    target: { ticket, project: "SHOP", repository: "acme/shop" },
  });
  if (run === null) throw new Error("no run");
  const end = await finish(engine, run);
  const struck = failed.get(ticket)?.join(", ");
  expect({ state: end.state, reason: end.reason }, `${ticket}: struck at ${struck}`).toEqual({
    state: "done",
    reason: null,
  });
  expect(await existing(ticket), `${ticket}: struck at ${struck}`).toEqual(once);
  expect((await listEffects(database, run.id)).filter(({ state }) => state !== "settled")).toEqual([]);
}

const cases = Object.entries(blows).flatMap(([name, blow]) =>
  (["before", "after"] as const).map((when) => [name, when, { when, ...blow } as Fault] as const),
);

describe.concurrent("every write fails once", () => {
  test("the list of writes is what is meant", { timeout: 90_000 }, async () => {
    await story({ when: "before", reset: true }, isWrite);
    const [list] = [...failed.values()].filter((one) => one.length > 0);
    expect(list?.map((name) => name.replace(/(?<=SHOP-)\d+/, "N").replace(/\d{3,}/, "N")).sort()).toEqual([
      "confluence POST /wiki/api/v2/pages",
      "confluence POST /wiki/api/v2/pages/N/properties",
      "confluence POST /wiki/rest/api/content/N/label",
      "gitlab POST /acme/shop.git/git-receive-pack",
      "gitlab POST /api/v4/projects/acme%2Fshop/merge_requests",
      "jira POST /rest/api/3/issue/SHOP-N/comment",
      "jira POST /rest/api/3/issue/SHOP-N/remotelink",
      "jira POST /rest/api/3/issue/SHOP-N/transitions",
      "jira POST /rest/api/3/issue/SHOP-N/transitions",
      "jira PUT /rest/api/3/issue/SHOP-N",
      "jira PUT /rest/api/3/issue/SHOP-N/comment/N",
    ]);
  });

  test.each(cases)("%s, %s processing", { timeout: 90_000 }, async (_name, _when, fault) => {
    await story(fault, isWrite);
  });

  test("a request that is processed long after we have given it up", { timeout: 90_000 }, async () => {
    await story({ until: new Promise((resolve) => setTimeout(resolve, 3 * timeoutMs)) }, isWrite);
  });
});

describe.concurrent("every read fails once", () => {
  test.each(Object.entries(blows).slice(3))("%s", { timeout: 90_000 }, async (_name, blow) => {
    await story({ when: "before", ...blow } as Fault, isRead);
  });
});

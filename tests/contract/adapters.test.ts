/**
 * Every verb of the ports, called so that it creates, changes and finds: what our adapters send then is what the makers of
 * Jira, GitLab, Confluence and the model describe. The stories take only some of these ways.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  CodeReader,
  CodeSearch,
  CodeWriter,
  HookKeeper,
  Model,
  ModelReply,
  PageReader,
  PageWriter,
  TicketReader,
  TicketSearch,
  TicketWriter,
} from "../../src/domain/ports.ts";
import { createConfluenceCloud } from "../../src/integrations/confluence/cloud.ts";
import { createGitLab } from "../../src/integrations/gitlab/gitlab.ts";
import { createJiraCloud } from "../../src/integrations/jira/cloud.ts";
import { createModel } from "../../src/models/model.ts";
import { silentLog } from "../../src/platform/log.ts";
import { parseMarkdown } from "../../src/platform/markdown.ts";
import { type Acme, bot, demoTicket, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { checkStory, requestsOfBot } from "./check-story.ts";
import { loadContracts } from "./spec.ts";

type Pages = PageReader & PageWriter;
type Tickets = TicketReader & TicketSearch & TicketWriter;
type Code = CodeReader & CodeSearch & CodeWriter & HookKeeper;

/** Called one after the other; a verb that is missing here does not compile. */
type Deeds<Port> = { readonly [Verb in keyof Port]-?: (port: Port) => Promise<unknown> };

/** The same thing twice, then changed: created, unchanged, updated. */
async function thrice<T>(ensure: (input: T) => Promise<{ outcome: string }>, first: T, changed: T): Promise<void> {
  const done = [await ensure(first), await ensure(first), await ensure(changed)];
  expect(done.map(({ outcome }) => outcome)).toEqual(["created", "unchanged", "updated"]);
}

const ticket = "SHOP-1";
const text = parseMarkdown("## Result\n\nIt **works**, see [the change](https://gitlab.test/1).\n\n- [x] `one`\n- two");
const otherText = parseMarkdown("Nothing works.");

const tickets: Deeds<Tickets> = {
  whoAmI: (jira) => jira.whoAmI(),
  readTicket: (jira) => jira.readTicket(ticket),
  readMembership: (jira) => jira.readMembership(people.mia.accountId, "SHOP"),
  findLabelled: (jira) => jira.findLabelled({ projects: ["SHOP", "OPS"], labels: ["ticketsmith"], minutes: 15 }),
  readLabelChanges: (jira) => jira.readLabelChanges({ key: ticket, id: "10002" }),
  ensureComment: async (jira) => {
    const comment = { ticket, marker: `status:${ticket}`, body: text };
    await thrice(jira.ensureComment, comment, { ...comment, body: otherText });
  },
  ensureTransition: (jira) => jira.ensureTransition({ ticket, status: "In Progress" }),
  ensureLabels: async (jira) => {
    await jira.ensureLabels({ ticket, add: ["ticketsmith", "old"], remove: [] });
    await jira.ensureLabels({ ticket, add: ["new"], remove: ["old"] });
  },
  ensureRemoteLink: async (jira) => {
    const link = { ticket, globalId: "gitlab:1:mr:1", url: "https://gitlab.test/1", title: "!1", relationship: "mr" };
    await thrice(jira.ensureRemoteLink, link, { ...link, title: "!1 (draft)" });
  },
};

const repository = "acme/shop";

const code: Deeds<Code> = {
  whoAmI: (gitlab) => gitlab.whoAmI(),
  readProject: (gitlab) => gitlab.readProject(repository),
  readAccessLevel: (gitlab) => gitlab.readAccessLevel({ repository, userId: "11" }),
  ensureMergeRequest: async (gitlab) => {
    const input = {
      repository,
      sourceBranch: "ticketsmith/SHOP-1",
      targetBranch: "main",
      title: "SHOP-1: Discount codes",
      body: text,
      draft: true,
      labels: ["ticketsmith"],
      marker: "mr:SHOP-1",
    };
    await thrice(gitlab.ensureMergeRequest, input, { ...input, draft: false, body: otherText, labels: ["ready"] });
  },
  listStandings: async (gitlab) => {
    const since = new Date(Date.now() - 60_000).toISOString();
    const [ours] = await gitlab.listStandings({ repository, authorId: "900", since });
    expect(ours).toMatchObject({ iid: 1, state: "opened", sourceBranch: "ticketsmith/SHOP-1" });
  },
  listHooks: (gitlab) => expect(gitlab.listHooks(repository)).rejects.toThrow(/403/),
  testHook: (gitlab) => expect(gitlab.testHook({ repository, hookId: 1 })).rejects.toThrow(/403/),
  findMergeRequest: (gitlab) => gitlab.findMergeRequest({ repository, sourceBranch: "ticketsmith/SHOP-1" }),
};

const page = {
  space: "SHOP",
  parentTitle: "Changes",
  marker: "page:SHOP-1",
  title: "SHOP-1: Discount codes",
  body: text,
  labels: ["ticketsmith", "change"],
  versionMessage: "Written by Ticketsmith",
};

const pages: Deeds<Pages> = {
  findPage: (confluence) => confluence.findPage({ space: "SHOP", marker: "page:SHOP-2" }),
  ensurePage: async (confluence) => {
    await thrice(confluence.ensurePage, page, { ...page, body: otherText, title: "SHOP-1: Codes", labels: ["more"] });
    await confluence.ensurePage({ ...page, parentTitle: null, marker: "page:SHOP-3", title: "Changes" });
    expect(await confluence.findPage({ space: "SHOP", marker: "page:SHOP-1" })).not.toBeNull();
  },
  searchPages: (confluence) => confluence.searchPages({ space: "SHOP", text: 'Codes "in" any case', limit: 5 }),
};

/** A question, a call of a tool, its result, and the answer. */
async function converse(model: Model): Promise<ModelReply> {
  const tools = [
    {
      name: "read",
      description: "Reads a file.",
      parameters: {
        type: "object",
        properties: { path: { type: "string" } },
        required: ["path"],
        additionalProperties: false,
      },
    },
  ];
  const opening = [
    { role: "system", text: "You are the analyst of a shop. You work on SHOP-1." },
    { role: "user", text: "What is in the file?" },
  ] as const;
  const request = { role: "analyst", tools, maxOutputTokens: 500 };
  const signal = AbortSignal.timeout(10_000);
  const asked = await model.complete({ ...request, messages: opening }, signal);
  const [call] = asked.toolCalls;
  if (call === undefined) throw new Error("the scripted model called no tool");
  const history = [
    ...opening,
    { role: "assistant", text: asked.text, toolCalls: asked.toolCalls } as const,
    { role: "tool", callId: call.id, text: "42" } as const,
  ];
  return model.complete({ ...request, messages: history }, signal);
}

const turns = [{ say: "I look.", calls: [{ tool: "read", arguments: { path: "a.js" } }] }, { say: "It is 42." }];

const there = loadContracts() === null ? " (skipped: no ../shared/specs beside the project)" : "";

describe.skipIf(there !== "")(`the requests of all verbs${there}`, () => {
  let acme: Acme;

  beforeAll(async () => {
    acme = await startAcme({ scenarios: [{ ticket: "SHOP-1", agents: { analyst: turns } }] });
    acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    const commit = await fetch(`${acme.gitlab.url}/api/v4/projects/acme%2Fshop/repository/commits`, {
      method: "POST",
      headers: { "private-token": "glpat-mia-gitlab-token", "content-type": "application/json" },
      body: JSON.stringify({
        branch: "ticketsmith/SHOP-1",
        start_branch: "main",
        commit_message: "Codes",
        actions: [{ action: "create", file_path: "codes.md", content: "SPRING10" }],
      }),
    });
    expect(commit.status).toBe(201);
  });
  afterAll(() => acme.close());

  test("of tickets keep to the description of Jira", async () => {
    const { email, apiToken } = bot.jira;
    const jira = createJiraCloud({ baseUrl: acme.jira.url, email, apiToken, log: silentLog });
    for (const deed of Object.values(tickets)) await deed(jira);
    expect(requestsOfBot(acme).jira.length).toBeGreaterThan(20);
    expect(checkStory(acme)).toEqual([]);
  });

  test("of code keep to the description of GitLab", async () => {
    const gitlab = createGitLab({ baseUrl: acme.gitlab.url, token: bot.gitlab.token, log: silentLog });
    for (const deed of Object.values(code)) await deed(gitlab);
    expect(requestsOfBot(acme).gitlab.length).toBeGreaterThan(8);
    expect(checkStory(acme)).toEqual([]);
  });

  test("of pages keep to the description of Confluence", async () => {
    const { email, apiToken } = bot.jira;
    const confluence = createConfluenceCloud({ baseUrl: acme.confluence.url, email, apiToken, log: silentLog });
    for (const deed of Object.values(pages)) await deed(confluence);
    expect(requestsOfBot(acme).confluence.length).toBeGreaterThan(25);
    expect(checkStory(acme)).toEqual([]);
  });

  test.each([
    { api: "chat", stream: true },
    { api: "chat", stream: false },
    { api: "responses", stream: true },
    { api: "responses", stream: false },
  ] as const)("to a model ($api, stream: $stream) keep to the description of OpenAI", async ({ api, stream }) => {
    const model = createModel({
      baseUrl: acme.model.baseUrl,
      apiKey: acme.variables.OPENAI_API_KEY ?? "",
      api,
      stream,
      model: "scripted",
      prices: {},
      timeoutMs: 10_000,
      log: silentLog,
    });
    expect((await converse(model)).text).toBe("It is 42.");
    expect(checkStory(acme)).toEqual([]);
  });

  test("are all known to the stand-ins", () => {
    expect([...acme.jira.unknown, ...acme.gitlab.unknown, ...acme.confluence.unknown, ...acme.model.unknown]).toEqual(
      [],
    );
  });
});

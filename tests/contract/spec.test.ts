/** The checker itself: it lets good requests pass and finds what is wrong with bad ones. */
import { describe, expect, test } from "vitest";
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import type { Service } from "./descriptions.ts";
import { type Exemption, exemptions } from "./exemptions.ts";
import { type Contracts, loadContracts } from "./spec.ts";

const credentials: Readonly<Record<Service, Readonly<Record<string, string>>>> = {
  jira: { authorization: "Basic bWlhOnNlY3JldA==" },
  confluence: { authorization: "Bearer a-token" },
  gitlab: { "private-token": "glpat-a-token" },
  openai: { authorization: "Bearer sk-a-key" },
};

/** `[METHOD, /path?query, body, headers instead of the usual]` */
type Call = readonly [method: string, address: string, body?: unknown, headers?: Readonly<Record<string, string>>];

function logged(service: Service, [method, address, body, headers]: Call): LoggedRequest {
  const { pathname, search } = new URL(address, "http://stand-in");
  const json = body === undefined ? {} : { "content-type": "application/json; charset=utf-8" };
  const usual = { ...credentials[service], ...json };
  return { at: 0, method, path: pathname, query: search, headers: headers ?? usual, body, status: 200 };
}

const adf = { type: "doc", version: 1, content: [] };
const question = { role: "user", content: "What is it?" };
const labels = [{ prefix: "global", name: "ticketsmith" }];
const page = { spaceId: "7", status: "current", title: "Codes", body: { representation: "storage", value: "<p/>" } };
const edited = { id: "12", status: "current", title: "Codes", body: page.body, version: { number: 2 } };
const mergeRequest = { source_branch: "ticketsmith/SHOP-1", target_branch: "main", title: "Draft: Codes" };
const shop = "/api/v4/projects/acme%2Fshop";

const good: readonly (readonly [Service, ...Call])[] = [
  ["jira", "GET", "/rest/api/3/issue/SHOP-1?fields=summary,labels&updateHistory=false"],
  ["jira", "GET", "/rest/api/3/issue/SHOP-1?fields=summary&fields=labels"],
  ["jira", "POST", "/rest/api/3/issue/SHOP-1/comment", { body: adf, properties: [{ key: "ticketsmith", value: 1 }] }],
  ["jira", "POST", "/rest/api/3/issue/SHOP-1/transitions", { transition: { id: "31" } }],
  ["jira", "PUT", "/rest/api/3/issue/SHOP-1", { update: { labels: [{ add: "done" }] }, fields: { customfield_1: 5 } }],
  ["jira", "PUT", "/rest/api/3/comment/10/properties/ticketsmith", { whatever: ["we", "like"] }],
  ["jira", "DELETE", "/rest/api/3/issue/SHOP-1/comment/10"],
  ["gitlab", "GET", shop],
  ["gitlab", "GET", "/api/v4/projects/42"],
  ["gitlab", "GET", `${shop}/merge_requests?state=opened&labels=a,b&page=2&not%5Bauthor_id%5D=1`],
  ["gitlab", "GET", `${shop}/repository/files/src%2Fcart.js?ref=main`],
  ["gitlab", "POST", `${shop}/merge_requests`, { ...mergeRequest, labels: "a,b", remove_source_branch: true }],
  ["gitlab", "PUT", `${shop}/merge_requests/1`, { add_labels: ["a"], description: "Codes" }],
  ["gitlab", "POST", `${shop}/merge_requests/1/notes`, { body: "Done." }],
  ["gitlab", "PUT", `${shop}/merge_requests/1/discussions/d1?resolved=true`],
  ["confluence", "GET", "/wiki/api/v2/spaces?keys=SHOP&limit=1"],
  ["confluence", "GET", "/wiki/api/v2/pages?space-id=7&title=Codes&status=current"],
  ["confluence", "POST", "/wiki/api/v2/pages", page],
  ["confluence", "PUT", "/wiki/api/v2/pages/12", edited],
  ["confluence", "POST", "/wiki/api/v2/pages/12/properties", { key: "ticketsmith", value: { marker: "page:SHOP-1" } }],
  ["confluence", "POST", "/wiki/rest/api/content/12/label", labels],
  ["openai", "GET", "/v1/models"],
  ["openai", "POST", "/v1/chat/completions", { model: "any", messages: [question], max_completion_tokens: 10 }],
  ["openai", "POST", "/v1/responses", { model: "any", input: [question], store: false, instructions: null }],
];

const bad: readonly (readonly [rule: string, Service, ...Call])[] = [
  ["no such path is described", "jira", "GET", "/rest/api/3/issues/SHOP-1"],
  ["the path is described, but not with this method", "jira", "PATCH", "/rest/api/3/issue/SHOP-1"],
  ["query parameter feilds is not described", "jira", "GET", "/rest/api/3/issue/SHOP-1?feilds=summary"],
  ["query parameter maxResults: / must be integer", "jira", "GET", "/rest/api/3/issue/A-1/comment?maxResults=many"],
  [
    "query parameter orderBy: / must be one of created, -created, +created",
    "jira",
    "GET",
    "/rest/api/3/issue/A-1/comment?orderBy=id",
  ],
  ["query parameter accountId is missing", "jira", "GET", "/rest/api/3/user/groups"],
  ["path parameter id: / must be integer", "jira", "GET", "/rest/api/3/project/SHOP/role/Developers"],
  [
    "body / has a field that is not described: propertys",
    "jira",
    "POST",
    "/rest/api/3/issue/A-1/comment",
    { body: adf, propertys: [] },
  ],
  [
    "body /properties/0 has a field that is not described: name",
    "jira",
    "POST",
    "/rest/api/3/issue/A-1/comment",
    { body: adf, properties: [{ name: "ticketsmith", value: 1 }] },
  ],
  ["body /id is read-only", "jira", "PUT", "/rest/api/3/issue/A-1/comment/1", { id: "1", body: adf }],
  [
    "body /object must have required property 'title'",
    "jira",
    "POST",
    "/rest/api/3/issue/A-1/remotelink",
    { object: { url: "https://gitlab.test/1" } },
  ],
  [
    "body /transition/id must be string",
    "jira",
    "POST",
    "/rest/api/3/issue/A-1/transitions",
    { transition: { id: 3 } },
  ],
  ["the body is missing", "jira", "POST", "/rest/api/3/issue/A-1/transitions"],
  ["a body where none is described", "jira", "GET", "/rest/api/3/myself", {}],
  ["no credentials: none of authorization", "jira", "GET", "/rest/api/3/myself", undefined, {}],
  [
    "content-type (none) is not among application/json",
    "jira",
    "POST",
    "/rest/api/3/issue/A-1/comment",
    { body: adf },
    credentials.jira,
  ],

  ["no such path is described", "gitlab", "GET", "/api/v4/projects/acme/shop"],
  ["query parameter sourceBranch is not described", "gitlab", "GET", `${shop}/merge_requests?sourceBranch=main`],
  [
    "query parameter state: / must be one of opened, closed, locked, merged, all",
    "gitlab",
    "GET",
    `${shop}/merge_requests?state=open`,
  ],
  ["query parameter ref is missing", "gitlab", "GET", `${shop}/repository/files/README.md`],
  ["query parameter resolved is missing", "gitlab", "PUT", `${shop}/merge_requests/1/discussions/d1`],
  ["path parameter merge_request_iid: / must be integer", "gitlab", "GET", `${shop}/merge_requests/!1`],
  [
    "body / must have required property 'title'",
    "gitlab",
    "POST",
    `${shop}/merge_requests`,
    { source_branch: "a", target_branch: "b" },
  ],
  [
    "body / has a field that is not described: draft",
    "gitlab",
    "POST",
    `${shop}/merge_requests`,
    { ...mergeRequest, draft: true },
  ],
  ["body / must have required property 'body'", "gitlab", "POST", `${shop}/merge_requests/1/notes`, {}],
  [
    "no credentials: none of private-token, job-token, authorization",
    "gitlab",
    "GET",
    shop,
    undefined,
    { authorization: "glpat-a-token" },
  ],

  ["no such path is described", "confluence", "GET", "/api/v2/spaces?keys=SHOP"],
  ["query parameter key is not described", "confluence", "GET", "/wiki/api/v2/spaces?key=SHOP"],
  ["query parameter limit: / must be <= 250", "confluence", "GET", "/wiki/api/v2/spaces?limit=1000"],
  ["path parameter id: / must be integer", "confluence", "GET", "/wiki/api/v2/pages/Codes"],
  ["body / must have required property 'spaceId'", "confluence", "POST", "/wiki/api/v2/pages", { title: "Codes" }],
  [
    "body / must have required property 'version'",
    "confluence",
    "PUT",
    "/wiki/api/v2/pages/12",
    { ...edited, version: undefined },
  ],
  [
    "body /body has a field that is not described: text",
    "confluence",
    "POST",
    "/wiki/api/v2/pages",
    { ...page, body: { representation: "storage", text: "<p/>" } },
  ],
  [
    "body /0 has a field that is not described: label",
    "confluence",
    "POST",
    "/wiki/rest/api/content/12/label",
    [{ prefix: "global", name: "a", label: "a" }],
  ],

  ["no such path is described", "openai", "POST", "/chat/completions", { model: "any", messages: [question] }],
  ["body / must have required property 'messages'", "openai", "POST", "/v1/chat/completions", { model: "any" }],
  [
    "body / has a field that is not described: max_output_tokens",
    "openai",
    "POST",
    "/v1/chat/completions",
    { model: "any", messages: [question], max_output_tokens: 10 },
  ],
  [
    "body /messages/0 must have required property 'tool_call_id'",
    "openai",
    "POST",
    "/v1/chat/completions",
    { model: "any", messages: [{ role: "tool", content: "42" }] },
  ],
  [
    "body / has a field that is not described: max_tokens",
    "openai",
    "POST",
    "/v1/responses",
    { model: "any", input: "What is it?", max_tokens: 10 },
  ],
  [
    "body /input/0 must have required property 'call_id'",
    "openai",
    "POST",
    "/v1/responses",
    { model: "any", input: [{ type: "function_call", name: "read", arguments: "{}" }] },
  ],
  [
    "no credentials: none of authorization",
    "openai",
    "GET",
    "/v1/models",
    undefined,
    { authorization: "Basic bWlhOnNlY3JldA==" },
  ],
];

const contracts = loadContracts();
const there = contracts === null ? " (skipped: no ../shared/specs beside the project)" : "";

function need(): Contracts {
  if (contracts === null) throw new Error("there are no descriptions");
  return contracts;
}

describe.skipIf(contracts === null)(`the check of requests against official descriptions${there}`, () => {
  test.each(good.map(([service, ...call]) => ({ service, call, title: `${service}: ${call[0]} ${call[1]}` })))(
    "lets pass $title",
    ({ service, call }) => {
      expect(need().check(service, logged(service, call))).toEqual([]);
    },
  );

  test.each(bad.map(([rule, service, ...call]) => ({ rule, service, call, title: `${call[0]} ${call[1]}` })))(
    "finds: $rule ($service: $title)",
    ({ rule, service, call }) => {
      const found = need().check(service, logged(service, call));
      expect(found.map((line) => line.split(": ").slice(2).join(": "))).toContain(rule);
      expect(found[0]).toContain(`${service}: ${call[0]} /`);
    },
  );

  test.each(exemptions.map((one): [string, Exemption] => [one.reason, one]))(
    "still needs: %s",
    (_reason, exemption) => {
      const { method, path, query = "", body } = exemption.example;
      const request = logged(exemption.service, [method, `${path}${query}`, body]);
      const rules = need().checkWithoutExemptions(exemption.service, request);
      expect(rules.some((line) => exemption.rule.test(line.split(": ").slice(2).join(": ")))).toBe(true);
      expect(need().check(exemption.service, request)).toEqual([]);
    },
  );
});

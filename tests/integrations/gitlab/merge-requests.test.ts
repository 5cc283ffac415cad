import { expect, test } from "vitest";
import type { CodeReader, CodeWriter } from "../../../src/domain/ports.ts";
import { createGitLab } from "../../../src/integrations/gitlab/gitlab.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import type { GitLabStandIn } from "../../../src/stand-ins/gitlab/gitlab.ts";
import { api, bot, branchWithChange, dana, mary, openGitLab, shop } from "../../stand-ins/gitlab/playground.ts";

const branch = "ticketsmith/SHOP-1";
const marker = "mr:SHOP-1";

type Input = Parameters<CodeWriter["ensureMergeRequest"]>[0];
const wanted = (more: Partial<Input> = {}): Input => ({
  repository: shop,
  sourceBranch: branch,
  targetBranch: "main",
  title: "SHOP-1 Add the tax rate",
  body: parseMarkdown("It **works**.\n\n- one\n- two"),
  draft: true,
  labels: ["ticketsmith"],
  marker,
  ...more,
});

async function open(path?: string): Promise<{ gitlab: GitLabStandIn; client: CodeReader & CodeWriter }> {
  const gitlab = await openGitLab(path === undefined ? {} : { path });
  await branchWithChange(gitlab, branch);
  return { gitlab, client: createGitLab({ baseUrl: gitlab.baseUrl, token: bot.token, log: silentLog }) };
}
const writesOf = (gitlab: GitLabStandIn) =>
  gitlab.requests
    .filter(({ method, path }) => method !== "GET" && path.includes("merge_requests"))
    .map(({ method }) => method);

test("created once, then unchanged without another write", async () => {
  const { gitlab, client } = await open();
  const url = `${gitlab.baseUrl}/acme/shop/-/merge_requests/1`;
  expect(await client.ensureMergeRequest(wanted())).toEqual({ outcome: "created", ref: { id: "1", url } });
  expect(await client.ensureMergeRequest(wanted())).toEqual({ outcome: "unchanged", ref: { id: "1", url } });
  expect(writesOf(gitlab)).toEqual(["POST"]);
  const [found] = gitlab.mergeRequests(shop);
  expect(found).toMatchObject({
    title: "Draft: SHOP-1 Add the tax rate",
    description: "<!-- ticketsmith:begin mr:SHOP-1 -->\n\nIt **works**.\n\n- one\n- two\n\n<!-- ticketsmith:end -->",
    labels: ["ticketsmith"],
    removeSourceBranch: true,
  });
  expect(gitlab.unknown).toEqual([]);
});

test("a relative URL root works throughout", async () => {
  const { gitlab, client } = await open("/code/gitlab");
  expect((await client.ensureMergeRequest(wanted())).ref.url).toBe(
    `${gitlab.url}/code/gitlab/acme/shop/-/merge_requests/1`,
  );
  expect((await client.readProject(shop)).cloneUrl).toBe(`${gitlab.url}/code/gitlab/acme/shop.git`);
});

test("title, body and labels are brought up to date; what people wrote and labelled stays", async () => {
  const { gitlab, client } = await open();
  await client.ensureMergeRequest(wanted());
  const [found] = gitlab.mergeRequests(shop);
  const description = `Mind the release!\r\n\r\n${found?.description.replaceAll("\n", "\r\n")}\r\n\r\nSigned off by Mary`;
  await api(gitlab, mary, "PUT", "merge_requests/1", { description, add_labels: "urgent" });

  expect((await client.ensureMergeRequest(wanted())).outcome).toBe("unchanged");
  const updated = await client.ensureMergeRequest(
    wanted({ title: "SHOP-1 Add both tax rates", body: parseMarkdown("Now both."), labels: ["ticketsmith", "tax"] }),
  );
  expect(updated.outcome).toBe("updated");
  expect(found).toMatchObject({
    title: "Draft: SHOP-1 Add both tax rates",
    description:
      "Mind the release!\n\n<!-- ticketsmith:begin mr:SHOP-1 -->\n\nNow both.\n\n<!-- ticketsmith:end -->\n\nSigned off by Mary",
    labels: ["ticketsmith", "urgent", "tax"],
  });
});

test("who takes the draft prefix away is not contradicted", async () => {
  const { gitlab, client } = await open();
  await client.ensureMergeRequest(wanted());
  await api(gitlab, mary, "PUT", "merge_requests/1", { title: "SHOP-1 Add the tax rate" });
  expect((await client.ensureMergeRequest(wanted())).outcome).toBe("unchanged");
  expect((await client.ensureMergeRequest(wanted({ body: parseMarkdown("New.") }))).outcome).toBe("updated");
  expect(gitlab.mergeRequests(shop)[0]?.title).toBe("SHOP-1 Add the tax rate");
});

test("a merge request that a person opened for the branch is adopted", async () => {
  const { gitlab, client } = await open();
  const theirs = { title: "Taxes", source_branch: branch, target_branch: "main", description: "Please look" };
  await api(gitlab, dana, "POST", "merge_requests", theirs);
  expect(await client.ensureMergeRequest(wanted())).toMatchObject({ outcome: "updated", ref: { id: "1" } });
  expect(gitlab.mergeRequests(shop)[0]?.description).toMatch(/^Please look\n\n<!-- ticketsmith:begin mr:SHOP-1 -->/);
});

test("a closed one does not count, a new one is opened", async () => {
  const { gitlab, client } = await open();
  await client.ensureMergeRequest(wanted());
  await api(gitlab, dana, "PUT", "merge_requests/1", { state_event: "close" });
  expect(await client.findMergeRequest({ repository: shop, sourceBranch: branch })).toBeNull();
  expect(await client.ensureMergeRequest(wanted())).toMatchObject({ outcome: "created", ref: { id: "2" } });
});

test.each([
  ["an answer lost after the call", { when: "after", answer: { status: 502, body: "Bad gateway" } } as const],
  ["a connection cut after the call", { when: "after", reset: true } as const],
  ["a refusal before the call", { when: "before", answer: { status: 503, body: "" } } as const],
])("%s: one attempt, Retryable, and the second ensure leaves exactly one", async (_name, fault) => {
  const { gitlab, client } = await open();
  gitlab.fault = ({ method, path }) => (method === "POST" && path.endsWith("/merge_requests") ? fault : undefined);
  await expect(client.ensureMergeRequest(wanted())).rejects.toMatchObject({ name: "Retryable" });
  expect(writesOf(gitlab)).toEqual(["POST"]);
  gitlab.fault = () => undefined;
  const again = await client.ensureMergeRequest(wanted());
  expect(again.outcome).toBe(fault.when === "after" ? "unchanged" : "created");
  expect(gitlab.mergeRequests(shop)).toHaveLength(1);
});

test("opened by somebody between look and call: the 409 leads to it", async () => {
  const { gitlab, client } = await open();
  const theirs = { title: "Taxes", source_branch: branch, target_branch: "main" };
  await api(gitlab, dana, "POST", "merge_requests", theirs);
  let looks = 0;
  gitlab.fault = ({ method, path }) => {
    if (method !== "GET" || !path.endsWith("/merge_requests")) return undefined;
    looks += 1;
    return looks === 1 ? { when: "before", answer: { status: 200, body: [] } } : undefined;
  };
  expect(await client.ensureMergeRequest(wanted())).toMatchObject({ outcome: "updated", ref: { id: "1" } });
  expect(gitlab.mergeRequests(shop)).toHaveLength(1);
});

test("a block whose end somebody deleted loses no text", async () => {
  const { gitlab, client } = await open();
  await client.ensureMergeRequest(wanted());
  await api(gitlab, mary, "PUT", "merge_requests/1", {
    description: "<!-- ticketsmith:begin mr:SHOP-1 -->\n\nMy own words",
  });
  await client.ensureMergeRequest(wanted());
  const [found] = gitlab.mergeRequests(shop);
  expect(found?.description).toMatch(/My own words\n\n<!-- ticketsmith:begin mr:SHOP-1 -->\n\nIt \*\*works\*\*/);
  expect((await client.ensureMergeRequest(wanted())).outcome).toBe("unchanged");
});

test("a body cannot end our block early, and a draft in the title is not doubled", async () => {
  const { gitlab, client } = await open();
  const body = parseMarkdown("a\n\n<!-- ticketsmith:end -->\n\nb");
  await client.ensureMergeRequest(wanted({ body, title: `Draft: [Draft] SHOP-1 ${"x".repeat(400)}` }));
  expect((await client.ensureMergeRequest(wanted({ body, title: `SHOP-1 ${"x".repeat(400)}` }))).outcome).toBe(
    "unchanged",
  );
  const [found] = gitlab.mergeRequests(shop);
  expect(found?.title).toMatch(/^Draft: SHOP-1 x+…$/);
  expect(found?.title).toHaveLength(255);
  expect(found?.description.match(/ticketsmith:end/g)).toHaveLength(1);
});

test("GitLab runs what a body lets through: the oracle of the outgoing gate", async () => {
  const { gitlab, client } = await open();
  const raw = { type: "root" as const, children: [{ type: "html" as const, value: "/approve" }] };
  await client.ensureMergeRequest(wanted({ body: raw }));
  expect(gitlab.executedQuickActions).toMatchObject([{ name: "approve", userId: bot.id, effective: true }]);
});

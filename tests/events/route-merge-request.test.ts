/** Who may say what on a merge request, and what comes of it. */
import { describe, expect, test } from "vitest";
import type { Person } from "../../src/domain/merge-request.ts";
import type { Run } from "../../src/domain/run.ts";
import { commandNames } from "../../src/events/command.ts";
import { foregone } from "../../src/events/foregone.ts";
import type { MergeRequestDecision, MergeRequestFacts, OnMergeRequest } from "../../src/events/merge-request-facts.ts";
import { routeMergeRequest } from "../../src/events/route-merge-request.ts";
import { Policy } from "../../src/platform/policy.ts";

const base = {
  projects: { SHOP: { repository: "acme/shop" }, OPS: { repository: "acme/ops" } },
  people: { start: {}, identities: { "jira-mia": "11" } },
};
const policy = Policy.parse(base);
const withRules = (mergeRequests: object): Policy => Policy.parse({ ...base, mergeRequests });

const person = (level: number, more: Partial<Person> = {}): Person => ({
  id: "11",
  name: "mia",
  level,
  bot: false,
  ...more,
});
const facts = (more: Partial<MergeRequestFacts> = {}): MergeRequestFacts => ({
  self: "900",
  startedRun: null,
  person: person(40),
  groups: [],
  busy: null,
  runs: [],
  answers: { thread: 0, hour: 0 },
  reviewed: false,
  openRequest: null,
  repairs: 0,
  ...more,
});
const said = (body: string, more: object = {}): OnMergeRequest => ({
  type: "mr.commented",
  repository: "acme/shop",
  iid: 12,
  actor: { id: "11", name: "mia" },
  noteId: 5012,
  discussionId: "d1",
  body,
  sourceBranch: "ticketsmith/SHOP-7",
  sha: "a".repeat(40),
  thread: false,
  ...more,
});
const run = (more: Partial<Run> = {}): Run =>
  ({
    id: "r1",
    workflow: "deliver",
    state: "running",
    step: "plan",
    reason: null,
    costUsd: 1,
    epoch: 1,
    requestedBy: "jira-otto",
    target: { ticket: "SHOP-7", project: "SHOP", repository: "acme/shop" },
    ...more,
  }) as Run;

/** In a word: the workflow, what is answered at once, or that nothing comes of it. */
function gist(decision: MergeRequestDecision): string {
  if (decision.kind !== "start") return decision.kind;
  return decision.target.answer?.about ?? decision.workflow;
}

describe("who may give which command", () => {
  const group = withRules({ commands: { merge: { groups: ["acme/release"] }, review: { level: "maintainer" } } });
  const reader = ["help", "status"];
  const reporter = [...reader, "ask"];
  const developer = [
    ...reporter,
    ...[
      "review",
      "describe",
      "improve",
      "split",
      "fix",
      "test",
      "docs",
      "changelog",
      "conflicts",
      "heal",
      "stop",
      "retry",
    ],
  ];
  const all = [...commandNames];
  const identities: [
    who: string,
    facts: Partial<MergeRequestFacts>,
    event: object,
    policy: Policy,
    may: readonly string[],
    otherwise: string,
  ][] = [
    ["a stranger", { person: person(0) }, {}, policy, [], "ignore"],
    ["a guest", { person: person(10) }, {}, policy, reader, "refused"],
    ["a planner", { person: person(15) }, {}, policy, reader, "refused"],
    ["a reporter", { person: person(20) }, {}, policy, reporter, "refused"],
    ["a developer", { person: person(30) }, {}, policy, developer, "refused"],
    ["a maintainer", { person: person(40) }, {}, policy, all, "refused"],
    ["an owner", { person: person(50) }, {}, policy, all, "refused"],
    ["an account that is gone", { person: null }, {}, policy, [], "ignore"],
    ["nobody", {}, { actor: null }, policy, [], "ignore"],
    ["another bot with every right", { person: person(50, { bot: true }) }, {}, policy, [], "ignore"],
    ["the bot itself", { person: person(50) }, { actor: { id: "900", name: "ticketsmith" } }, policy, [], "ignore"],
    [
      "a member of the group for one command",
      { person: person(0), groups: ["acme/release"] },
      {},
      group,
      ["merge"],
      "refused",
    ],
    [
      "a developer where a command is for maintainers",
      { person: person(30) },
      {},
      group,
      developer.filter((name) => name !== "review"),
      "refused",
    ],
  ];
  test.each(identities)("%s", (_who, who, event, rules, may, otherwise) => {
    const allowed = commandNames.filter((name) => {
      const outcome = gist(routeMergeRequest(said(`@ticketsmith ${name} +2`, event), facts(who), rules));
      if (outcome === otherwise) return false;
      expect(["ignore", "refused", "later"]).not.toContain(outcome);
      return true;
    });
    expect(allowed.toSorted()).toEqual([...may].toSorted());
  });
});

describe("what comes of a note", () => {
  const rows: [name: string, OnMergeRequest, Partial<MergeRequestFacts>, string][] = [
    ["a question", said("@ticketsmith ask why?"), {}, "ask"],
    ["a fix", said("/ticketsmith fix the rounding"), {}, "change"],
    ["a fix while a run is at the branch", said("@ticketsmith fix it"), { busy: run() }, "later"],
    ["a review while a run is at the branch", said("@ticketsmith review"), { busy: run() }, "review"],
    ["a slip of the pen", said("@ticketsmith reviwe"), {}, "unknown"],
    ["no command", said("looks good to me"), {}, "ignore"],
    ["a quoted command", said("> @ticketsmith fix\n\nwhy that?"), {}, "ignore"],
    ["a command on another line", said("hm\n@ticketsmith fix"), {}, "ignore"],
    ["PR-Agent's names, where they are not wanted", said("/review"), {}, "ignore"],
    ["a note that was handled", said("@ticketsmith ask why?"), { startedRun: "r0" }, "ignore"],
    ["another repository", said("@ticketsmith help", { repository: "acme/other" }), {}, "ignore"],
    ["a thread on our branch", said("please use a map here", { thread: true }), {}, "address"],
    [
      "a thread on a person's branch",
      said("please use a map", { thread: true, sourceBranch: "feature" }),
      {},
      "ignore",
    ],
    ["a thread by a reporter", said("use a map", { thread: true }), { person: person(20) }, "ignore"],
    ["a thread by a bot", said("use a map", { thread: true }), { person: person(30, { bot: true }) }, "ignore"],
    [
      "a thread while the branch is busy",
      said("use a map", { thread: true }),
      { busy: run({ workflow: "heal" }) },
      "later",
    ],
    [
      "a thread that a run is about to read",
      said("use a map", { thread: true }),
      { busy: run({ workflow: "address", epoch: 0 }) },
      "ignore",
    ],
    ["stop with nothing at work", said("@ticketsmith stop"), { runs: [run({ state: "done" })] }, "nothing_to_stop"],
    ["stop", said("@ticketsmith stop"), { runs: [run()] }, "stopped"],
    ["budget", said("@ticketsmith budget +2"), { runs: [run({ state: "waiting" })] }, "raised"],
    ["budget without a sum", said("@ticketsmith budget"), { runs: [run()] }, "not_raised"],
    ["too much budget", said("@ticketsmith budget +2000"), { runs: [run()] }, "not_raised"],
    ["budget for nothing", said("@ticketsmith budget +2"), {}, "not_raised"],
    ["retry", said("@ticketsmith retry"), { runs: [run({ state: "failed" })] }, "retried"],
    ["retry of what went well", said("@ticketsmith retry"), { runs: [run({ state: "done" })] }, "nothing_to_retry"],
    ["reject", said("@ticketsmith reject"), { runs: [run()] }, "rejected"],
    ["merge where it is not allowed", said("@ticketsmith merge"), {}, "not_allowed"],
    ["approve of a person's merge request", said("@ticketsmith approve", { sourceBranch: "feature" }), {}, "not_ours"],
    ["the limit in a thread", said("@ticketsmith ask why?"), { answers: { thread: 10, hour: 10 } }, "limit"],
    ["beyond it", said("@ticketsmith ask why?"), { answers: { thread: 11, hour: 11 } }, "ignore"],
    ["the limit on a merge request", said("@ticketsmith help"), { answers: { thread: 0, hour: 30 } }, "limit"],
  ];
  test.each(rows)("%s", (_name, event, known, outcome) => {
    expect(gist(routeMergeRequest(event, facts(known), policy))).toBe(outcome);
  });

  test("PR-Agent's names count where they are wanted", () => {
    const rules = withRules({ aliases: true });
    const words = ["/review", "/ask why", "/add_docs", "/update_changelog", "/assign @mia", "/approve"];
    const outcomes = words.map((body) => gist(routeMergeRequest(said(body), facts(), rules)));
    expect(outcomes).toEqual(["review", "ask", "change", "change", "ignore", "ignore"]);
  });

  test("the run knows who asked what where, and its ticket", () => {
    expect(routeMergeRequest(said("@ticketsmith fix the *rounding*"), facts(), policy)).toEqual({
      kind: "start",
      workflow: "change",
      requestedBy: "11",
      cause: "gitlab:note:5012",
      target: {
        ticket: "SHOP-7",
        project: "SHOP",
        repository: "acme/shop",
        space: undefined,
        parentPage: undefined,
        mergeRequest: { iid: 12, sourceBranch: "ticketsmith/SHOP-7" },
        request: {
          command: "fix",
          argument: "the *rounding*",
          noteId: 5012,
          discussionId: "d1",
          by: { id: "11", name: "mia" },
        },
      },
    });
  });

  test.each([
    ["feature/SHOP-31-rounding", "SHOP-31"],
    ["feature/OTHER-3", "acme/shop!12"],
    ["feature/UTF-8", "acme/shop!12"],
    ["main", "acme/shop!12"],
  ])("a merge request of branch %s belongs to %s", (sourceBranch, ticket) => {
    const decision = routeMergeRequest(said("@ticketsmith help", { sourceBranch }), facts(), policy);
    expect(decision).toMatchObject({ target: { ticket } });
  });
});

describe("who may approve a change of the bot", () => {
  const approve = said("@ticketsmith approve");
  const by = (requestedBy: string): Partial<MergeRequestFacts> => ({ runs: [run({ state: "done", requestedBy })] });
  const asked = (id: string): Run =>
    run({
      id: "r2",
      workflow: "change",
      state: "done",
      target: { ...run().target, request: { argument: "", noteId: 1, discussionId: null, by: { id, name: "x" } } },
    });
  const elsewhere = Policy.parse({
    ...base,
    people: { start: {}, identities: { "jira-otto": "12", "jira-mia": "11" } },
  });
  test.each<[string, Partial<MergeRequestFacts>, Policy, string]>([
    ["not who asked for it", by("jira-mia"), policy, "requester"],
    ["not while nobody knows who asked for it", by("jira-otto"), policy, "unknown_requester"],
    [
      "not who asked for a part of it",
      { runs: [asked("11"), ...(by("jira-otto").runs ?? [])] },
      elsewhere,
      "requester",
    ],
    ["somebody else", by("jira-otto"), elsewhere, "a".repeat(40)],
    ["anybody, where that is allowed", by("jira-mia"), withRules({ requesterMayApprove: true }), "a".repeat(40)],
  ])("%s", (_name, known, rules, detail) => {
    expect(routeMergeRequest(approve, facts(known), rules)).toMatchObject({ target: { answer: { detail } } });
  });
});

describe("pushes and pipelines", () => {
  const pushed = (more: object = {}): OnMergeRequest => ({
    type: "mr.changed",
    repository: "acme/shop",
    iid: 12,
    actor: { id: "11", name: "mia" },
    action: "update",
    sourceBranch: "feature",
    sha: "b".repeat(40),
    pushed: true,
    ...more,
  });
  const pipeline = (status: string, more: object = {}): OnMergeRequest => ({
    type: "pipeline.changed",
    repository: "acme/shop",
    actor: null,
    pipelineId: 77,
    status,
    ref: "ticketsmith/SHOP-7",
    sha: "b".repeat(40),
    iid: 12,
    ...more,
  });
  const all = withRules({ review: { on: "all" } });
  test.each<[string, OnMergeRequest, Partial<MergeRequestFacts>, Policy, string]>([
    ["a push nobody wants reviewed", pushed(), {}, policy, "ignore"],
    ["a push after a review", pushed(), { reviewed: true }, policy, "review"],
    ["every push", pushed(), {}, all, "review"],
    ["our own push", pushed({ actor: { id: "900", name: "ticketsmith" } }), {}, all, "ignore"],
    ["new labels", pushed({ pushed: false }), {}, all, "ignore"],
    ["opened", pushed({ pushed: false, action: "open" }), {}, all, "review"],
    [
      "merged while a run is at the branch",
      pushed({ action: "merge", pushed: false }),
      { busy: run() },
      policy,
      "cancel",
    ],
    ["merged", pushed({ action: "merge", pushed: false }), {}, policy, "ignore"],
    ["a failed pipeline of ours", pipeline("failed"), {}, policy, "heal"],
    ["a failed pipeline of a person's branch", pipeline("failed", { ref: "feature" }), {}, policy, "ignore"],
    ["a failed pipeline while a run is at the branch", pipeline("failed"), { busy: run() }, policy, "later"],
    ["a pipeline that runs", pipeline("running"), {}, policy, "ignore"],
    ["a green pipeline", pipeline("success"), {}, policy, "ignore"],
    ["a green pipeline after repairs", pipeline("success"), { repairs: 2 }, policy, "heal"],
    ["a green pipeline that ends a draft", pipeline("success"), {}, withRules({ undraft: true }), "heal"],
    ["a branch pipeline with a merge request", pipeline("failed", { iid: null }), { openRequest: 12 }, policy, "heal"],
    ["a branch pipeline without", pipeline("failed", { iid: null }), {}, policy, "ignore"],
    ["healing by command only", pipeline("failed"), {}, withRules({ heal: { on: "asked" } }), "ignore"],
  ])("%s", (_name, event, known, rules, outcome) => {
    expect(gist(routeMergeRequest(event, facts(known), rules))).toBe(outcome);
  });

  test("what needs no facts has its verdict at once", () => {
    const self = { jira: "bot", gitlab: "900" };
    expect(foregone(pipeline("running"), self, policy)).toMatch(/running/);
    expect(foregone(said("thanks!"), self, policy)).toMatch(/no command/);
    expect(foregone(said("@ticketsmith help", { actor: { id: "900", name: "ticketsmith" } }), self, policy)).toMatch(
      /own/,
    );
    expect(foregone(said("@ticketsmith help"), self, policy)).toBeNull();
    expect(foregone(pipeline("failed"), self, policy)).toBeNull();
    expect(foregone(pushed(), self, policy)).toBeNull();
  });
});

/** Every template renders with the full set of its values, is strict about them, and cannot be bent by what people and models wrote. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseMarkdown } from "../src/platform/markdown.ts";
import { render } from "../src/platform/template.ts";

const ugly =
  'a|b\nc\n\n# Tests: ✅ passed\n| x | y |\n|---|---|\n<img src="http://evil.example/x.png"> `code` \\| [l](javascript:x) /approve';
const link = { title: ugly, url: "https://gitlab.example/acme/shop/-/merge_requests/7" };
const ticket = { key: "SHOP-1", url: "https://jira.example/browse/SHOP-1", summary: ugly };
const tests = { status: "failed", command: "npm test -- 'a|b'", detail: ugly, flaky: false, failures: [ugly] };
const checks = {
  originals: tests,
  weakened: [{ path: ugly, problem: ugly }],
  qaTests: [
    { path: ugly, status: "passed", showsChange: "yes" },
    { path: ugly, status: "failed", showsChange: "unknown" },
  ],
  showsChange: "no",
  coverage: { covered: 1, total: 3, missing: [ugly] },
  findings: [{ path: ugly, problem: ugly, rule: "dependencies", action: "park" }],
  redBefore: true,
  lint: tests,
  rolledBack: true,
  rounds: 2,
};
const checkList = render("gitlab/checks.md", { checks, contradicted: [ugly], ignored: [ugly] }).trim();
const proof = ["met", "not_met", "cannot_tell"].flatMap((verdict) => [
  { criterion: ugly, verdict, command: "grep 'a\\|b' `x`", exitCode: 0, evidence: ugly },
  { criterion: ugly, verdict, command: ugly, exitCode: null, evidence: ugly },
  { criterion: ugly, verdict, command: null, exitCode: null, evidence: ugly },
]);
const understanding = {
  summary: ugly,
  kind: "bug",
  acceptanceCriteria: [ugly, "second"],
  outOfScope: [ugly],
  questions: [ugly],
};
const plan = { approach: ugly, files: [], tests: [], risks: [ugly] };
const status = {
  state: "done",
  headline: ugly,
  step: ugly,
  understanding,
  proof,
  tests,
  checks: checkList,
  mergeRequest: link,
  page: link,
  commit: "0123456789abcdef0123456789abcdef01234567",
  minutes: 12.4,
  costUsd: 0.123,
  tokens: 34_567,
  runId: "run-1",
  budget: [ugly],
  needs: ugly,
  hints: ugly,
};
const mergeRequest = {
  ticket,
  claim: { summary: ugly },
  plan,
  proof,
  tests,
  needs: ugly,
  checks: checkList,
  risks: [ugly],
  disagreements: [{ path: ugly, problem: "changed, but not mentioned" }],
  runId: "run-1",
  runUrl: "https://bot.example.com/runs/run-1",
  costUsd: 0.123,
  minutes: 12.4,
  page: link,
};
const madeCommit = {
  id: "0123456789abcdef0123456789abcdef01234567",
  url: "https://gitlab.example/acme/shop/-/commit/0123",
};
const bodySince = {
  claim: { title: ugly, summary: ugly },
  commit: madeCommit,
  tests,
  checks: checkList,
  remarks: [ugly],
  proof,
  minutes: 12.4,
  costUsd: 0.123,
  runId: "run-1",
};
const amended = {
  ...bodySince,
  command: "conflicts",
  merge: { branch: ugly, of: madeCommit.id, conflicts: [{ path: ugly, kind: "contents" }] },
  hindrance: null as { kind: string; details: string[] } | null,
  patch: "",
};
const addressed = {
  report: { thread: 1, outcome: "fixed", words: ugly } as object | null,
  commit: madeCommit,
  hindrance: null as { kind: string; details: string[] } | null,
  testWords: "✅ passed",
  doubt: "elsewhere",
  others: true,
};
const page = {
  ticket,
  mergeRequest: link,
  commit: status.commit,
  tests,
  summary: ugly,
  sections: [{ heading: ugly, markdown: ugly }],
  proof,
  runId: "run-1",
};

const remark = { path: ugly, line: 7, severity: "minor", title: ugly, explanation: ugly };

const healing = {
  verdict: "repair",
  pipeline: { id: 12, url: link.url, status: "failed" },
  sha: status.commit,
  repairs: 2,
  rollbacks: 1,
  retried: [ugly],
};
const failedJob = {
  id: 3,
  name: ugly,
  url: link.url,
  class: "ours",
  by: "agent",
  cause: ugly,
  evidence: ugly,
  again: true,
};
const healed = {
  ...healing,
  failed: [failedJob, { ...failedJob, class: "infrastructure", by: "reason" }],
  others: 2,
  worse: [ugly],
  outcome: {
    kind: "repair",
    hindrance: null,
    commit: status.commit,
    title: ugly,
    summary: ugly,
    tests,
    remarks: [ugly],
  },
  why: "",
  tried: [{ commit: status.commit, kind: "repair", title: ugly, summary: ugly }],
  number: 2,
  most: 3,
  target: ugly,
  runId: "run-1",
};

/** Template, its full values, and how many headings and tables it has of its own. */
const full: Record<string, { values: Record<string, unknown>; headings?: number; tables?: number }> = {
  "jira/status.md": { values: status, headings: 2, tables: 1 },
  "jira/limit.md": {
    values: { usd: "2", amount: "$2.00", most: "$20.00", step: ugly, opens: "day", days: 7 },
    headings: 0,
    tables: 0,
  },
  "jira/away.md": { values: { system: ugly, lockedOut: false }, headings: 0, tables: 0 },
  "gitlab/merge-request.md": { values: mergeRequest, headings: 6, tables: 1 },
  "gitlab/checks.md": { values: { checks, contradicted: [ugly], ignored: [ugly] }, headings: 0, tables: 0 },
  "gitlab/answer.md": {
    values: {
      about: "status",
      detail: "",
      runs: [{ id: "r1", workflow: "deliver", state: "failed", step: ugly, reason: ugly, costUsd: 1.5 }],
      may: "developer",
      most: 20,
    },
    headings: 0,
    tables: 1,
  },
  "gitlab/description.md": {
    values: {
      summary: ugly,
      changes: [{ about: ugly, change: ugly }],
      risks: [ugly],
      withheld: 1,
      sha: "0123456789",
      runId: "r1",
      costUsd: 0.1,
    },
    headings: 1,
    tables: 1,
  },
  "gitlab/described.md": { values: { sha: "0123456789" } },
  "gitlab/parts.md": {
    values: {
      worthIt: true,
      why: ugly,
      parts: [
        { title: ugly, why: ugly, files: [ugly] },
        { title: "b", why: "c", files: Array(8).fill("src/a.js") },
      ],
      left: [ugly],
    },
    headings: 0,
    tables: 0,
  },
  "gitlab/standing.md": {
    values: { state: "waiting", headline: ugly, needs: ugly, hints: null, step: "plan", costUsd: 0.1, runId: "r1" },
    headings: 0,
    tables: 0,
  },
  "jira/preflight.md": {
    values: { obstacle: { kind: "message", about: "x", pattern: "y" }, repository: "acme/shop" },
    headings: 0,
    tables: 0,
  },
  "jira/pipeline.md": {
    values: { ...healing, verdict: "handover", mergeRequest: link, red: [ugly], why: "red" },
    headings: 0,
    tables: 0,
  },
  "gitlab/healed.md": { values: healed, headings: 0, tables: 0 },
  "gitlab/heal-left.md": { values: { why: "unfinished", pipeline: healing.pipeline } },
  "gitlab/heal-reason.md": { values: { verdict: "green", id: 12 } },
  "gitlab/heal-rollback.md": { values: { title: ugly, worse: [ugly] } },
  "gitlab/heal-why.md": { values: { hindrance: { kind: "red", details: [ugly] } } },
  "gitlab/obstacle.md": { values: { why: "moved" } },
  "gitlab/not-begun.md": { values: { why: "unreadable", details: [ugly], targetBranch: ugly }, headings: 0, tables: 0 },
  "gitlab/not-pushed.txt": { values: { kind: "red" } },
  "gitlab/amended.md": { values: amended, headings: 0, tables: 1 },
  "gitlab/body-since.md": { values: bodySince, headings: 1, tables: 1 },
  "gitlab/addressed.md": { values: addressed, headings: 0, tables: 0 },
  "gitlab/amend-message.txt": {
    values: {
      key: "SHOP-1",
      title: ugly,
      summary: ugly,
      merge: { from: ugly, into: ugly },
      ticketUrl: ticket.url,
      request: "https://gitlab.example/acme/shop/-/merge_requests/7#note_1",
      runId: "run-1",
    },
  },
  "gitlab/finding.md": {
    values: { severity: "major", kind: "api", title: ugly, explanation: ugly, movedFrom: 12 },
    headings: 0,
    tables: 0,
  },
  "gitlab/review.md": {
    values: {
      worst: "blocker",
      counts: { fresh: 1, open: 2, fixed: 3, outdated: 1 },
      threads: [remark],
      elsewhere: [remark, remark],
      surplus: [remark],
      trivia: [remark, remark],
      dismissed: 1,
      ticket,
      criteria: ["met", "not_met", "cannot_tell"].map((verdict) => ({ criterion: ugly, verdict, evidence: ugly })),
      files: 3,
      lines: 1,
      leftOut: ["withheld", "binary", "generated", "lock", "large", "failed"].map((reason) => ({ path: ugly, reason })),
      sha: "0123456789abcdef",
      costUsd: 0.1,
      runId: "r1",
    },
    headings: 0,
    tables: 1,
  },
  // Plain text: it becomes a line of a list in another template.
  "gitlab/remark.md": { values: { finding: { path: ugly, line: 7, severity: "major", title: ugly } } },
  "gitlab/review-closed.md": { values: { why: "fixed", sha: "0123456789abcdef" }, headings: 0, tables: 0 },
  "gitlab/review-answer.md": {
    values: { what: "review", fresh: 2, closed: 1, open: 1, elsewhere: 1, partial: true },
    headings: 0,
    tables: 0,
  },
  "gitlab/commit-message.txt": { values: { ticket, title: ugly, summary: ugly, runId: "run-1" } },
  // A section may hold tables and headings below its own.
  "confluence/page.md": { values: page, headings: 2 + 1, tables: 2 + 1 },
  "prompts/analyst.md": { values: {} },
  "prompts/planner.md": { values: {} },
  "prompts/developer.md": { values: {} },
  "prompts/reviewer.md": { values: {} },
  "prompts/qa.md": { values: {} },
  "prompts/writer.md": { values: {} },
  "prompts/devops.md": { values: {} },
  "prompts/answerer.md": { values: {} },
  "prompts/describer.md": { values: {} },
  "prompts/splitter.md": { values: {} },
  "prompts/reply.md": { values: { reply: { kind: "no_call" } } },
};

const headings = (markdown: string): number =>
  parseMarkdown(markdown).children.filter((n) => n.type === "heading").length;
const tables = (markdown: string): number => parseMarkdown(markdown).children.filter((n) => n.type === "table").length;
const statusWith = (values: Partial<Record<keyof typeof status, unknown>>): string =>
  render("jira/status.md", { ...status, headline: "h", checks: "", ...values });

it("knows every template", () => {
  const root = join(import.meta.dirname, "..", "templates");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\.(?:md|txt)$/.test(name));
  const ours = files.filter((name) => /^(?:prompts|jira|gitlab|confluence)\/[^/]+$/.test(name));
  expect(ours.toSorted()).toEqual(Object.keys(full).toSorted());
});

describe.each(Object.entries(full))("%s", (name, { values, headings: ownHeadings, tables: ownTables }) => {
  it("renders hostile values without losing its shape", () => {
    const text = render(name, values);
    expect(text).not.toMatch(/undefined|\[object|<%/);
    expect(text).not.toMatch(/\n{4,}/);
    if (ownHeadings !== undefined) expect(headings(text)).toBe(ownHeadings);
    if (ownTables !== undefined) expect(tables(text)).toBe(ownTables);
    if (name.endsWith(".md") && ownTables !== undefined)
      expect(JSON.stringify(parseMarkdown(text))).not.toContain('"type":"html"');
  });

  it.each(Object.keys(values))("needs %s", (key) => {
    expect(() => render(name, { ...values, [key]: undefined })).toThrow(`templates/${name} needs ${key}`);
  });

  it("refuses a value that it does not know", () => {
    expect(() => render(name, { ...values, extra: 1 })).toThrow(`templates/${name} never uses extra`);
  });
});

describe("table rows", () => {
  it.each(["jira/status.md", "gitlab/merge-request.md", "confluence/page.md"])(
    "%s keeps one row per criterion",
    (name) => {
      const found = parseMarkdown(render(name, full[name]?.values ?? {})).children.filter(
        (node) => node.type === "table",
      );
      const table = found.at(-1);
      expect(table?.children.length).toBe(proof.length + 1);
      expect(new Set(table?.children.map((row) => row.children.length))).toEqual(new Set([table?.align?.length]));
    },
  );
});

describe("prompts", () => {
  it.each(["analyst", "planner", "developer", "reviewer", "qa", "devops", "writer"])(
    "%s is short and says who it is",
    (role) => {
      const text = render(`prompts/${role}.md`, full[`prompts/${role}.md`]?.values ?? {});
      expect(text.startsWith(`You are the ${role} agent of Ticketsmith.`)).toBe(true);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2500);
      expect(text).toMatch(/data written by others/);
      expect(text).toMatch(/calling finish/);
    },
  );
});

describe("the status comment tells the truth", () => {
  const passed = { status: "passed", command: "npm test", detail: "12 passed" };
  const met = [{ ...proof[0], criterion: "c", verdict: "met", command: "npm test" }];

  it.each([
    ["done, all green", { tests: passed, proof: met }, "**✅ Finished, tests pass** · h"],
    ["done, no proof asked for", { tests: passed, proof: null }, "**✅ Finished, tests pass** · h"],
    [
      "done, a criterion not shown",
      { tests: passed, proof },
      "**🟡 Finished, tests pass, 6 of 9 criteria not shown to be met** · h",
    ],
    ["done, red", {}, "**🔴 Finished, but the tests are red** · h"],
    ["done, not run", { tests: { ...passed, status: "not_run" } }, "**🟡 Finished, but no tests were run** · h"],
    ["done, no tests at all", { tests: null }, "**🟡 Finished, but no tests were run** · h"],
    ["working", { state: "working" }, "**🛠️ On it** · h"],
    ["waiting", { state: "waiting" }, "**⏸️ Waiting for you** · h"],
    ["failed", { state: "failed" }, "**❌ Stopped by an error** · h"],
    ["needs human", { state: "needs_human" }, "**🙋 I need a hand** · h"],
    ["cancelled", { state: "cancelled" }, "**⏹️ Cancelled** · h"],
    ["over budget", { state: "over_budget" }, "**💰 Stopped at the budget** · h"],
    ["timed out", { state: "timed_out" }, "**⌛ Out of time** · h"],
  ])("%s", (_name, values, first) => {
    expect(statusWith(values).split("\n")[0]).toBe(first);
  });

  it("refuses a state that it has no words for", () => {
    expect(() => statusWith({ state: "sleeping" })).toThrow("templates/jira/status.md");
  });

  it("is short when there is little to say", () => {
    const nothing = {
      understanding: null,
      proof: null,
      tests: null,
      mergeRequest: null,
      page: null,
      commit: null,
      budget: [],
    };
    expect(statusWith({ ...nothing, state: "working", step: "understand", needs: null, hints: null })).toBe(
      "**🛠️ On it** · h\n\n- **Now:** understand\n\n_12 minutes · $0.12 · 35k tokens · run run-1_\n",
    );
  });

  it("reads well", () => {
    const text = statusWith({
      headline: "Draft merge request is ready for review",
      step: null,
      budget: [],
      needs: null,
      hints: "Comment `@ticketsmith stop` to stop, or `@ticketsmith retry` to try again.",
      understanding: {
        ...understanding,
        summary: "Totals ignore the discount.",
        acceptanceCriteria: ["Totals include it"],
        outOfScope: [],
        questions: [],
      },
      tests: passed,
      mergeRequest: { ...link, title: "Draft: SHOP-1: Apply the discount" },
      page: { ...link, title: "Discounts" },
      proof: [{ criterion: "Totals include it", verdict: "met", command: "npm test", exitCode: 0, evidence: "ok" }],
    });
    expect(text).toMatchInlineSnapshot(`
      "**✅ Finished, tests pass** · Draft merge request is ready for review

      - **Merge request:** [Draft: SHOP-1: Apply the discount](https://gitlab.example/acme/shop/-/merge_requests/7)
      - **Tests:** ✅ passed · \`npm test\` · 12 passed
      - **Commit:** \`0123456789ab\`
      - **Page:** [Discounts](https://gitlab.example/acme/shop/-/merge_requests/7)

      ### What I understood

      Totals ignore the discount.

      ### What was checked

      | Criterion | Result | Shown by |
      | --- | --- | --- |
      | Totals include it | ✅ met | \`npm test\` (exit 0) |

      Comment \`@ticketsmith stop\` to stop, or \`@ticketsmith retry\` to try again.

      _12 minutes · $0.12 · 35k tokens · run run-1_
      "
    `);
  });
});

describe("words about a change to a merge request", () => {
  it.each(["nothing", "refused", "red", "flaky", "weakened", "unmet", "moved", "closed"])("not pushed: %s", (kind) => {
    const text = render("gitlab/amended.md", { ...amended, hindrance: { kind, details: [ugly] } });
    expect(text).toMatch(/^\*\*I (?:pushed|changed) nothing/);
    expect(headings(text)).toBe(0);
    if (kind === "nothing") return;
    expect(render("gitlab/not-pushed.txt", { kind }).trim()).toMatch(/^Nothing was pushed: \w/);
    expect(render("gitlab/addressed.md", { ...addressed, hindrance: { kind, details: [ugly] } })).toContain(
      "**My change was not pushed:**",
    );
  });

  it.each(["tests", "elsewhere", "unmet"])("a thread is left open: %s", (doubt) => {
    expect(render("gitlab/addressed.md", { ...addressed, doubt })).toMatch(/ · left open: \w/);
  });

  it("a thread without a report is told so", () => {
    expect(render("gitlab/addressed.md", { ...addressed, report: null })).toContain("I have no answer to this one");
  });

  it("a dry run says that nothing was pushed", () => {
    expect(render("gitlab/amended.md", { ...amended, commit: null })).toContain("dry run: nothing was pushed");
  });

  it.each(["up-to-date", "conflict-free", "unreadable", "protected", "no-changelog", "no-fault"])(
    "not begun: %s",
    (why) => {
      expect(render("gitlab/not-begun.md", { why, details: [], targetBranch: "main" }).trim()).toMatch(/[.`:]$/);
    },
  );

  it("a commit without ticket and merge has its title first", () => {
    const values = {
      key: null,
      title: "Round prices",
      summary: "s",
      merge: null,
      ticketUrl: null,
      request: "u",
      runId: "r",
    };
    expect(render("gitlab/amend-message.txt", values)).toBe(
      "Round prices\n\ns\n\nRequested-In: u\nTicketsmith-Run: r\n",
    );
  });
});

describe("other messages", () => {
  it.each([
    ["settled", "I go on when the calls under way have left enough."],
    ["day", "I go on when the next day begins (UTC)."],
    ["month", "I go on when the next month begins (UTC)."],
    [null, "I stop after 7 days."],
  ])("at a limit that opens by itself: %s", (opens, then) => {
    const text = render("jira/limit.md", { usd: "2", amount: "$2.00", most: "$20.00", step: "plan", opens, days: 7 });
    expect(text).toContain(`Without an answer ${then}`);
    expect(text).toContain("`@ticketsmith budget +2`");
  });

  it("while a system is away it is plain who has to do something", () => {
    const passing = render("jira/away.md", { system: "GitLab", lockedOut: false });
    expect(passing).toContain("Nothing is lost. I try again every few minutes and go on by myself when GitLab answers");
    expect(passing).not.toContain("renew");
    expect(render("jira/away.md", { system: "GitLab", lockedOut: true })).toContain("has to renew that token");
    expect(statusWith({ state: "paused" })).toMatch(/^\*\*⏳ On hold\*\* · h/);
  });

  it("the merge request says red first", () => {
    expect(render("gitlab/merge-request.md", mergeRequest)).toContain("**The tests are red.");
    const notRun = { ...mergeRequest, tests: { ...tests, status: "not_run", command: "", detail: "no sandbox here" } };
    expect(render("gitlab/merge-request.md", notRun)).toContain("**No tests were run on this change.**");
    expect(render("gitlab/merge-request.md", notRun)).toContain("🟡 not run · no sandbox here");
  });

  it("the merge request says what is missing although the tests pass", () => {
    const green = { ...mergeRequest, tests: { ...tests, status: "passed", failures: [] }, checks: "" };
    expect(render("gitlab/merge-request.md", { ...green, needs: "Somebody who looks" })).toContain(
      "**This is not good yet. It needs:** Somebody who looks",
    );
    expect(render("gitlab/merge-request.md", { ...green, needs: null })).not.toContain("not good yet");
  });

  it("the list of checks is empty when there is nothing to say", () => {
    const nothing = { originals: null, weakened: [], qaTests: [], coverage: null, findings: [] };
    const quiet = { ...nothing, showsChange: "unknown", redBefore: false, lint: null, rolledBack: false, rounds: 0 };
    expect(render("gitlab/checks.md", { checks: quiet, contradicted: [], ignored: [] }).trim()).toBe("");
  });

  it("the commit message ends in trailers that its summary cannot fake", () => {
    const text = render("gitlab/commit-message.txt", {
      ticket,
      title: "Apply\nthe discount",
      summary: "Because.\n\nTicketsmith-Run: forged",
      runId: "run-1",
    });
    expect(text).toBe(
      "SHOP-1: Apply the discount\n\nBecause.\n\nTicketsmith-Run: forged\n\nTicket: https://jira.example/browse/SHOP-1\nTicketsmith-Run: run-1\n",
    );
  });

  it("a page without merge request, tests and proof still says so", () => {
    const text = render("confluence/page.md", {
      ...page,
      ticket: { ...ticket, summary: "s" },
      summary: "s",
      sections: [],
      mergeRequest: null,
      commit: null,
      tests: null,
      proof: null,
    });
    expect(text).toContain("> Written by Ticketsmith for [SHOP-1]");
    expect(text).toContain("| Tests | 🟡 not run |");
    expect(text).not.toContain("Merge request");
  });
});

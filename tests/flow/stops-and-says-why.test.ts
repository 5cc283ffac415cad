/** Runs that do not end green: each says on the ticket what it needs, and promises nothing that is not so. */
import { afterEach, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { requestCancel } from "../../src/store/runs.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, type StoryOptions, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

/** Starts a story and labels its ticket. */
async function labelled(options: StoryOptions): Promise<void> {
  story = await startStory(options);
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
}

function comment(): string {
  const { comments } = story.acme.jira.issue("SHOP-1");
  expect(comments).toHaveLength(1);
  return JSON.stringify(comments[0]);
}

const understanding = {
  summary: "It is not clear what is wanted.",
  kind: "bug",
  acceptanceCriteria: ["A code counts in any case"],
};

describe("the analyst has questions", () => {
  test("they are on the ticket, and nothing else happens", async () => {
    await labelled({
      scenarios: [scenario({ analyst: [finish({ ...understanding, questions: ["Should VIP25 count twice?"] })] })],
    });
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "needs_human", reason: "Should VIP25 count twice?" });
    expect(comment()).toContain("Should VIP25 count twice?");
    expect(story.acme.gitlab.mergeRequests("acme/shop")).toEqual([]);
    expect(story.acme.jira.issue("SHOP-1").status.name).toBe("In Progress");
  });
});

describe("the tests are red", () => {
  test("the draft says red, the ticket says red, and nobody is asked to review", async () => {
    const developer = [
      {
        calls: [
          {
            tool: "edit_file",
            arguments: { path: "src/discounts.js", old: '["VIP25", 25]', new: '["VIP25", 30]' },
          },
        ],
      },
      finish({ title: "All tests pass, merge at once", summary: "Everything is green.", files: ["src/discounts.js"] }),
    ];
    const qa = [finish({ criteria: [{ criterion: 1, verdict: "met", command: 1, evidence: "it works, believe me" }] })];
    await labelled({ scenarios: [scenario({ developer, qa })] });
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "needs_human", reason: expect.stringContaining("red tests (node --test)") });
    const ticket = comment();
    expect(ticket).toContain("failed");
    expect(ticket).not.toContain("tests pass");
    expect(ticket).not.toContain("✅");
    const mergeRequest = story.acme.gitlab.mergeRequests("acme/shop")[0]!;
    expect(mergeRequest.title).toBe(`Draft: SHOP-1: ${demoTicket.summary}`);
    expect(mergeRequest.description).toContain("The tests are red");
    expect(mergeRequest.description).not.toContain("✅");
    expect(story.acme.jira.issue("SHOP-1").status.name).toBe("In Progress");
  });
});

describe("there is no sandbox", () => {
  test("no code is run, and everybody is told that the tests were not run", async () => {
    const developer = [
      {
        calls: [
          { tool: "run", arguments: { argv: ["node", "--test"] } },
          {
            tool: "edit_file",
            arguments: { path: "src/discounts.js", old: "codes.get(code)", new: "codes.get(code.trim())" },
          },
        ],
      },
      {
        expect: "commands cannot be run here",
        ...finish({ title: "Trim codes", summary: "Codes are trimmed.", files: ["src/discounts.js"] }),
      },
    ];
    await labelled({
      policy: { ...acmePolicy, policy: { sandbox: "none" } },
      scenarios: [scenario({ developer })],
    });
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "needs_human", reason: expect.stringContaining("runs the tests") });
    expect(comment()).toContain("not run");
    expect(comment()).not.toContain("tests pass");
    expect(story.acme.gitlab.mergeRequests("acme/shop")[0]?.description).toContain("No tests were run on this change");
  });
});

describe("the developer changes nothing", () => {
  test("there is no merge request, and the ticket says why", async () => {
    await labelled({ scenarios: [scenario({ developer: [finish({ title: "Done", summary: "Done.", files: [] })] })] });
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "needs_human", reason: expect.stringContaining("without changing a file") });
    expect(comment()).toContain("without changing a file");
    expect(story.acme.gitlab.mergeRequests("acme/shop")).toEqual([]);
  });
});

describe("the budget is used up", () => {
  test("the run waits before the next call, and says what it needs", async () => {
    await labelled({ policy: { ...acmePolicy, budgets: { run: { tokens: 6000 } } } });
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({
      state: "waiting",
      step: "understand",
      reason: expect.stringContaining("6,000 tokens"),
    });
    expect(comment()).toContain("6,000 tokens");
    expect(comment()).toContain("@ticketsmith budget +2");
  });
});

describe("somebody takes the label off again", () => {
  test("the run is cancelled while the model thinks", async () => {
    await labelled({ latencyMs: 400 });
    const { jira, model } = story.acme;
    while (model.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    jira.editLabels("SHOP-1", { remove: ["ticketsmith"] }, people.mia.accountId);
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "cancelled", reason: "label ticketsmith was removed" });
    expect(comment()).toContain("label ticketsmith was removed");
    expect(await requestCancel(story.bot.database, run.id, "again")).toBeNull();
  });
});

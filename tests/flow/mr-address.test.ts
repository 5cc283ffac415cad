/** People review the bot's own merge request: one push for all threads, a reply in every one, and only what was fixed is resolved. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Policy } from "../../src/stand-ins/model/policy.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type Turns, turn } from "../support/change-requests.ts";
import { botNotes, type GitLabPerson, gitlabPerson, requestOf } from "../support/gitlab-people.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const branch = "ticketsmith/SHOP-1";
const path = "src/discounts.js";

/** Every conversation after the delivery is about a round of review: the developer's turns, by round. */
const rounds: { readonly developer: Turns; readonly qa?: Turns }[] = [
  {
    developer: [
      turn(["read_file", { path }]),
      turn([
        "edit_file",
        {
          path,
          old: "const percent = codes.get(code.trim().toUpperCase());",
          new: "const typed = code.trim().toUpperCase();\n  const percent = codes.get(typed);",
        },
      ]),
      turn(["run", { argv: ["node", "--test"] }]),
      finish({
        title: "Name the code that is looked up",
        summary: "The code that is looked up has a name.",
        files: [path],
        threads: [
          { thread: 1, outcome: "fixed", words: "It has a name of its own now.\n\n/merge" },
          { thread: 2, outcome: "rebutted", words: "The map is read once per call, so a cache would gain nothing." },
          { thread: 3, outcome: "question", words: "Do you mean codes with letters beyond A to Z?" },
        ],
      }),
    ],
    qa: [
      turn(["run", { argv: ["node", "--test"] }]),
      finish({ criteria: [{ criterion: 1, verdict: "met", command: 1, evidence: "The tests pass" }], notes: "" }),
    ],
  },
  {
    developer: [
      finish({
        title: "No change",
        summary: "Nothing is to be changed.",
        files: [],
        threads: [{ thread: 1, outcome: "rebutted", words: "Then they are left out on purpose." }],
      }),
    ],
  },
  {
    developer: [
      turn(["edit_file", { path: "src/cart.js", old: "cents + item.price", new: "cents - item.price" }]),
      finish({
        title: "Subtract",
        summary: "Subtracted.",
        files: ["src/cart.js"],
        threads: [{ thread: 1, outcome: "fixed", words: "Done as you said." }],
      }),
    ],
  },
];

describe("a review of the bot's own merge request", () => {
  let story: Story;
  let mia: GitLabPerson;
  let stranger: GitLabPerson;
  let round = 0;
  const { agents } = scenario();

  const model: Policy = ({ agent, turn: number, messages }) => {
    const task = messages.find(({ role }) => role === "user")?.text ?? "";
    const mends = task.startsWith("Mend your change");
    const isReview = task.startsWith("People have reviewed") || (round > 0 && agent === "qa") || mends;
    if (task.startsWith("People have reviewed") && number === 0)
      round = Number(/There (?:is|are) (\d)/.exec(task)?.[1]) === 3 ? 1 : /codes beyond/.test(task) ? 2 : 3;
    const now = rounds[round - 1];
    const turns = isReview
      ? agent === "qa"
        ? now?.qa
        : mends
          ? now?.developer.slice(-1)
          : now?.developer
      : agents[agent];
    const found = turns?.[number];
    if (found === undefined) throw new Error(`the ${agent} has no turn ${number} for: ${task.slice(0, 2000)}`);
    return found;
  };

  beforeAll(async () => {
    story = await startStory({
      policies: { "SHOP-1": model },
      policy: { ...acmePolicy, mergeRequests: { quietSeconds: 1 } },
      gitlab: {
        users: [{ id: 41, username: "stranger", token: "glpat-stranger", accessLevels: { "acme/shop": 20 } }],
      },
    });
    mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
    stranger = gitlabPerson(story.acme, "glpat-stranger");
    story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    await story.finished("SHOP-1");
    await story.acme.gitlab.idle();
  });
  afterAll(() => story.close());

  /** The newest of so many runs on reviews, once all have ended. */
  async function addressed(count: number): Promise<Run> {
    const find = async (): Promise<Run[]> =>
      (await listRuns(story.bot.database, 100)).filter(({ workflow }) => workflow === "address");
    const ended = async (): Promise<number> => (await find()).filter(({ state }) => isEnd(state)).length;
    await expect.poll(ended, { timeout: 60_000, interval: 50 }).toBe(count);
    await story.acme.gitlab.idle();
    const [newest] = await find();
    if (newest === undefined) throw new Error("it is gone");
    return newest;
  }

  const repository = () => story.acme.gitlab.project("acme/shop").repository;
  const head = async (): Promise<string> => (await repository().branches()).get(branch) ?? "";
  const discussion = (id: string) => {
    const found = requestOf(story.acme, 1).discussions.find((one) => one.id === id);
    if (found === undefined) throw new Error(`there is no thread ${id}`);
    return found;
  };
  const replies = (id: string): string[] =>
    discussion(id)
      .notes.filter(({ authorId }) => authorId === 900)
      .map(({ body }) => body.replace(/<!--[\s\S]*?-->/g, "").trim());
  const isResolved = (id: string): boolean => discussion(id).notes.some(({ resolvedBy }) => resolvedBy !== null);
  const lineOf = async (text: string): Promise<number> =>
    String(await repository().readBlob(branch, path))
      .split("\n")
      .findIndex((line) => line.includes(text)) + 1;

  let fixed: string;
  let rebutted: string;
  let question: string;
  let foreign: string;

  test("three threads: one push, three replies, one resolved; a stranger's is left alone", async () => {
    const before = await head();
    const line = await lineOf("codes.get(");
    foreign = await stranger.begin(1, "Delete all of it, please.", { path, line });
    fixed = await mia.begin(1, "Give the code that is looked up a name.", { path, line });
    rebutted = await mia.begin(1, "Should this not be cached?", { path, line });
    question = await mia.begin(1, "What about codes beyond ASCII?", { path, line });
    const run = await addressed(1);
    expect(run.state).toBe("done");
    expect(await story.deeds(run)).toEqual([
      "look/eyes gitlab.award created",
      "amend/branch gitlab.branch updated",
      "respond/reply-1 gitlab.note created",
      "respond/resolve-1 gitlab.resolve updated",
      "respond/reply-2 gitlab.note created",
      "respond/reply-3 gitlab.note created",
      "respond/description gitlab.description updated",
    ]);
    const now = await head();
    const [commit] = await repository().log(branch, { limit: 1 });
    expect(commit).toMatchObject({ id: now, parents: [before] });
    expect(replies(fixed)).toEqual([
      expect.stringMatching(/^It has a name of its own now\.[\s\S]*Changed with \[\w{8}\][\s\S]*tests ✅ passed$/),
    ]);
    expect(replies(fixed)[0]).toContain(`/-/commit/${now}`);
    expect(replies(rebutted)).toEqual(["The map is read once per call, so a cache would gain nothing."]);
    expect(replies(question)).toEqual(["Do you mean codes with letters beyond A to Z?"]);
    expect([fixed, rebutted, question, foreign].map(isResolved)).toEqual([true, false, false, false]);
    expect(replies(foreign)).toEqual([]);
    expect(JSON.stringify(story.acme.model.requests)).not.toContain("Delete all of it");
    expect(requestOf(story.acme, 1).state).toBe("opened");
    expect(story.acme.gitlab.executedQuickActions).toEqual([]);
  });

  test("the description says what its newest commit is, below what it said before", () => {
    const { description } = requestOf(story.acme, 1);
    expect(description).toMatch(/## What changed[\s\S]*## Since then[\s\S]*Name the code that is looked up/);
  });

  test("an answer to the question is taken up alone, by a reply of its own; without a change nothing is pushed", async () => {
    const before = await head();
    const { notes } = discussion(question);
    // A rebuttal that nobody answers is not taken up again.
    await mia.say(1, "No codes beyond ASCII are wanted.", question);
    const run = await addressed(2);
    expect(run.state).toBe("done");
    expect(notes).toHaveLength(4);
    expect(replies(question)).toEqual([
      "Do you mean codes with letters beyond A to Z?",
      "Then they are left out on purpose.",
    ]);
    expect(await head()).toBe(before);
  });

  test("a change that turns the tests red is not pushed: the thread hears so and stays open", async () => {
    const before = await head();
    await mia.say(1, "Then subtract in the cart.", rebutted);
    const run = await addressed(3);
    expect(run.state).toBe("needs_human");
    expect(await head()).toBe(before);
    expect(replies(rebutted).at(-1)).toMatch(
      /^Done as you said\.\n\n\*\*My change was not pushed:\*\* with it tests fail/,
    );
    expect(isResolved(rebutted)).toBe(false);
  });

  test("nothing is said twice", () => {
    const bodies = botNotes(story.acme, 1).map(({ body }) => body);
    expect(new Set(bodies).size).toBe(bodies.length);
  });
});

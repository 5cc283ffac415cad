/** Somebody has a fault mended on their own merge request: one commit on top, or none and a word why. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ChangeRequests, claim, startChangeRequests, type Turns, turn } from "../support/change-requests.ts";
import { threadOf } from "../support/gitlab-people.ts";
import { finish } from "../support/scenarios.ts";

vi.setConfig({ testTimeout: 90_000 });

const rounding = `/** Price in cents. */
export function cents(price) {
  return Math.floor(price * 100);
}
`;
const roundingTest = `import assert from "node:assert/strict";
import { test } from "node:test";
import { cents } from "../src/rounding.js";

test("half a cent is rounded up", () => {
  assert.equal(cents(1.005001), 101);
});
`;

const fixing: Turns = [
  turn(["read_file", { path: "src/rounding.js" }]),
  turn(
    ["edit_file", { path: "src/rounding.js", old: "Math.floor", new: "Math.round" }],
    ["write_file", { path: "test/rounding.test.js", content: roundingTest }],
  ),
  turn(["run", { argv: ["node", "--test"] }]),
  claim("Round prices to the nearest cent", ["src/rounding.js", "test/rounding.test.js"]),
];
const met = [
  turn(["run", { argv: ["node", "--test", "test/rounding.test.js"] }]),
  finish({ criteria: [{ criterion: 1, verdict: "met", command: 1, evidence: "The test passes" }], notes: "" }),
];
const breaking: Turns = [
  turn(["edit_file", { path: "src/cart.js", old: "cents + item.price", new: "cents - item.price" }]),
  claim("Subtract", ["src/cart.js"]),
];
/** Neither reads the other's words, and the second round changes nothing more. */
const developers: Record<string, Turns> = {
  "SHOP-50": fixing,
  "SHOP-51": fixing,
  "SHOP-52": breaking,
  "SHOP-53": fixing,
  "SHOP-55": [finish({ title: "Nothing", summary: "The code rounds as it should already.", files: [] })],
  "SHOP-56": [
    turn(["write_file", { path: ".gitlab-ci.yml", content: "test: { script: [true] }\n" }]),
    claim("Skip the tests", [".gitlab-ci.yml"]),
  ],
};

/** A merge request without a ticket. */
developers["*"] = fixing;
// Red tests of the merge request's own are no reason to leave a comment out.
developers["SHOP-57"] = [
  turn(["edit_file", { path: "src/rounding.js", old: "Price in cents.", new: "Price in cents, rounded down." }]),
  claim("Say that prices are rounded down", ["src/rounding.js"]),
];

describe("fix", () => {
  let requests: ChangeRequests;
  /** Called once the developer of SHOP-53 has been asked. */
  let meanwhile: (() => Promise<unknown>) | null = null;

  beforeAll(async () => {
    requests = await startChangeRequests([], {
      policies: Object.fromEntries(
        Object.entries(developers).map(([key, turns]) => [
          key,
          ({ agent, turn: number, messages }) => {
            const task = messages.find(({ role }) => role === "user")?.text ?? "";
            if (key === "SHOP-53" && meanwhile !== null) {
              void meanwhile();
              meanwhile = null;
            }
            const mending = task.startsWith("Mend your change") ? [turns.at(-1) ?? claim("Nothing more", [])] : turns;
            const found = (agent === "qa" ? met : mending)[number];
            if (found === undefined) throw new Error(`no turn ${number} of the ${agent} for ${key}`);
            return found;
          },
        ]),
      ),
    });
  }, 60_000);
  afterAll(() => requests.story.close());

  /** A merge request of Mia's that brings the rounding. */
  async function opened(key: string, title = "Round prices"): Promise<{ iid: number; branch: string; sha: string }> {
    const branch = `feature/${key}-rounding`;
    const sha = await requests.mia.push(branch, { "src/rounding.js": rounding });
    return { ...(await requests.mia.open(branch, { title })), branch, sha };
  }

  test("what is said behind the command is mended, shown and pushed as one commit on top", async () => {
    const { iid, branch, sha } = await opened("SHOP-50");
    const note = await requests.mia.say(iid, "@ticketsmith fix prices are rounded down, they must be rounded");
    const run = await requests.runOf(note);
    expect(run).toMatchObject({ workflow: "change", state: "done" });
    expect(await requests.story.deeds(run)).toEqual([
      "look/eyes gitlab.award created",
      "amend/branch gitlab.branch updated",
      "respond/answer gitlab.note created",
    ]);
    const head = await requests.head(branch);
    const [commit] = await requests.story.acme.gitlab.project("acme/shop").repository.log(branch, { limit: 1 });
    expect(commit).toMatchObject({ id: head, parents: [sha] });
    expect(commit?.message).toMatch(
      /^SHOP-50: Round prices to the nearest cent\n\n[\s\S]*\nRequested-In: http\S+#note_\d+\nTicketsmith-Run: r\w+\n$/,
    );
    expect(await requests.read(branch, "src/rounding.js")).toContain("Math.round");
    const [reply] = requests.replies(iid, note);
    expect(reply).toContain(`/-/commit/${head}`);
    expect(reply).toMatch(/\*\*Tests:\*\* ✅ passed · `node --test`/);
    expect(reply).toContain("fails there");
    expect(reply).toMatch(/prices are rounded down, they must be rounded \| ✅ met/);
    expect(requests.tasks("developer", "SHOP-50")).toContain("rounded down, they must be rounded");
  });

  test("in a thread on a line, the line and what was said there are given along", async () => {
    const { iid, branch, sha } = await opened("SHOP-51");
    const thread = await requests.mia.begin(iid, "This loses half a cent.", { path: "src/rounding.js", line: 3 });
    const note = await requests.mia.say(iid, "@ticketsmith fix", thread);
    expect((await requests.runOf(note)).state).toBe("done");
    const heard = requests.tasks("developer", "SHOP-51");
    expect(heard).toContain("This loses half a cent.");
    expect(heard).toContain("The code that it is about: src/rounding.js, line 3");
    expect(heard).toContain("> 3\t  return Math.floor(price * 100);");
    expect(await requests.head(branch)).not.toBe(sha);
    expect(requests.replies(iid, note)).toHaveLength(1);
    expect(requests.replies(iid, note)[0]).toContain("This loses half a cent. | ✅ met");
    // Whoever began it decides whether it is done.
    expect(threadOf(requests.story.acme, iid, note).notes.some(({ resolvedBy }) => resolvedBy !== null)).toBe(false);
  });

  test("a change that turns green tests red is not pushed, and shown", async () => {
    const { iid, branch, sha } = await opened("SHOP-52");
    const note = await requests.mia.say(iid, "@ticketsmith fix the total");
    const run = await requests.runOf(note);
    expect(run).toMatchObject({ state: "needs_human", reason: expect.stringContaining("Nothing was pushed") });
    expect(await requests.head(branch)).toBe(sha);
    const replies = requests.replies(iid, note);
    expect(replies).toHaveLength(1);
    expect(replies[0]).toContain("I pushed nothing: with my change tests fail that did not fail before");
    // It would not be pushed anyway: QA is not asked.
    expect(requests.tasks("qa", "SHOP-52")).toBe("");
    expect(replies[0]).toMatch(/🔴 failed[\s\S]*```diff[\s\S]*cents - item\.price/);
  });

  test("a person pushes meanwhile: nothing is put over it, and it is said", async () => {
    const { iid, branch } = await opened("SHOP-53");
    let theirs = "";
    let arrived: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    meanwhile = async () => {
      theirs = await requests.mia.push(branch, { "NOTES.md": "mine\n" });
      arrived();
    };
    const note = await requests.mia.say(iid, "@ticketsmith fix the rounding");
    await done;
    const run = await requests.runOf(note);
    expect(run.state).toBe("needs_human");
    expect(await requests.head(branch)).toBe(theirs);
    expect(requests.replies(iid, note)).toEqual([expect.stringContaining("somebody has pushed to the branch")]);
  });

  test("without a word on what is wrong it asks, before any model does", async () => {
    const { iid } = await opened("SHOP-54");
    const note = await requests.mia.say(iid, "@ticketsmith fix");
    expect((await requests.runOf(note)).state).toBe("needs_human");
    expect(requests.replies(iid, note)).toEqual([expect.stringContaining("Tell me what to fix")]);
    expect(requests.tasks("developer", "SHOP-54")).toBe("");
  });

  test("the developer may find that nothing is wrong", async () => {
    const { iid, branch, sha } = await opened("SHOP-55");
    const note = await requests.mia.say(iid, "@ticketsmith fix the rounding");
    expect((await requests.runOf(note)).state).toBe("done");
    expect(await requests.head(branch)).toBe(sha);
    const [reply] = requests.replies(iid, note);
    expect(reply).toMatch(/^\*\*I changed nothing\.\*\*\n\nThe code rounds as it should already\./);
    expect(reply).not.toContain("Tests:");
  });

  test("without a ticket there is none in the commit", async () => {
    const branch = "tidy-up";
    await requests.mia.push(branch, { "src/rounding.js": rounding });
    const { iid } = await requests.mia.open(branch);
    const run = await requests.runOf(await requests.mia.say(iid, "@ticketsmith fix the rounding"));
    expect(run).toMatchObject({ state: "done", target: { ticket: `acme/shop!${iid}` } });
    const [message] = await requests.messages(branch);
    expect(message).toMatch(/^Round prices to the nearest cent\n/);
    expect(message).not.toContain("Ticket:");
  });

  test("tests that were red before are no hindrance, and are told", async () => {
    const branch = "feature/SHOP-57-rounding";
    const sha = await requests.mia.push(branch, { "src/rounding.js": rounding, "test/rounding.test.js": roundingTest });
    const { iid } = await requests.mia.open(branch);
    const note = await requests.mia.say(iid, "@ticketsmith docs");
    expect((await requests.runOf(note)).state).toBe("done");
    expect(await requests.head(branch)).not.toBe(sha);
    const [reply] = requests.replies(iid, note);
    expect(reply).toMatch(/\*\*Tests:\*\* 🔴 failed[\s\S]*The tests are red without the change, too/);
  });

  test("what the rules forbid is not pushed, and not shown either", async () => {
    const { iid, branch, sha } = await opened("SHOP-56");
    const note = await requests.mia.say(iid, "@ticketsmith fix the pipeline");
    expect((await requests.runOf(note)).state).toBe("needs_human");
    expect(await requests.head(branch)).toBe(sha);
    const [reply] = requests.replies(iid, note);
    expect(reply).toMatch(/because of what is in the change:\*\*\n\n- \.gitlab-ci\.yml is protected/);
    expect(reply).not.toContain("```");
  });
});

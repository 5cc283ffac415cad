/** Conflicts with the target branch are solved in a merge commit; what was not in conflict stays as git merged it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ChangeRequests, claim, startChangeRequests, type Turns, turn } from "../support/change-requests.ts";

vi.setConfig({ testTimeout: 90_000 });

const discounts = (codes: string): string => `/** Percent off by discount code. */
export const codes = new Map([
${codes}]);
`;
const base = discounts('  ["SPRING10", 10],\n');
const ours = discounts('  ["SPRING10", 10],\n  ["SUMMER20", 20],\n');
const theirs = discounts('  ["SPRING10", 10],\n  ["AUTUMN15", 15],\n');
const both = discounts('  ["SPRING10", 10],\n  ["SUMMER20", 20],\n  ["AUTUMN15", 15],\n');
const path = "src/codes.js";

const solving: Turns = [
  turn(["read_file", { path }]),
  turn(
    ["write_file", { path, content: both }],
    // Not in conflict: this is taken back.
    ["write_file", { path: "README.md", content: "mine\n" }],
  ),
  turn(["run", { argv: ["node", "--test"] }]),
  claim("Keep the codes of both sides", [path]),
];
const halfway: Turns = [turn(["read_file", { path }]), claim("Leave it", [path])];

const testOf = (...names: string[]): string =>
  `import assert from "node:assert/strict";\nimport { test } from "node:test";\n${names
    .map((name) => `\ntest("${name}", () => {\n  assert.equal("${name}".length, ${name.length});\n});\n`)
    .join("")}`;

describe("conflicts", () => {
  let requests: ChangeRequests;

  beforeAll(async () => {
    const lost: Turns = [
      turn(["write_file", { path: "test/codes.test.js", content: testOf("shared", "theirs") }]),
      claim("Keep the tests of main", ["test/codes.test.js"]),
    ];
    const play: Record<string, Turns> = {
      "SHOP-73": lost,
      "SHOP-70": solving,
      "SHOP-71": halfway,
    };
    requests = await startChangeRequests([], {
      policies: Object.fromEntries(
        Object.entries(play).map(([key, turns]) => [
          key,
          ({ agent, turn: number, messages }) => {
            const task = messages.find(({ role }) => role === "user")?.text ?? "";
            const found = task.startsWith("Mend your change") ? turns.at(-1) : turns[number];
            if (agent !== "developer" || found === undefined) throw new Error(`no turn ${number} of the ${agent}`);
            return found;
          },
        ]),
      ),
    });
    await requests.story.acme.gitlab.idle();
    await commitToMain({ [path]: base });
  }, 60_000);
  afterAll(() => requests.story.close());

  async function commitToMain(files: Readonly<Record<string, string>>): Promise<void> {
    const { repository } = requests.story.acme.gitlab.project("acme/shop");
    await repository.commit({
      branch: "main",
      parent: await repository.resolve("main"),
      message: "On main",
      author: { name: "Mia", email: "mia@acme.test", date: "2026-01-06T00:00:00Z" },
      changes: Object.entries(files).map(([file, content]) => ({ kind: "write", path: file, content })),
    });
  }

  async function opened(key: string, files: Readonly<Record<string, string>>) {
    const branch = `feature/${key}-codes`;
    const sha = await requests.mia.push(branch, files);
    return { branch, sha, iid: (await requests.mia.open(branch)).iid };
  }

  async function asked(iid: number) {
    const note = await requests.mia.say(iid, "@ticketsmith conflicts");
    const run = await requests.runOf(note);
    return { run, replies: requests.replies(iid, note) };
  }

  test("nothing to merge is said, and nothing else is done", async () => {
    const { branch, sha, iid } = await opened("SHOP-72", { "NOTES.md": "n\n" });
    const first = await asked(iid);
    expect(first.run.state).toBe("done");
    expect(first.replies).toEqual([expect.stringContaining("This branch has everything of `main` already")]);
    await commitToMain({ "OTHER.md": "o\n" });
    const second = await asked(iid);
    expect(second.replies).toEqual([expect.stringContaining("There are no conflicts with `main`")]);
    expect(await requests.head(branch)).toBe(sha);
  });

  describe("both sides changed the same lines", () => {
    let solved: { branch: string; sha: string; iid: number };
    let stuck: { branch: string; sha: string; iid: number };
    beforeAll(async () => {
      solved = await opened("SHOP-70", { [path]: ours });
      stuck = await opened("SHOP-71", { [path]: ours });
      await commitToMain({ [path]: theirs, "src/new.js": "export const fresh = true;\n" });
    });

    test("a merge commit has what both sides meant", async () => {
      const { branch, sha, iid } = solved;
      const { run, replies } = await asked(iid);
      expect(run.state).toBe("done");
      const main = await requests.head("main");
      const [commit] = await requests.story.acme.gitlab.project("acme/shop").repository.log(branch, { limit: 1 });
      expect(commit?.parents).toEqual([sha, main]);
      expect(commit?.message).toMatch(
        /^Merge branch 'main' into feature\/SHOP-70-codes\n\nSHOP-70: Keep the codes of both sides\n/,
      );
      expect(await requests.read(branch, path)).toBe(both);
      expect(await requests.read(branch, "src/new.js")).toBe("export const fresh = true;\n");
      expect(await requests.read(branch, "README.md")).toBe(await requests.read("main", "README.md"));
      expect(replies).toHaveLength(1);
      expect(replies[0]).toContain(`In conflict were: \`${path}\``);
      expect(replies[0]).toContain("README.md: was not in conflict: what was changed there was taken back");
      expect(requests.tasks("developer", "SHOP-70")).toContain(`${path} (contents)`);
    });

    test("a test that only this branch had, and that is lost, keeps the merge from being pushed", async () => {
      const { branch, sha, iid } = await opened("SHOP-73", {
        "test/codes.test.js": testOf("shared", "ours"),
      });
      await commitToMain({ "test/codes.test.js": testOf("shared", "theirs") });
      const { run, replies } = await asked(iid);
      expect(run.state).toBe("needs_human");
      expect(await requests.head(branch)).toBe(sha);
      expect(replies).toEqual([
        expect.stringMatching(
          /makes the tests say less than before[\s\S]*test\/codes\.test\.js: the test "ours" is lost in the merge/,
        ),
      ]);
    });

    test("a marker that is left keeps the merge from being pushed", async () => {
      const { branch, sha, iid } = stuck;
      const { run, replies } = await asked(iid);
      expect(run.state).toBe("needs_human");
      expect(await requests.head(branch)).toBe(sha);
      expect(replies).toEqual([expect.stringMatching(/src\/codes\.js: line \d still has a conflict marker/)]);
    });
  });
});

/** Somebody has tests, documentation or a changelog entry added to their merge request: that, and nothing else. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ChangeRequests, claim, startChangeRequests, type Turns, turn } from "../support/change-requests.ts";

vi.setConfig({ testTimeout: 90_000 });

const rounding = `/** Price in cents. */
export function cents(price) {
  return Math.round(price * 100);
}
`;
const changelog = "# Changelog\n\n## Unreleased\n\n- Codes of 25 percent.\n";
const testOf = (body: string): string =>
  `import assert from "node:assert/strict";\nimport { test } from "node:test";\n${body}`;
const edit = (path: string, old: string, now: string): Turns[number] => turn(["edit_file", { path, old, new: now }]);

const told = testOf(
  'import { cents } from "../src/rounding.js";\n\ntest("a price is rounded", () => {\n  assert.equal(cents(0.126), 13);\n});\n',
);
const idle = testOf('\ntest("one is one", () => {\n  assert.equal(1, 1);\n});\n');

const developers: Record<string, { readonly work: Turns; readonly mending?: Turns }> = {
  // The first try changes code as well; the round of mending takes that back.
  "SHOP-60": {
    work: [
      turn(["write_file", { path: "test/rounding.test.js", content: told }]),
      edit("src/rounding.js", "Price in cents.", "Price in whole cents."),
      claim("Test the rounding", ["test/rounding.test.js", "src/rounding.js"]),
    ],
    mending: [
      edit("src/rounding.js", "Price in whole cents.", "Price in cents."),
      claim("Test the rounding", ["test/rounding.test.js"]),
    ],
  },
  "SHOP-61": {
    work: [
      turn(["write_file", { path: "test/one.test.js", content: idle }]),
      claim("Test something", ["test/one.test.js"]),
    ],
  },
  "SHOP-62": {
    work: [
      edit("src/rounding.js", "/** Price in cents. */", "/**\n * Price in cents, rounded to the nearest.\n */"),
      edit("README.md", "# ", "<!-- shop -->\n\n# "),
      claim("Say how prices are rounded", ["src/rounding.js", "README.md"]),
    ],
  },
  "SHOP-63": {
    work: [
      edit("src/rounding.js", "Math.round(price * 100)", "Math.round(100 * price)"),
      claim("Document", ["src/rounding.js"]),
    ],
    mending: [claim("Document", ["src/rounding.js"])],
  },
  "SHOP-64": {
    work: [
      edit("CHANGELOG.md", "## Unreleased\n\n", "## Unreleased\n\n- Prices are rounded to the nearest cent.\n"),
      claim("Tell of the rounding", ["CHANGELOG.md"]),
    ],
  },
};

describe("what a command may change", () => {
  let requests: ChangeRequests;

  beforeAll(async () => {
    requests = await startChangeRequests([], {
      policies: Object.fromEntries(
        Object.entries(developers).map(([key, { work, mending }]) => [
          key,
          ({ agent, turn: number, messages }) => {
            const task = messages.find(({ role }) => role === "user")?.text ?? "";
            const found = (task.startsWith("Mend your change") ? mending : work)?.[number];
            if (agent !== "developer" || found === undefined) throw new Error(`no turn ${number} of the ${agent}`);
            return found;
          },
        ]),
      ),
    });
  }, 60_000);
  afterAll(() => requests.story.close());

  async function asked(key: string, words: string, files: Readonly<Record<string, string>> = {}) {
    const branch = `feature/${key}-rounding`;
    const sha = await requests.mia.push(branch, { "src/rounding.js": rounding, ...files });
    const { iid } = await requests.mia.open(branch);
    const note = await requests.mia.say(iid, `@ticketsmith ${words}`);
    const run = await requests.runOf(note);
    const [reply = "", ...more] = requests.replies(iid, note);
    expect(more).toEqual([]);
    return { branch, sha, head: await requests.head(branch), run, reply };
  }

  test("test: only test files; what else was changed goes back to the developer", async () => {
    const { branch, sha, head, run, reply } = await asked("SHOP-60", "test");
    expect(run.state).toBe("done");
    expect(head).not.toBe(sha);
    expect(await requests.read(branch, "src/rounding.js")).toBe(rounding);
    expect(reply).toContain("**Tests added** with");
    // Run on the code without what the merge request changes.
    expect(reply).toContain("What shows the change was run on the old code as well, and fails there.");
    expect(reply).toContain("one more round");
    expect(requests.tasks("developer", "SHOP-60")).toContain("src/rounding.js is no test");
    expect(requests.tasks("qa", "SHOP-60")).toBe("");
  });

  test("test: tests that pass without the merge request's change are told from those that test it", async () => {
    const { run, reply } = await asked("SHOP-61", "test");
    expect(run.state).toBe("done");
    expect(reply).toContain("**Nothing that was run fails without the change.**");
  });

  test("docs: files of prose, and comments", async () => {
    const { branch, sha, head, run, reply } = await asked("SHOP-62", "docs");
    expect(run.state).toBe("done");
    expect(head).not.toBe(sha);
    expect(await requests.read(branch, "src/rounding.js")).toContain("rounded to the nearest");
    expect(reply).toContain("**Documentation written** with");
    expect(reply).toMatch(/\*\*Tests:\*\* ✅ passed/);
  });

  test("docs: code is not touched, however harmless it looks", async () => {
    const { sha, head, run, reply } = await asked("SHOP-63", "docs");
    expect(run.state).toBe("needs_human");
    expect(head).toBe(sha);
    expect(reply).toContain("src/rounding.js is changed in more than its comments");
  });

  test("changelog: one entry in the one file", async () => {
    const { branch, sha, head, run, reply } = await asked("SHOP-64", "changelog", { "CHANGELOG.md": changelog });
    expect(run.state).toBe("done");
    expect(head).not.toBe(sha);
    expect(await requests.read(branch, "CHANGELOG.md")).toBe(
      changelog.replace("- Codes", "- Prices are rounded to the nearest cent.\n- Codes"),
    );
    expect(reply).toContain("**Changelog entry added** with");
  });

  test("changelog: a repository that keeps none is left as it is", async () => {
    const { sha, head, run, reply } = await asked("SHOP-65", "changelog");
    expect(run.state).toBe("needs_human");
    expect(head).toBe(sha);
    expect(reply).toContain("I found no changelog in this repository");
  });
});

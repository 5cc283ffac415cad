/** Reviews of changes that are large, closed to GitLab's eyes, or no text: what was looked at is said, and what was not. */
import { afterEach, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { readReviewTask, reviewingBy } from "../../src/stand-ins/model/policies/reviewing.ts";
import { gitlabPerson, threadOf } from "../support/gitlab-people.ts";
import { findingOn, findingsOf, runFor, summaryOf } from "../support/reviews.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

/** Some 30 kB with one fault in the middle. */
function longFile(name: string): string {
  const rows = Array.from(
    { length: 500 },
    (_, i) => `export const ${name}${i} = "a row of ${name} number ${i}, of many";`,
  );
  return `${rows.with(250, `export const ${name}Bad = eval(name); // row 250`).join("\n")}\n`;
}

/** Finds every `eval`, and says of the ticket's criterion that it is met by a file that is there and one that is not. */
function finder(calls: string[]) {
  return reviewingBy((seen, asked) => {
    const task = asked.messages.find(({ role }) => role === "user")?.text ?? "";
    calls.push(task.split("\n")[0] ?? "");
    return {
      findings: seen.lines
        .filter(({ text, sign }) => sign === "+" && text.includes("eval("))
        .map((line) =>
          findingOn(line, { kind: "security", severity: "blocker", title: "Text from outside is executed" }),
        ),
      criteria:
        readReviewTask(asked).ticket === null
          ? []
          : [
              { criterion: "Codes count in any case", verdict: "met", path: "src/a.js", evidence: "toUpperCase" },
              { criterion: "Unknown codes are refused", verdict: "met", path: "src/nowhere.js", evidence: "it throws" },
              { criterion: "The message shows the code", verdict: "not_met", evidence: "nothing is shown" },
            ],
    };
  });
}

async function reviewed(files: Record<string, string>, options: Parameters<typeof startStory>[0] = {}) {
  const calls: string[] = [];
  story = await startStory({ scenarios: [], policies: { "*": finder(calls) }, ...options });
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  const mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  await mia.push("feature/SHOP-1-codes", files);
  const { iid } = await mia.open("feature/SHOP-1-codes");
  return { mia, iid, calls };
}

describe("a change that does not fit into one call", () => {
  test("is looked at in parts, collapsed files are fetched, and the criteria are checked on the whole", async () => {
    const { mia, iid, calls } = await reviewed({
      "src/a.js": longFile("a"),
      "src/b.js": longFile("b"),
      "src/c.js": "export const c = 1;\n",
    });
    const run = await runFor(story, { noteId: await mia.say(iid, "@ticketsmith review") });
    expect(run).toMatchObject({ state: "done", target: { ticket: "SHOP-1" } });
    expect(calls).toEqual([
      "Review the change for SHOP-1. You are in a checkout of it.",
      "Review the change for SHOP-1. You are in a checkout of it.",
      expect.stringContaining("has been reviewed in parts"),
    ]);
    expect(findingsOf(story, iid).map(({ at }) => at)).toEqual(["src/a.js:251", "src/b.js:251"]);
    const summary = summaryOf(story, iid);
    expect(summary).toContain("⛔ **This must not be merged as it is.** 2 new findings");
    expect(summary).toContain("| Codes count in any case | ✅ met | src/a.js: toUpperCase |");
    expect(summary).toContain("| Unknown codes are refused | ❔ cannot tell | no file was named that shows it |");
    expect(summary).toContain("| The message shows the code | 🔴 not met | nothing is shown |");
    expect(summary).toContain("Looked at 3 files with 1001 changed lines");
    expect(summary).not.toContain("Not looked at");
  });
});

describe("what cannot be looked at", () => {
  test("is named with its reason, and nobody says that all is well", async () => {
    const { mia, iid } = await reviewed({
      "src/a.js": "export const a = 1;\n",
      "src/large.js": longFile("large"),
      "package-lock.json": "{}\n",
      "dist/app.js": "var a=1;\n",
    });
    // The way around GitLab's limits leads nowhere: the large file stays closed.
    story.acme.gitlab.fault = ({ path }) =>
      path.endsWith("/raw_diffs") ? { when: "before", answer: { status: 200 } } : undefined;
    const note = await mia.say(iid, "@ticketsmith review");
    await runFor(story, { noteId: note });
    expect(findingsOf(story, iid)).toEqual([]);
    const summary = summaryOf(story, iid);
    expect(summary).toContain("🟡 **I have no objection to what I looked at, which is not all.**");
    expect(summary).toMatch(/Not looked at:\*\* .*`src\/large\.js` \(GitLab does not show its difference\)/);
    expect(summary).toContain("`dist/app.js` (generated)");
    expect(summary).toContain("`package-lock.json` (lock file)");
    expect(summary).toContain("Looked at 1 file with 1 changed line at");
    expect(threadOf(story.acme, iid, note).notes.at(-1)?.body).toContain("Not all files were looked at.");
  });

  test("when that is everything, no model is asked", async () => {
    const { mia, iid, calls } = await reviewed({ "package-lock.json": "{}\n" });
    const run = await runFor(story, { noteId: await mia.say(iid, "@ticketsmith review") });
    expect(run.state).toBe("done");
    expect(calls).toEqual([]);
    expect(summaryOf(story, iid)).toContain("⚪ **Nothing was looked at.**");
  });
});

/** A change of the bot is approved, rejected and merged by people only, at the commit that they saw; and a description is everybody's. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { answerTo, type GitLabPerson, gitlabPerson, requestOf, runOf } from "../support/gitlab-people.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

const policy = {
  ...acmePolicy,
  people: { ...acmePolicy.people, identities: { [people.mia.accountId]: "11" } },
  mergeRequests: { merge: true, heal: { on: "asked" } },
};
const advice = {
  writer: [
    finish({
      summary: "Prices are rounded to cents.",
      changes: [{ about: "money | totals", change: "rounded once, at the end" }],
      risks: ["Old totals differ by a cent"],
    }),
  ],
  analyst: [
    finish({
      worthIt: true,
      why: "Two things.",
      parts: [
        { title: "Helper", files: ["src/rounding.js"], why: "stands alone" },
        { title: "Use it", files: ["src/cart.js", "/etc/passwd"], why: "needs the helper" },
      ],
    }),
  ],
};

let story: Story;
let mia: GitLabPerson;
let lena: GitLabPerson;

beforeAll(async () => {
  story = await startStory({
    policy,
    scenarios: [scenario(), scenario(advice, "SHOP-50")],
    gitlab: {
      users: [{ id: 12, username: "lena", token: "glpat-lena", accessLevels: { "acme/shop": 40 } }],
    },
  });
  mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  lena = gitlabPerson(story.acme, "glpat-lena");
});
afterAll(() => story.close());

describe("a person's merge request", () => {
  let iid: number;
  beforeAll(async () => {
    await mia.push("feature/SHOP-50-rounding", {
      "src/rounding.js": "export const cents = (n) => Math.round(n * 100);\n",
      "src/cart.js": 'export { cents } from "./rounding.js";\n',
      "notes.txt": "x\n",
    });
    ({ iid } = await mia.open("feature/SHOP-50-rounding", { description: "My own words.\n\n/label ~keep" }));
  });

  test("is described beside what its author wrote, and again in the same place", async () => {
    for (const _time of [1, 2]) {
      const note = await mia.say(iid, "@ticketsmith describe");
      expect((await runOf(story.bot.database, note)).state).toBe("done");
      expect(answerTo(story.acme, iid, note)).toMatch(/^The description is up to date with [0-9a-f]{8}\.$/);
    }
    const { description } = requestOf(story.acme, iid);
    expect(description).toContain("My own words.");
    expect(description.match(/### What this changes/g)).toHaveLength(1);
    expect(description).toContain("Prices are rounded to cents.");
  });

  test("can be split into parts that are made of its own files", async () => {
    const note = await mia.say(iid, "@ticketsmith split");
    await runOf(story.bot.database, note);
    const text = answerTo(story.acme, iid, note);
    expect(text).toMatch(/1\. \*\*Helper\*\*.*\n2\. \*\*Use it\*\*.*1 file/);
    expect(text).toContain("In none of the parts: `notes.txt`");
    expect(text).not.toContain("passwd");
  });

  test("is not the bot's to approve", async () => {
    const note = await mia.say(iid, "@ticketsmith approve");
    await runOf(story.bot.database, note);
    expect(answerTo(story.acme, iid, note)).toContain("not mine");
    expect(requestOf(story.acme, iid).approvedBy).toEqual([]);
  });
});

describe("the bot's merge request", () => {
  let iid: number;
  beforeAll(async () => {
    const ticket = story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    expect(ticket.key).toBe("SHOP-1");
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    expect((await story.finished("SHOP-1")).state).toBe("done");
    const opened = story.acme.gitlab.mergeRequests("acme/shop").find(({ authorId }) => authorId === 900);
    iid = opened?.iid ?? 0;
  });
  const draft = (): boolean => requestOf(story.acme, iid).title.startsWith("Draft:");

  test("stays a draft when the one who asked for it approves it", async () => {
    const note = await mia.say(iid, "@ticketsmith approve");
    await runOf(story.bot.database, note);
    expect(answerTo(story.acme, iid, note)).toContain("You asked for this change");
    expect(draft()).toBe(true);
  });

  test("stops being one when somebody else does, at the commit that they saw", async () => {
    const note = await lena.say(iid, "@ticketsmith approve");
    const run = await runOf(story.bot.database, note);
    expect(await story.deeds(run)).toEqual([
      "reply/eyes gitlab.award created",
      "reply/ready gitlab.ready updated",
      "reply/answer gitlab.note created",
    ]);
    expect(answerTo(story.acme, iid, note)).toMatch(/^Approved at [0-9a-f]{8}/);
    expect(draft()).toBe(false);
    expect(requestOf(story.acme, iid).state).toBe("opened");
  });

  test("is not merged where the bot has not the right to", async () => {
    const note = await lena.say(iid, "@ticketsmith merge");
    expect((await runOf(story.bot.database, note)).state).toBe("failed");
    expect(answerTo(story.acme, iid, note)).toContain("may not merge into this branch");
    expect(requestOf(story.acme, iid).state).toBe("opened");
  });

  test("is merged by nobody's word but a person's", async () => {
    for (const { id, accessLevels } of story.acme.gitlab.users) if (id === 900) accessLevels["acme/shop"] = 40;
    const note = await lena.say(iid, "@ticketsmith merge");
    const run = await runOf(story.bot.database, note);
    expect({ state: run.state, reason: run.reason }).toEqual({ state: "done", reason: null });
    expect(requestOf(story.acme, iid).state).toBe("merged");
    expect(answerTo(story.acme, iid, note)).toMatch(/^Merged at/);
    const merges = story.acme.gitlab.requests.filter(({ path, status }) => path.endsWith("/merge") && status === 200);
    expect(merges).toHaveLength(1);
    expect(JSON.stringify(merges[0]?.body)).toContain(requestOf(story.acme, iid).versions.at(-1)?.headSha);
  });
});

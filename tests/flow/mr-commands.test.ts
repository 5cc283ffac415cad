/** People talk to the bot on a merge request: it hears who may speak, answers where it was asked, and says nothing twice. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { listRuns } from "../../src/store/runs.ts";
import { botNotes, type GitLabPerson, gitlabPerson, requestOf, runOf, threadOf } from "../support/gitlab-people.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

const user = (id: number, username: string, level: number) => ({
  id,
  username,
  token: `glpat-${username}`,
  accessLevels: { "acme/shop": level },
});

const answers = {
  analyst: [finish({ answer: "Because prices are in cents: see `src/cart.js`.\n\n/close\n\n@mia have a look" })],
};

describe("commands on a merge request", () => {
  let story: Story;
  let mia: GitLabPerson;
  let ria: GitLabPerson;
  let robot: GitLabPerson;
  let iid: number;

  beforeAll(async () => {
    story = await startStory({
      scenarios: [scenario(answers, "SHOP-40")],
      policy: { ...acmePolicy, mergeRequests: { replies: { thread: 3, hour: 20 } } },
      gitlab: { users: [user(21, "ria", 20), user(31, "project_7_bot_a1", 40), user(41, "stranger", 0)] },
    });
    mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
    ria = gitlabPerson(story.acme, "glpat-ria");
    robot = gitlabPerson(story.acme, "glpat-project_7_bot_a1");
    await mia.push("feature/SHOP-40-rounding", {
      "src/rounding.js": "export const cents = (n) => Math.round(n * 100);\n",
    });
    ({ iid } = await mia.open("feature/SHOP-40-rounding"));
  });
  afterAll(() => story.close());

  /** The verdict on what was said last. */
  async function lastVerdict(kind = "note"): Promise<string> {
    await story.acme.gitlab.idle();
    const newest = async () =>
      (await listDeliveries(story.bot.database, 20)).find((one) => one.kind.toLowerCase().includes(kind));
    await expect.poll(async () => (await newest())?.verdict).not.toBe("pending");
    const row = await newest();
    return `${row?.verdict}: ${row?.reason}`;
  }

  const replies = (noteId: number): string[] => {
    const { notes } = threadOf(story.acme, iid, noteId);
    return notes
      .filter(({ authorId }) => authorId === 900)
      .map(({ body }) => body.replace(/<!--[\s\S]*?-->/g, "").trim());
  };
  const emoji = (noteId: number): string[] =>
    threadOf(story.acme, iid, noteId).notes.flatMap(({ awards }) => awards.map(({ name }) => name));

  test("help is seen at once and answered in the same thread, in order", async () => {
    const note = await mia.say(iid, "@ticketsmith help");
    const run = await runOf(story.bot.database, note);
    expect(run.state).toBe("done");
    expect(await story.deeds(run)).toEqual(["reply/eyes gitlab.award created", "reply/answer gitlab.note created"]);
    expect(emoji(note)).toEqual(["eyes"]);
    expect(replies(note)).toEqual([expect.stringContaining("| `review` |")]);
  });

  test("a question is answered from the code; what the model writes is text and nothing else", async () => {
    const note = await mia.say(iid, "@ticketsmith ask why is it rounded here?");
    const run = await runOf(story.bot.database, note);
    expect(run).toMatchObject({ workflow: "ask", state: "done", target: { ticket: "SHOP-40" } });
    const [body] = replies(note);
    expect(body).toContain("Because prices are in cents");
    expect(requestOf(story.acme, iid).state).toBe("opened");
    expect(story.acme.gitlab.executedQuickActions).toEqual([]);
    expect(body).not.toMatch(/(^|\s)@mia/);
  });

  test("a slip of the pen is told the nearest command", async () => {
    const note = await mia.say(iid, "/ticketsmith reviwe");
    await runOf(story.bot.database, note);
    expect(replies(note)).toEqual([expect.stringContaining("Did you mean `@ticketsmith review`?")]);
  });

  test("who may not is told what it takes, and nothing is done", async () => {
    const note = await ria.say(iid, "@ticketsmith fix the rounding");
    expect((await runOf(story.bot.database, note)).workflow).toBe("answer");
    expect(replies(note)).toEqual([expect.stringMatching(/not yours to ask for.*developer/)]);
  });

  test("status tells of the runs", async () => {
    const note = await ria.say(iid, "@ticketsmith status");
    await runOf(story.bot.database, note);
    expect(replies(note)).toEqual([expect.stringMatching(/\| r\w+ \| ask \| done/)]);
  });

  test("an edited note, a quoted one and one of another bot come to nothing", async () => {
    const before = (await listRuns(story.bot.database, 100)).length;
    const note = await mia.say(iid, "looks good");
    expect(await lastVerdict()).toMatch(/^ignored: .*no command/);
    await mia.call("PUT", `/projects/acme%2Fshop/merge_requests/${iid}/notes/${note}`, { body: "@ticketsmith fix it" });
    expect(await lastVerdict()).toMatch(/^ignored: (an edited note|.*no command)/);
    await mia.say(iid, "> @ticketsmith fix it\n\nno, leave it");
    expect(await lastVerdict()).toMatch(/^ignored: .*no command/);
    await robot.say(iid, "@ticketsmith help");
    expect(await lastVerdict()).toMatch(/^ignored: .*is a bot/);
    expect(await listRuns(story.bot.database, 100)).toHaveLength(before);
  });

  test("two bots stop after one hop", async () => {
    const asked = await mia.say(iid, "@ticketsmith help");
    await runOf(story.bot.database, asked);
    const thread = threadOf(story.acme, iid, asked).id;
    await robot.say(iid, "@ticketsmith ask what do you mean by that?", thread);
    expect(await lastVerdict()).toMatch(/^ignored: .*is a bot/);
    expect(replies(asked)).toHaveLength(1);
  });

  test("who asks on and on in a thread hears once that it is enough", async () => {
    const first = await mia.say(iid, "@ticketsmith help");
    await runOf(story.bot.database, first);
    const thread = threadOf(story.acme, iid, first).id;
    for (let more = 0; more < 3; more += 1)
      await runOf(story.bot.database, await mia.say(iid, "@ticketsmith help", thread));
    expect(replies(first)).toHaveLength(4);
    expect(replies(first).at(-1)).toContain("silent for a while");
    await mia.say(iid, "@ticketsmith help", thread);
    expect(await lastVerdict()).toMatch(/^ignored: the limit of answers/);
  });

  test("said is said once: every note of the bot is there once", async () => {
    const bodies = botNotes(story.acme, iid);
    expect(new Set(bodies.map(({ id }) => id)).size).toBe(bodies.length);
    const { requests } = story.acme.gitlab;
    const posts = requests.filter(({ method, path }) => method === "POST" && /\/notes$/.test(path));
    expect(posts.length).toBeGreaterThanOrEqual(bodies.length);
  });
});

/** People steer the runs on a merge request from there: stop, more budget, once more, and enough. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { listRuns } from "../../src/store/runs.ts";
import { answerTo, type GitLabPerson, gitlabPerson, runOf } from "../support/gitlab-people.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

const slow = { analyst: [{ ...finish({ answer: "In cents." }), delayMs: 30_000 }] };
const refusing = { analyst: [{ status: 400, times: 1, ...finish({ answer: "In cents, after all." }) }] };
const quick = { analyst: [finish({ answer: "In cents." })] };

let story: Story;
let mia: GitLabPerson;
const requests: Record<string, number> = {};

beforeAll(async () => {
  story = await startStory({
    scenarios: [
      scenario(slow, "SHOP-60"),
      scenario(refusing, "SHOP-61"),
      scenario(quick, "SHOP-62"),
      scenario(quick, "SHOP-63"),
    ],
    policy: {
      ...acmePolicy,
      budgets: { ticket: { usd: 15, tokens: 6_000_000 }, run: { usd: 0.01, tokens: 2_000_000 } },
      models: { prices: { scripted: { inputPerMillion: 5, outputPerMillion: 15 } } },
    },
  });
  mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  for (const ticket of ["SHOP-60", "SHOP-61", "SHOP-62"]) {
    await mia.push(`feature/${ticket}-rounding`, { [`src/${ticket}.js`]: "export const cents = 100;\n" });
    requests[ticket] = (await mia.open(`feature/${ticket}-rounding`)).iid;
  }
  await mia.push("ticketsmith/SHOP-63", { "src/own.js": "export const cents = 100;\n" });
  requests["SHOP-63"] = (await mia.open("ticketsmith/SHOP-63")).iid;
});
afterAll(() => story.close());

const at = (ticket: string): number => requests[ticket] ?? 0;
const answer = (ticket: string, note: number): string => answerTo(story.acme, at(ticket), note);
const workOn = async (ticket: string) =>
  (await listRuns(story.bot.database, 100)).filter(
    ({ target, workflow }) => target.ticket === ticket && workflow !== "answer",
  );

/** Says it with so much budget that the question can be paid for. */
async function raise(ticket: string): Promise<void> {
  await expect.poll(async () => (await workOn(ticket))[0]?.state, { timeout: 30_000 }).toBe("waiting");
  const note = await mia.say(at(ticket), "@ticketsmith budget +2");
  await runOf(story.bot.database, note);
  expect(answer(ticket, note)).toBe("The budget is raised by $2.00.");
}

test("a question that nobody has allowed the money for waits, is told how to go on, and goes on", async () => {
  const asked = await mia.say(at("SHOP-62"), "@ticketsmith ask in what unit?");
  await expect.poll(async () => (await workOn("SHOP-62"))[0]?.state, { timeout: 30_000 }).toBe("waiting");
  await expect.poll(() => answer("SHOP-62", asked)).toContain("`@ticketsmith budget +2`");
  await raise("SHOP-62");
  expect((await runOf(story.bot.database, asked)).state).toBe("done");
  expect(answer("SHOP-62", asked)).toBe("In cents.");
});

test("stop ends what is at work, in the middle of a call of the model", async () => {
  const asked = await mia.say(at("SHOP-60"), "@ticketsmith ask in what unit?");
  await raise("SHOP-60");
  await expect.poll(async () => (await workOn("SHOP-60"))[0]?.state).toBe("running");
  const note = await mia.say(at("SHOP-60"), "@ticketsmith stop");
  await runOf(story.bot.database, note);
  expect(answer("SHOP-60", note)).toMatch(/^I stop: ask/);
  expect(await runOf(story.bot.database, asked)).toMatchObject({ state: "cancelled", reason: "mia asked to stop" });
  expect(answer("SHOP-60", asked)).toContain("I stopped: mia asked to stop");
});

test("retry goes on where a run broke off, and its answer takes the place of the excuse", async () => {
  const asked = await mia.say(at("SHOP-61"), "@ticketsmith ask in what unit?");
  await raise("SHOP-61");
  expect((await runOf(story.bot.database, asked)).state).toBe("failed");
  expect(answer("SHOP-61", asked)).toContain("I could not finish");
  const note = await mia.say(at("SHOP-61"), "@ticketsmith retry");
  await runOf(story.bot.database, note);
  expect(answer("SHOP-61", note)).toMatch(/^I try again: ask/);
  await expect.poll(async () => (await workOn("SHOP-61"))[0]?.state, { timeout: 30_000 }).toBe("done");
  expect(answer("SHOP-61", asked)).toBe("In cents, after all.");
});

test("reject leaves a change of the bot alone", async () => {
  const note = await mia.say(at("SHOP-63"), "@ticketsmith reject");
  await runOf(story.bot.database, note);
  expect(answer("SHOP-63", note)).toContain("Rejected");
  expect(await workOn("SHOP-63")).toEqual([]);
});

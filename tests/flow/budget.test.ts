/** Limits of the budget: a run waits and asks, goes on when somebody allows more, and says so before it comes to that. */
import { afterEach, describe, expect, test } from "vitest";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { listOpenPots, readPotsOf } from "../../src/store/pots.ts";
import { findRun } from "../../src/store/runs.ts";
import { listSteps } from "../../src/store/steps.ts";
import { scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, type StoryOptions, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

// At this price the whole ticket costs about $2.70. No story depends on how much exactly: prompts change.
const models = { prices: { scripted: { inputPerMillion: 100, outputPerMillion: 0 } } };
const mia = people.mia.accountId;
const otto = people.otto.accountId;

async function open(budgets: object, options: StoryOptions = {}): Promise<void> {
  story = await startStory({ policy: { ...acmePolicy, models, budgets }, ...options });
}

/** Files a ticket and labels it. */
function label(): string {
  const { key } = story.acme.jira.createIssue({ ...demoTicket, by: mia });
  story.acme.jira.editLabels(key, { add: ["ticketsmith"] }, mia);
  return key;
}

/** The one comment of the bot. */
function told(ticket = "SHOP-1"): string {
  const ours = story.acme.jira.issue(ticket).comments.filter(({ author }) => author.displayName === "Ticketsmith");
  expect(ours).toHaveLength(1);
  return JSON.stringify(ours[0]!.body);
}

async function ended(run: Run): Promise<Run> {
  return expect
    .poll(
      async () => {
        const now = (await findRun(story.bot.database, run.id))!;
        return isEnd(now.state) ? now : null;
      },
      { timeout: 60_000 },
    )
    .not.toBeNull()
    .then(async () => (await findRun(story.bot.database, run.id))!);
}

/** What became of the newest comments, newest first. */
async function verdicts(count: number): Promise<string[]> {
  await story.acme.jira.webhooksSettled();
  const find = async () =>
    (await listDeliveries(story.bot.database, 100)).filter(({ kind }) => kind === "comment_created").slice(0, count);
  await expect.poll(async () => (await find()).map(({ verdict }) => verdict)).not.toContain("pending");
  return (await find()).map(({ verdict, reason }) => `${verdict}: ${reason}`);
}

describe("a run reaches its limit", () => {
  test("it waits at the step and asks; somebody who may allows more, and it goes on to the end", async () => {
    await open({ run: { usd: 0.4 } });
    // Two webhooks for the same thing: somebody has set up the bot twice.
    const [hook] = story.acme.jira.hooks;
    story.acme.jira.hooks.push({ ...hook!, id: 2 });
    const ticket = label();
    const run = await story.finished(ticket);
    expect(run).toMatchObject({
      state: "waiting",
      starts: 0,
      waitingFor: { kind: "person", pots: [`run ${run.id}`], afterwards: "end" },
    });
    expect(run.costUsd).toBeLessThanOrEqual(0.4);
    expect(run.reason).toMatch(
      /^The budget of \$0\.40 for this run is used up: \$0\.\d\d spent, and the next call may take \$0\.\d\d\.$/,
    );
    expect(run.notBefore!.getTime() - Date.now()).toBeGreaterThan(6.9 * 24 * 3_600_000);
    expect(told()).toContain("Waiting for you");
    expect(told()).toContain("The budget of $0.40 for this run is used up");
    expect(told()).toContain("@ticketsmith budget +2");
    expect(told()).toContain("Without an answer I stop after 7 days");
    expect(await readPotsOf(story.bot.database, run)).toMatchObject([
      { reserved: { usd: 0, tokens: 0 } },
      { reserved: { usd: 0, tokens: 0 } },
      { reserved: { usd: 0, tokens: 0 } },
      { reserved: { usd: 0, tokens: 0 } },
    ]);

    const { jira } = story.acme;
    jira.comment(ticket, "@ticketsmith budget +2", otto);
    jira.comment(ticket, "Should I say @ticketsmith budget +2?", mia);
    jira.comment(ticket, "@ticketsmith bugdet +2", mia);
    expect(new Set(await verdicts(6))).toEqual(
      new Set([
        `ignored: Otto Brandt (${otto}) may not start runs, nor steer them`,
        "ignored: nothing to do for ticket.commented: it is no command",
        'ignored: command "bugdet" is not known, did you mean budget?',
      ]),
    );
    expect(await findRun(story.bot.database, run.id)).toMatchObject({ state: "waiting", step: run.step });

    jira.comment(ticket, "@ticketsmith budget +3", mia);
    expect((await verdicts(2)).toSorted()).toEqual([
      expect.stringMatching(/^handled: raised by \$3: run r/),
      "ignored: what this comment says was done already",
    ]);
    const end = await ended(run);
    expect(end).toMatchObject({ state: "done", reason: null, waitingFor: null });
    expect(end.costUsd).toBeGreaterThan(0.4);
    expect(told()).toContain("Finished, tests pass");
    expect(await readPotsOf(story.bot.database, run)).toMatchObject([{ raisedUsd: 3 }, { raisedUsd: 0 }, {}, {}]);
    // While it went on, the ticket did not ask any more.
    expect(await story.deeds(run)).toContainEqual(
      expect.stringMatching(/^park-\d+-over\/resumed jira\.status updated$/),
    );
    expect((await listSteps(story.bot.database, run.id)).every(({ state }) => state === "done")).toBe(true);
  });

  test("nobody answers: it ends, and says so", async () => {
    await open({ run: { usd: 0.4 }, patienceDays: 0.000_01 });
    const ticket = label();
    const run = await story.finished(ticket);
    const end = await ended(run);
    expect(end).toMatchObject({ state: "over_budget", reason: expect.stringContaining("Nobody raised it in time") });
    expect(told()).toContain("Stopped at the budget");
    expect(told()).not.toContain("Waiting for you");
    story.acme.jira.comment(ticket, "@ticketsmith budget +2", mia);
    expect(await verdicts(1)).toEqual([`ignored: no run at work on ${ticket}`]);
  });

  test("at 80 % the next comment says so; somebody stops it, and the ticket does not wait for anybody any more", async () => {
    await open({ run: { turns: 3 } });
    const ticket = label();
    const run = await story.finished(ticket);
    const [hello, understood] = (await story.effects(run)).flatMap(({ effect }) =>
      effect.kind === "jira.status" ? [effect.body] : [],
    );
    expect(hello).not.toContain("% of the budget");
    expect(understood).toContain("⚠️ 100 % of the budget for this run is used: 3 of 3 model calls.");
    expect(run).toMatchObject({ state: "waiting", step: "plan" });
    story.acme.jira.comment(ticket, "{quote}@ticketsmith budget +2{quote}\n/ticketsmith stop", mia);
    expect(await ended(run)).toMatchObject({ state: "cancelled", reason: "Mia Keller asked to stop" });
    await expect.poll(() => told()).toContain("Cancelled");
    expect(told()).not.toContain("Waiting for you");
  });
});

describe("a ticket reaches its limit", () => {
  test("the limit is what is raised, and counts for the next run, too", async () => {
    await open({ ticket: { usd: 0.4 } });
    const ticket = label();
    const run = await story.finished(ticket);
    expect(run).toMatchObject({ state: "waiting", waitingFor: { pots: [`ticket ${ticket}`] } });
    expect(told()).toContain(`for ticket ${ticket} is used up`);
    story.acme.jira.comment(ticket, "/ticketsmith stop", mia);
    await ended(run);
    story.acme.jira.editLabels(ticket, { remove: ["ticketsmith"] }, mia);
    await story.acme.jira.webhooksSettled();
    story.acme.jira.editLabels(ticket, { add: ["ticketsmith"] }, mia);
    await expect.poll(async () => (await story.finished(ticket)).id, { timeout: 60_000 }).not.toBe(run.id);
    const second = await story.finished(ticket);
    expect(second).toMatchObject({ state: "waiting", step: "understand", waitingFor: { pots: [`ticket ${ticket}`] } });
    expect(second.costUsd + run.costUsd).toBeLessThanOrEqual(0.4);
    story.acme.jira.comment(ticket, "@ticketsmith budget +5", mia);
    expect(await verdicts(1)).toEqual([`handled: raised by $5: ticket ${ticket}`]);
    await expect
      .poll(async () => (await findRun(story.bot.database, second.id))?.step, { timeout: 60_000 })
      .not.toBe("understand");
  });
});

describe("a project reaches the limit of its day", () => {
  test("its tickets share it, and what waits goes on when the next day begins", async () => {
    await open({ project: { usdPerDay: 0.6 } }, { scenarios: [scenario(), scenario({}, "SHOP-2")] });
    label();
    label();
    const runs = await Promise.all([story.finished("SHOP-1"), story.finished("SHOP-2")]);
    expect(runs.map(({ state }) => state)).toEqual(["waiting", "waiting"]);
    const { database } = story.bot;
    const spent = runs.reduce((sum, { costUsd }) => sum + costUsd, 0);
    const day = (await listOpenPots(database, ["SHOP"])).find(({ kind }) => kind === "project")!;
    expect(day.spent.usd).toBeCloseTo(spent, 9);
    expect(day.spent.usd).toBeLessThanOrEqual(0.6);
    for (const run of runs) {
      expect(run.waitingFor).toMatchObject({ pots: [day.name], afterwards: "resume" });
      expect(run.notBefore!.getTime() - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
      expect(told(run.target.ticket)).toContain("for project SHOP on");
      expect(told(run.target.ticket)).toContain("I go on when the next day begins (UTC)");
    }
    // Midnight: another pot. The first of them is due.
    const [first, second] = runs as [Run, Run];
    await database.query("update ticketsmith.pots set name = 'project SHOP 2001-01-01' where kind = 'project'");
    await database.query("update ticketsmith.runs set not_before = now() where id = $1", [first.id]);
    const now = async () => (await findRun(database, first.id))!.costUsd;
    await expect.poll(now, { timeout: 60_000 }).toBeGreaterThan(first.costUsd);
    expect((await story.deeds(first)).join()).toMatch(/park-\d+-over\/resumed jira\.status/);
    expect(await findRun(database, second.id)).toMatchObject({ state: "waiting" });
  });
});

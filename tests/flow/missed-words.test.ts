/** A run is at work, and no webhook tells that people stop it, allow it more, or that its ticket is gone. It is noticed all the same, once. */
import { afterEach, describe, expect, test } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { readPotsOf } from "../../src/store/pots.ts";
import { findRun, listRuns } from "../../src/store/runs.ts";
import { scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

const mia = people.mia.accountId;
const models = { prices: { scripted: { inputPerMillion: 100, outputPerMillion: 0 } } };

/** Acme, whose webhooks go where nobody listens, and runs that come to rest at a limit. */
async function open(tickets: readonly string[]): Promise<void> {
  story = await startStory({
    webhooksTo: "http://127.0.0.1:9",
    webhookBackoffMs: 5,
    policy: { ...acmePolicy, models, budgets: { run: { usd: 0.4 } } },
    scenarios: tickets.map((ticket) => scenario({}, ticket)),
    bot: { sweepMs: 100, reconcile: { everyMs: 100, graceMs: 0 } },
  });
}

/** A ticket whose run waits. */
async function begin(): Promise<{ ticket: string; run: Run }> {
  const { key } = story.acme.jira.createIssue({ ...demoTicket, by: mia });
  // Of earlier times: not meant for a run that begins now.
  story.acme.jira.comment(key, "@ticketsmith stop", mia);
  story.acme.jira.editLabels(key, { add: ["ticketsmith"] }, mia);
  return { ticket: key, run: await story.finished(key) };
}

const now = async ({ id }: Run): Promise<Run> => (await findRun(story.bot.database, id))!;
const verdicts = async (kind: string): Promise<string[]> =>
  (await listDeliveries(story.bot.database, 100))
    .filter((delivery) => delivery.kind === kind)
    .map(({ verdict, reason }) => `${verdict}: ${reason}`);

/** Sends what was lost, after all. */
async function sendLate(part: string): Promise<void> {
  const { jira } = story.acme;
  await jira.webhooksSettled();
  const lost = jira.webhookDeliveries.filter(({ body }) => body.includes(part)).at(-1)!;
  expect(Math.max(...lost.attempts)).toBe(0);
  story.acme.connect(story.bot.url!);
  jira.fireWebhook(lost.event, JSON.parse(lost.body));
  await jira.webhooksSettled();
}

describe("nobody is told that", () => {
  test("somebody allows more", { timeout: 90_000 }, async () => {
    await open(["SHOP-1"]);
    const { ticket, run } = await begin();
    expect(run).toMatchObject({ state: "waiting" });
    story.acme.jira.comment(ticket, "@ticketsmith budget +3", mia);
    await expect.poll(async () => (await now(run)).state, { timeout: 60_000 }).toBe("done");
    expect(await verdicts("reconciled")).toContainEqual(expect.stringMatching(/^handled: raised by \$3: run r/));

    await sendLate("budget +3");
    await expect.poll(() => verdicts("comment_created")).toEqual(["ignored: what this comment says was done already"]);
    expect(await readPotsOf(story.bot.database, run)).toMatchObject([{ raisedUsd: 3 }, {}, {}, {}]);
  });

  test("somebody stops it; told of it late, nobody stops the next run", { timeout: 90_000 }, async () => {
    await open(["SHOP-1"]);
    const { ticket, run } = await begin();
    story.acme.jira.comment(ticket, "> @ticketsmith stop", mia);
    story.acme.jira.comment(ticket, "Please do @ticketsmith stop", mia);
    story.acme.jira.comment(ticket, "@ticketsmith stop", people.otto.accountId);
    await expect
      .poll(() => verdicts("reconciled"))
      .toContainEqual(expect.stringMatching(/^ignored: Otto Brandt .* may not start runs, nor steer them$/));
    expect((await now(run)).state).toBe("waiting");
    story.acme.jira.comment(ticket, "/ticketsmith stop", mia);
    await expect.poll(async () => (await now(run)).state).toBe("cancelled");
    expect(await now(run)).toMatchObject({ reason: "Mia Keller asked to stop" });

    story.acme.jira.editLabels(ticket, { remove: ["ticketsmith"] }, mia);
    story.acme.jira.editLabels(ticket, { add: ["ticketsmith"] }, mia);
    await expect.poll(async () => (await listRuns(story.bot.database, 10)).length).toBe(2);
    const next = await story.finished(ticket);
    expect(next).toMatchObject({ state: "waiting" });
    await sendLate("/ticketsmith stop");
    await expect.poll(() => verdicts("comment_created")).toEqual(["ignored: what this comment says was done already"]);
    expect((await now(next)).state).toBe("waiting");
  });

  test("its label is taken off, or its ticket deleted", { timeout: 90_000 }, async () => {
    await open(["SHOP-1", "SHOP-2"]);
    const [one, two] = [await begin(), await begin()];
    story.acme.jira.editLabels(one.ticket, { add: ["urgent"], remove: ["ticketsmith"] }, mia);
    await expect.poll(async () => (await now(one.run)).state).toBe("cancelled");
    expect(await now(one.run)).toMatchObject({ reason: "label ticketsmith was removed" });
    expect((await now(two.run)).state).toBe("waiting");

    story.acme.jira.deleteIssue(two.ticket, mia);
    await expect.poll(async () => (await now(two.run)).state).toBe("cancelled");
    expect(await now(two.run)).toMatchObject({ reason: "the ticket was deleted" });
    await sendLate("jira:issue_deleted");
    await expect.poll(() => verdicts("jira:issue_deleted")).toEqual(["ignored: no run at work on the ticket"]);
    expect(await listRuns(story.bot.database, 10)).toHaveLength(2);
  });
});

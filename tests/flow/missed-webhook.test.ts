/** Nobody tells us that Mia labelled her ticket. It is found and worked off all the same, once, whoever tells of it later. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { type DeliveryRow, listDeliveries } from "../../src/store/deliveries.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

/** Acme, whose webhooks go where nobody listens, and a bot that looks itself. */
async function startUnheard(): Promise<Story> {
  return startStory({
    webhooksTo: "http://127.0.0.1:9",
    webhookBackoffMs: 5,
    bot: { sweepMs: 100, reconcile: { everyMs: 100, graceMs: 0 } },
  });
}

const aboutLabels = async (): Promise<DeliveryRow[]> =>
  (await listDeliveries(story.bot.database, 50)).filter(({ sender }) => sender === "jira").reverse();

describe("a webhook that never arrives", () => {
  test("is made up for, once, and changes nothing when it arrives after all", async () => {
    story = await startUnheard();
    const { jira } = story.acme;
    jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    await jira.webhooksSettled();
    const lost = jira.webhookDeliveries.find(({ body }) => body.includes("ticketsmith"))!;
    expect(lost.attempts).toEqual([0, 0, 0, 0, 0, 0]);

    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "done", requestedBy: people.mia.accountId });
    expect(await aboutLabels()).toMatchObject([{ kind: "reconciled", verdict: "handled", runId: run.id }]);

    // The late webhook, by two ways: each with an id of its own.
    story.acme.connect(story.bot.url!);
    jira.fireWebhook(lost.event, JSON.parse(lost.body));
    jira.fireWebhook(lost.event, JSON.parse(lost.body));
    await jira.webhooksSettled();
    await vi.waitFor(async () => {
      expect((await aboutLabels()).filter(({ kind }) => kind === "jira:issue_updated")).toMatchObject([
        { verdict: "ignored", reason: `this change started run ${run.id} already` },
        { verdict: "ignored", reason: `this change started run ${run.id} already` },
      ]);
    });
    expect(await listRuns(story.bot.database, 10)).toHaveLength(1);
    expect(jira.issue("SHOP-1").comments).toHaveLength(1);
  });

  test("is judged like one that arrives", async () => {
    story = await startUnheard();
    const { jira } = story.acme;
    const byOtto = { ...demoTicket, by: people.otto.accountId };
    jira.createIssue({ ...byOtto, labels: ["ticketsmith"] });
    jira.createIssue(byOtto);
    jira.editLabels("SHOP-2", { add: ["ticketsmith"] }, people.mia.accountId);
    jira.editLabels("SHOP-2", { remove: ["ticketsmith"] }, people.mia.accountId);
    jira.createIssue({ ...byOtto, labels: ["urgent"] });
    await vi.waitFor(async () => {
      expect(await aboutLabels()).toMatchObject([
        { kind: "reconciled", verdict: "ignored", reason: expect.stringMatching(/Otto Brandt .* may not start runs/) },
      ]);
    });
    const looks = () => jira.requests.filter(({ path }) => path.endsWith("/search/jql")).length;
    const before = looks();
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(before + 1), { timeout: 5000 });
    expect(await aboutLabels()).toHaveLength(1);
    expect(await listRuns(story.bot.database, 10)).toEqual([]);
  });
});

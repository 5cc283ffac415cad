/** Labels that start nothing: the ticket stays as it is, and the inbox says why. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bot, demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type Story, startStory } from "../support/story.ts";

describe("a label that starts nothing", () => {
  let story: Story;
  beforeAll(async () => {
    story = await startStory();
  });
  afterAll(() => story.close());

  test.each([
    ["by somebody who may not", "ticketsmith", people.otto.accountId, /Otto Brandt \(.*\) may not start runs/],
    ["by the bot itself", "ticketsmith", bot.jira.accountId, /the bot's own doing/],
    ["that is another one", "urgent", people.mia.accountId, /no trigger among the labels: urgent/],
  ])("%s", async (_name, label, by, why) => {
    const { jira } = story.acme;
    const ticket = jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    jira.editLabels(ticket.key, { add: [label] }, by);
    await jira.webhooksSettled();
    await expect
      .poll(async () => (await listDeliveries(story.bot.database, 1))[0])
      .toMatchObject({ verdict: "ignored", reason: expect.stringMatching(why) });
    expect(await listRuns(story.bot.database, 10)).toEqual([]);
    expect(jira.issue(ticket.key).comments).toEqual([]);
  });
});

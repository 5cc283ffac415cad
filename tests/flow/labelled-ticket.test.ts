/** Mia labels a bug. The team gets a tested draft merge request, a page, and a ticket that tells the truth. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { type Story, startStory } from "../support/story.ts";

describe("a labelled ticket", () => {
  let story: Story;
  let run: Run;

  beforeAll(async () => {
    story = await startStory();
    const ticket = story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    expect(ticket.key).toBe("SHOP-1");
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    run = await story.finished("SHOP-1");
  });
  afterAll(() => story.close());

  test("is done, with these effects in this order", async () => {
    expect(run.reason).toBeNull();
    expect(run.state).toBe("done");
    expect(await story.deeds(run)).toEqual([
      "understand/hello jira.status created",
      "understand/started jira.transition updated",
      "understand/understood jira.status updated",
      "publish/branch gitlab.branch created",
      "publish/mergeRequest gitlab.mergeRequest created",
      "document/page confluence.page created",
      "report/linkMergeRequest jira.remoteLink created",
      "report/linkPage jira.remoteLink created",
      "report/review jira.transition updated",
      "report/result jira.status updated",
    ]);
  });

  test("has one comment by the bot, the right status, and both links", () => {
    const ticket = story.acme.jira.issue("SHOP-1");
    expect(ticket.comments).toHaveLength(1);
    const comment = JSON.stringify(ticket.comments[0]);
    expect(comment).toContain("Finished, tests pass");
    expect(comment).toContain("Blanks before and after a code are ignored");
    expect(ticket.status.name).toBe("In Review");
    expect(ticket.remoteLinks.map((link) => link.globalId)).toEqual([
      expect.stringMatching(/^gitlab:\d+:mr:1$/),
      expect.stringMatching(/^confluence:page:\d+$/),
    ]);
  });
});

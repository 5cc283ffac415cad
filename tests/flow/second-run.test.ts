/** The label is taken off and put on again: the second run brings the same comment, branch, merge request and page up to date. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { latest } from "../../src/stand-ins/confluence/wiki.ts";
import { type Story, startStory } from "../support/story.ts";

describe("a second run on the same ticket", () => {
  let story: Story;
  beforeAll(async () => {
    story = await startStory();
  });
  afterAll(() => story.close());

  test("doubles nothing", async () => {
    const { jira, gitlab, confluence } = story.acme;
    jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    const first = await story.finished("SHOP-1");
    expect(first.state).toBe("done");
    jira.editLabels("SHOP-1", { remove: ["ticketsmith"] }, people.mia.accountId);
    await jira.webhooksSettled();
    jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    await expect.poll(async () => (await story.finished("SHOP-1")).id, { timeout: 60_000 }).not.toBe(first.id);
    const second = await story.finished("SHOP-1");
    expect(second.state).toBe("done");
    expect(await story.deeds(second)).toEqual([
      "understand/hello jira.status updated",
      "understand/started jira.transition updated",
      "understand/understood jira.status updated",
      "publish/branch gitlab.branch updated",
      "publish/mergeRequest gitlab.mergeRequest updated",
      "document/page confluence.page updated",
      "report/linkMergeRequest jira.remoteLink unchanged",
      "report/linkPage jira.remoteLink unchanged",
      "report/review jira.transition updated",
      "report/result jira.status updated",
    ]);
    expect(jira.issue("SHOP-1").comments).toHaveLength(1);
    expect(jira.issue("SHOP-1").remoteLinks).toHaveLength(2);
    expect(gitlab.mergeRequests("acme/shop")).toHaveLength(1);
    const pages = confluence.wiki.pages.filter((page) => latest(page).title.startsWith("SHOP-1"));
    expect(pages).toHaveLength(1);
  });
});

/** Mia labels a bug. The team gets a tested draft merge request, a page, and a ticket that tells the truth. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { latest } from "../../src/stand-ins/confluence/wiki.ts";
import { listDeliveries } from "../../src/store/deliveries.ts";
import { listTurns } from "../../src/store/steps.ts";
import { type Story, startStory } from "../support/story.ts";

describe.each(["chat", "responses"])("a labelled ticket, models over the %s API", (api) => {
  let story: Story;
  let run: Run;

  beforeAll(async () => {
    story = await startStory({ variables: { OPENAI_API: api } });
    const ticket = story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    expect(ticket.key).toBe("SHOP-1");
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    run = await story.finished("SHOP-1");
    await story.acme.gitlab.idle();
    await story.acme.jira.webhooksSettled();
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

  test("the ticket has one comment by the bot, the right status, and both links", () => {
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

  test("the merge request is a draft with one commit that holds the change", async () => {
    const { gitlab } = story.acme;
    expect(gitlab.mergeRequests("acme/shop")).toHaveLength(1);
    const mergeRequest = gitlab.mergeRequests("acme/shop")[0]!;
    expect(mergeRequest.title).toBe("Draft: SHOP-1: Accept discount codes in any case and with blanks around");
    expect(mergeRequest.description).toContain("| Blanks before and after a code are ignored | ✅ met |");
    const { repository } = gitlab.project("acme/shop");
    const [commit, ...before] = await repository.log("ticketsmith/SHOP-1");
    expect(before).toHaveLength(1);
    expect(commit?.message).toMatch(
      /^SHOP-1: Accept discount codes[\s\S]*\nTicket: http.*\/browse\/SHOP-1\nTicketsmith-Run: r\w+\n?$/,
    );
    const code = await repository.readBlob("ticketsmith/SHOP-1", "src/discounts.js");
    expect(code?.toString()).toContain("codes.get(code.trim().toUpperCase())");
    expect(gitlab.executedQuickActions).toEqual([]);
  });

  test("the page stands under its parent, with the facts", () => {
    const { wiki } = story.acme.confluence;
    const page = wiki.pages.find((one) => latest(one).title === "SHOP-1: Discount codes in any case");
    expect(page).toBeDefined();
    expect(latest(wiki.page(page!.parentId ?? "")).title).toBe("Changes");
    expect(latest(page!).body).toContain("merge_requests/1");
  });

  test("every turn of every agent is kept", async () => {
    const turns = await listTurns(story.bot.database, run.id);
    expect(turns.map((turn) => `${turn.agent} ${turn.turn}`)).toEqual([
      ...["analyst 1", "analyst 2", "analyst 3", "planner 1", "planner 2"],
      ...["developer 1", "developer 2", "developer 3", "developer 4", "developer 5"],
      ...["reviewer 1", "qa 1", "qa 2", "writer 1", "writer 2"],
    ]);
    expect(run.tokens).toBe(turns.reduce((sum, turn) => sum + turn.inputTokens + turn.outputTokens, 0));
  });

  test("every delivery has its verdict, and one was handled", async () => {
    const verdicts = (await listDeliveries(story.bot.database, 100)).map((row) => row.verdict);
    expect(verdicts.filter((verdict) => verdict === "pending")).toEqual([]);
    expect(verdicts.filter((verdict) => verdict === "handled")).toHaveLength(1);
    expect(verdicts.length).toBeGreaterThan(5);
  });
});

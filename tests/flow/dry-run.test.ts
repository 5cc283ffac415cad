/** DRY_RUN=1: everything is thought through, nothing is written anywhere. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story;
beforeAll(async () => {
  story = await startStory({ variables: { DRY_RUN: "1" } });
});
afterAll(() => story.close());

test("a dry run writes nothing and keeps what it would have written", async () => {
  const { jira, gitlab, confluence } = story.acme;
  jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
  const run = await story.finished("SHOP-1");
  expect(run.state).toBe("done");
  const effects = await story.effects(run);
  expect(new Set(effects.map((row) => row.outcome))).toEqual(new Set(["dry_run"]));
  expect(effects.map((row) => row.effect.kind)).toContain("gitlab.mergeRequest");
  // Two kinds of POST only read: Jira's search, and what git fetches with.
  const reads = ["/search/jql", "git-upload-pack"];
  const writes = [...jira.requests, ...gitlab.requests, ...confluence.requests].filter(
    ({ method, path }) => method !== "GET" && !reads.some((end) => path.endsWith(end)),
  );
  expect(writes).toEqual([]);
});

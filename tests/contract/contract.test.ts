/** What the bot asks of Jira, GitLab, Confluence and the model is what their makers describe. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { type Story, startStory } from "../support/story.ts";
import { checkStory, requestsOfBot } from "./check-story.ts";
import { loadContracts } from "./spec.ts";

const contracts = loadContracts();
const there = contracts === null ? " (skipped: no ../shared/specs beside the project)" : "";

describe.skipIf(contracts === null)(`the requests of a labelled ticket${there}`, () => {
  let story: Story;

  beforeAll(async () => {
    story = await startStory();
    story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    await story.finished("SHOP-1");
  });
  afterAll(() => story.close());

  test("keep to the official descriptions", () => {
    expect(checkStory(story.acme)).toEqual([]);
  });

  // Guards against a check of nothing, e.g. when the bot's credentials are no longer recognised. Git's own calls do not count.
  test.each([
    ["jira", 15],
    ["gitlab", 3],
    ["confluence", 8],
    ["openai", 8],
  ] as const)("were found in the log of %s: more than %i", (service, least) => {
    const calls = requestsOfBot(story.acme)[service].filter(({ path }) => !path.includes(".git/"));
    expect(calls.length).toBeGreaterThan(least);
  });
});

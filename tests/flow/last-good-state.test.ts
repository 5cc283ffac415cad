/** A developer that spoils its work: what it had when the tests passed is kept. */
import { afterEach, expect, test, vi } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { finish, scenario, withMending } from "../support/scenarios.ts";
import { type Story, type StoryOptions, startStory } from "../support/story.ts";

vi.setConfig({ testTimeout: 60_000 });

let story: Story;
afterEach(() => story.close());

const turn = (tool: string, args: Record<string, unknown>) => ({ calls: [{ tool, arguments: args }] });
const good = turn("edit_file", {
  path: "src/discounts.js",
  old: "codes.get(code)",
  new: "codes.get(code.trim().toUpperCase())",
});
const runTests = turn("run", { argv: ["node", "--test"] });
const spoil = turn("edit_file", { path: "src/discounts.js", old: "toUpperCase()", new: "toLowerCase()" });
const claim = finish({ title: "Accept codes in any case", summary: "Done.", files: ["src/discounts.js"] });

async function worked(options: StoryOptions) {
  story = await startStory(options);
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
  const run = await story.finished("SHOP-1", 50_000);
  await story.acme.gitlab.idle();
  const { repository } = story.acme.gitlab.project("acme/shop");
  const code = String(await repository.readBlob("ticketsmith/SHOP-1", "src/discounts.js"));
  return { run, code, description: story.acme.gitlab.mergeRequests("acme/shop")[0]?.description ?? "" };
}

test("edits that make the tests fail and are not mended are taken back", async () => {
  const developer = [good, runTests, spoil, runTests, claim];
  const { code, description } = await worked({ policies: withMending({ developer }, [claim]) });
  expect(code).toContain("toUpperCase()");
  expect(description).toContain("The developer's last edits made the tests fail and were taken back");
  expect(description).not.toContain("The tests are red");
});

test("a developer that goes in circles leaves the state in which the tests passed", async () => {
  const developer = [good, runTests, spoil, ...Array.from({ length: 6 }, () => turn("list_files", {}))];
  const { run, code, description } = await worked({ scenarios: [scenario({ developer })] });
  expect(["done", "needs_human"]).toContain(run.state);
  expect(code).toContain("toUpperCase()");
  expect(description).toContain("stopped before it handed its work over");
});

test("without such a state the run stops as before", async () => {
  const developer = [good, ...Array.from({ length: 6 }, () => turn("list_files", {}))];
  story = await startStory({ scenarios: [scenario({ developer })] });
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
  const run = await story.finished("SHOP-1", 50_000);
  expect(run.state).toBe("failed");
  expect(run.reason).toContain("goes in circles");
});

/** A run is recorded, and done again with the model server off: the same effects come out. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Effect } from "../../src/domain/effect.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { startStory } from "../support/story.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "ticketsmith-replay-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the world gets to see of an effect, without what differs between any two runs: addresses, times, ids. */
function intent(effect: Effect): unknown {
  const title = "title" in effect ? effect.title : null;
  const patch = effect.kind === "gitlab.branch" ? effect.patch : null;
  const message = effect.kind === "gitlab.branch" ? effect.message.split("\n")[0] : null;
  const status = effect.kind === "jira.transition" ? effect.status : null;
  return { kind: effect.kind, title, patch, message, status };
}

async function play(mode: "record" | "replay") {
  const story = await startStory({ variables: { MODEL_CASSETTE: `${mode}:${directory}` } });
  try {
    // Nobody may be asked when replaying: a request would be refused, and fail the run.
    if (mode === "replay") await story.acme.model.close();
    story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    const run = await story.finished("SHOP-1");
    expect(run.reason).toBeNull();
    expect(run.state).toBe("done");
    const effects = await story.effects(run);
    return {
      deeds: await story.deeds(run),
      intents: effects.map((row) => intent(row.effect)),
      money: { costUsd: run.costUsd, tokens: run.tokens },
      asked: story.acme.model.requests.length,
    };
  } finally {
    await story.close();
  }
}

test("a recorded run can be done again without the model", async () => {
  const recorded = await play("record");
  const replayed = await play("replay");
  expect(recorded.asked).toBeGreaterThan(10);
  expect(replayed).toEqual({ ...recorded, asked: 0 });
}, 60_000);

/**
 * Models that answer garbage, break off, refuse, or say nothing: one ticket each, all at once. Every run comes to a clear end that the
 * ticket tells, what was used is counted, and none of it is a bug of ours.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import { silentLog } from "../../src/platform/log.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Scenario } from "../../src/stand-ins/model/server.ts";
import { listTurns } from "../../src/store/steps.ts";
import { scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

type Turns = Scenario["agents"][string];

const page = "<!DOCTYPE html><html><title>502</title><body>nginx</body></html>";
const demo = scenario();

/** The demo's turns of an agent, the first of them with an oddity. */
function oddly(agent: string, oddity: Partial<Turns[number]>): Record<string, Turns> {
  const [first, ...rest] = demo.agents[agent] ?? [];
  return { [agent]: [{ ...first, ...oddity }, ...rest] };
}

/** The demo's turns of an agent after some others. */
function after(agent: string, ...turns: Turns): Record<string, Turns> {
  return { [agent]: [...turns, ...(demo.agents[agent] ?? [])] };
}

const call = (tool: string, args: string | Record<string, unknown> = {}): Turns[number] => ({
  calls: [{ tool, arguments: args }],
});

interface Case {
  readonly what: string;
  readonly agents: Record<string, Turns>;
  readonly state: Run["state"];
  /** Part of what the ticket says. */
  readonly says: string;
  /** Nothing that could be paid for was ever answered. */
  readonly free?: true;
}

const cases: readonly Case[] = [
  { what: "a web page, once", agents: oddly("analyst", { raw: page, times: 1 }), state: "done", says: "Finished" },
  {
    what: "429 with a pause, once",
    agents: oddly("planner", { status: 429, retryAfter: 1, times: 1 }),
    state: "done",
    says: "Finished",
  },
  {
    what: "a stream that breaks off, twice",
    agents: oddly("developer", { cut: true, times: 2 }),
    state: "done",
    says: "Finished",
  },
  {
    what: "500, more often than a call is repeated",
    agents: oddly("qa", { status: 500, times: 5 }),
    state: "done",
    says: "Finished",
  },
  {
    what: "JSON of another shape, once",
    agents: oddly("writer", { raw: '{"hello":"world"}', times: 1 }),
    state: "done",
    says: "Finished",
  },
  {
    what: "an error body with 200, once",
    agents: oddly("planner", { raw: '{"error":{"message":"overloaded","code":503}}', times: 1 }),
    state: "done",
    says: "Finished",
  },
  {
    what: "ids that repeat and no usage",
    agents: oddly("developer", { callIds: "same", usage: "none" }),
    state: "done",
    says: "Finished",
  },
  { what: "an empty answer, once", agents: after("planner", {}), state: "done", says: "Finished" },
  {
    what: "a tool that does not exist, once",
    agents: after("qa", call("launch_missiles", { at: "prod" })),
    state: "done",
    says: "Finished",
  },
  {
    what: "broken arguments, once",
    agents: after("analyst", call("read_file", '{"path": "src/')),
    state: "done",
    says: "Finished",
  },
  {
    what: "a hand-off of the wrong shape, once",
    agents: after("planner", call("finish", { approach: 7 })),
    state: "done",
    says: "Finished",
  },
  {
    what: "empty answers only",
    agents: { analyst: [{}, {}, {}, {}] },
    state: "failed",
    says: "no usable answer after 2 repairs",
  },
  {
    what: "hand-offs of the wrong shape only",
    agents: { planner: Array.from({ length: 4 }, () => call("finish", { plan: "do it" })) },
    state: "failed",
    says: "no usable answer after 2 repairs",
  },
  {
    what: "broken JSON only",
    agents: { developer: Array.from({ length: 4 }, () => call("finish", '{"title": ')) },
    state: "failed",
    says: "no usable answer after 2 repairs",
  },
  {
    what: "talk only",
    agents: { qa: Array.from({ length: 4 }, () => ({ say: "Looks good to me!" })) },
    state: "failed",
    says: "no usable answer after 2 repairs",
  },
  {
    what: "a refusal",
    agents: { developer: [{ refusal: "I cannot help with that." }] },
    state: "failed",
    says: "refuse",
  },
  {
    what: "the output limit at every turn",
    agents: { planner: Array.from({ length: 4 }, () => ({ say: "And then", finish: "length" as const })) },
    state: "failed",
    says: "no usable answer after 2 repairs",
  },
  {
    what: "400 for good",
    agents: { analyst: [{ status: 400 }] },
    state: "failed",
    says: "refused the request",
    free: true,
  },
  {
    what: "a web page for ever",
    agents: { analyst: [{ raw: page }] },
    state: "failed",
    says: "given up after 15 tries",
    free: true,
  },
];

describe("a model gives", () => {
  let story: Story;
  const alerts: unknown[] = [];

  beforeAll(async () => {
    story = await startStory({
      scenarios: cases.map(({ agents }, at) => scenario(agents, `SHOP-${at + 1}`)),
      policy: { ...acmePolicy, models: { prices: { scripted: { inputPerMillion: 1, outputPerMillion: 5 } } } },
      bot: {
        log: { ...silentLog, error: (...line) => alerts.push(line) },
        retryBaseMs: 8,
        concurrency: 8,
        // All systems are one host here, and one case must not hold up another.
        breakers: { failures: 1_000_000 },
      },
    });
    for (const [at] of cases.entries()) {
      story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
      story.acme.jira.editLabels(`SHOP-${at + 1}`, { add: ["ticketsmith"] }, people.mia.accountId);
    }
  });
  afterAll(() => story.close());

  test.each(cases.map((one, at) => [one.what, `SHOP-${at + 1}`, one] as const))(
    "%s",
    { timeout: 90_000 },
    async (_what, ticket, { state, says, free }) => {
      const run = await story.finished(ticket, 80_000);
      expect({ state: run.state, reason: run.reason }).toEqual({
        state,
        reason: state === "done" ? null : expect.stringContaining(says),
      });
      const { comments } = story.acme.jira.issue(ticket);
      expect(comments).toHaveLength(1);
      expect(JSON.stringify(comments[0]?.body)).toContain(says);
      expect(
        story.acme.gitlab.mergeRequests("acme/shop").filter((one) => one.sourceBranch.endsWith(`/${ticket}`)),
      ).toHaveLength(state === "done" ? 1 : 0);

      // Whatever was answered has its turn, its tokens and its price; the run's sum is theirs.
      const turns = await listTurns(story.bot.database, run.id);
      expect(turns.length).toBeGreaterThan(0);
      const sum = turns.reduce((total, turn) => total + turn.costUsd, 0);
      expect(run.costUsd).toBeCloseTo(sum, 9);
      expect(run.costUsd > 0).toBe(free !== true);
      expect(run.tokens > 0).toBe(free !== true);
    },
  );

  test("and nothing of that was a bug of ours", () => {
    expect(alerts).toEqual([]);
  });
});

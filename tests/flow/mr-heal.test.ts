/** Pipelines of the bot's own merge requests: mended, run again, explained, or left to a person. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Pipeline } from "../../src/stand-ins/gitlab/world.ts";
import type { Policy } from "../../src/stand-ins/model/policy.ts";
import type { Scenario } from "../../src/stand-ins/model/server.ts";
import { listRuns } from "../../src/store/runs.ts";
import { botNotes, type GitLabPerson, gitlabPerson } from "../support/gitlab-people.ts";
import { type JobScript, ownTests, pipelineOf } from "../support/pipelines.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { type Story, type StoryOptions, startStory } from "../support/story.ts";

vi.setConfig({ testTimeout: 90_000 });

type Turns = Scenario["agents"][string];

let story: Story;
let mia: GitLabPerson;
afterEach(() => story.close());

const branch = "ticketsmith/SHOP-1";
const turn = (tool: string, args: Record<string, unknown>): Turns[number] => ({ calls: [{ tool, arguments: args }] });
const claim = (title: string, files: string[]): Turns[number] => finish({ title, summary: `${title}.`, files });
const blame = (job: string, evidence: string, kind = "ours"): Turns => [
  finish({ jobs: [{ job, class: kind, cause: `What ${job} says is so`, evidence }] }),
];

/** The demo's model for the delivery; for healing, the first repair whose words are in the task. */
function model(healing: { devops?: readonly [RegExp, Turns][]; developer?: readonly [RegExp, Turns][] }): Policy {
  const { agents } = scenario();
  return ({ agent, turn: number, messages }) => {
    const task = messages.find(({ role }) => role === "user")?.text ?? "";
    const isHealing = agent === "devops" || task.startsWith("The pipeline of the merge request");
    const known = isHealing ? healing[agent as "devops" | "developer"] : undefined;
    const turns = isHealing ? known?.find(([words]) => words.test(task))?.[1] : agents[agent];
    const found = turns?.[number];
    if (found === undefined) throw new Error(`the ${agent} has no turn ${number} for: ${task.slice(0, 3000)}`);
    return found;
  };
}

/** The demo's ticket is delivered, in an Acme whose pipelines have these jobs. */
async function delivered(jobs: Readonly<Record<string, JobScript>>, policy: Policy, options: StoryOptions = {}) {
  story = await startStory({
    policies: { "SHOP-1": policy },
    gitlab: { pipeline: pipelineOf(jobs), pipelineTickMs: 300 },
    ...options,
  });
  mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
}

async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen; ${story.acme.model.unexpected.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Every run that healed, oldest first, once there are so many and nothing is at work any more. */
async function healed(count: number): Promise<Run[]> {
  return until(`the end of ${count} runs that heal`, async () => {
    await story.acme.gitlab.idle();
    const runs = await listRuns(story.bot.database, 100);
    const heals = runs.filter(({ workflow }) => workflow === "heal").reverse();
    return runs.every(({ state }) => isEnd(state)) && heals.length >= count && heals;
  });
}

const pipelines = (): readonly Pipeline[] =>
  story.acme.gitlab.project("acme/shop").pipelines.filter(({ ref }) => ref === branch);
const head = async (): Promise<string> => {
  return (await story.acme.gitlab.project("acme/shop").repository.branches()).get(branch) ?? "";
};
const titles = async (): Promise<string[]> => {
  const log = await story.acme.gitlab.project("acme/shop").repository.log(branch, { limit: 20 });
  return log.map(({ message }) => message.split("\n")[0] ?? "").reverse();
};
const notes = (): string[] => botNotes(story.acme, 1).map(({ body }) => body);
const comments = (): string[] =>
  story.acme.jira.issue("SHOP-1").comments.map((comment) => JSON.stringify(comment.body ?? comment));
const asked = (agent: string): number =>
  story.acme.model.requests.filter(({ body }) => JSON.stringify(body).includes(`You are the ${agent} agent`)).length;

/** A linter that wants the readme to speak of the change, and then a changelog. */
const lint: JobScript = (files) => {
  if (!/any case/.test(files["README.md"] ?? ""))
    return "$ npm run lint\nREADME.md:1 error says nothing of codes in any case";
  if (files["CHANGELOG.md"] === undefined) return "$ npm run lint\nCHANGELOG.md:1 error there is no changelog";
  return null;
};

describe("red, and the code is at fault", () => {
  test("green after two repairs, and the ticket hears it", async () => {
    const policy = model({
      devops: [
        [/says nothing of codes/, blame("lint", "README.md:1 error says nothing of codes in any case")],
        [/there is no changelog/, blame("lint", "CHANGELOG.md:1 error there is no changelog")],
      ],
      developer: [
        [
          /says nothing of codes/,
          [
            turn("edit_file", { path: "README.md", old: "tests.\n", new: "tests.\n\nCodes count in any case.\n" }),
            claim("Say in the readme that codes count in any case", ["README.md"]),
          ],
        ],
        [
          /there is no changelog/,
          [
            turn("write_file", { path: "CHANGELOG.md", content: "# Changes\n\n- Codes in any case\n" }),
            claim("Begin a changelog", ["CHANGELOG.md"]),
          ],
        ],
      ],
    });
    await delivered({ test: ownTests, lint }, policy);
    const runs = await healed(3);
    expect(runs.map(({ state, reason }) => [state, reason])).toEqual([
      ["done", null],
      ["done", null],
      ["done", expect.stringContaining("the pipeline is green")],
    ]);
    expect(pipelines().map(({ status }) => status)).toEqual(["failed", "failed", "success"]);
    expect(await titles()).toEqual([
      "Initial commit",
      expect.stringContaining("SHOP-1: Accept discount codes"),
      "SHOP-1: Say in the readme that codes count in any case",
      "SHOP-1: Begin a changelog",
    ]);
    const short = (await head()).slice(0, 12);
    expect(notes()).toHaveLength(1);
    expect(notes()[0]).toContain(`at \`${short}\` is green after 2 repairs`);
    expect(comments()).toHaveLength(2);
    expect(comments()[0]).toContain("Finished, tests pass");
    expect(comments()[1]).toContain("Pipeline green after 2 repairs at");
    expect(comments()[1]).toContain(short);
  });
});

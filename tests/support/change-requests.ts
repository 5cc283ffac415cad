/** Stories in which people ask the bot to change their merge requests: one story, one merge request per ticket key. */
import { expect } from "vitest";
import { isEnd, type Run } from "../../src/domain/run.ts";
import type { Scenario } from "../../src/stand-ins/model/server.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type GitLabPerson, gitlabPerson, threadOf } from "./gitlab-people.ts";
import { type Story, type StoryOptions, startStory } from "./story.ts";

export type Turns = Scenario["agents"][string];

/** One turn with these calls. */
export const turn = (...calls: [tool: string, args: Record<string, unknown>][]): Turns[number] => ({
  calls: calls.map(([tool, args]) => ({ tool, arguments: args })),
});

/** The developer's last word about a change. */
export const claim = (title: string, files: readonly string[], more: Record<string, unknown> = {}): Turns[number] => ({
  calls: [{ tool: "finish", arguments: { title, summary: `${title}.`, files, ...more } }],
});

export interface ChangeRequests {
  readonly story: Story;
  readonly mia: GitLabPerson;
  /** Head of a branch; empty when there is none. */
  head(branch: string): Promise<string>;
  /** Text of a file on a branch. */
  read(branch: string, path: string): Promise<string>;
  /** Messages of the newest commits of a branch, newest first. */
  messages(branch: string, limit?: number): Promise<string[]>;
  /** The run that a note started, once it has ended. */
  runOf(noteId: number): Promise<Run>;
  /** What the bot said in the thread of a note, without hidden markers. */
  replies(iid: number, noteId: number): string[];
  /** The tasks that an agent was given in the runs on a ticket, as text. */
  tasks(agent: string, ticket: string): string;
}

/** Starts a story whose model plays these scenarios. */
export async function startChangeRequests(
  scenarios: readonly Scenario[],
  options: StoryOptions = {},
): Promise<ChangeRequests> {
  const story = await startStory({ scenarios, ...options });
  const { acme } = story;
  const { repository } = acme.gitlab.project("acme/shop");
  return {
    story,
    mia: gitlabPerson(acme, "glpat-mia-gitlab-token"),
    head: async (branch) => (await repository.branches()).get(branch) ?? "",
    read: async (branch, path) => String((await repository.readBlob(branch, path)) ?? ""),
    messages: async (branch, limit = 1) => (await repository.log(branch, { limit })).map(({ message }) => message),
    async runOf(noteId) {
      const find = async (): Promise<Run | undefined> =>
        (await listRuns(story.bot.database, 100)).find(({ target }) => target.request?.noteId === noteId);
      await expect
        .poll(async () => isEnd((await find())?.state ?? "queued"), { timeout: 60_000, interval: 50 })
        .toBe(true);
      await acme.gitlab.idle();
      const run = await find();
      if (run === undefined) throw new Error("it is gone");
      return run;
    },
    replies(iid, noteId) {
      const { notes } = threadOf(acme, iid, noteId);
      const ours = notes.filter(({ authorId }) => authorId === 900);
      return ours.map(({ body }) => body.replace(/<!--[\s\S]*?-->/g, "").trim());
    },
    tasks(agent, ticket) {
      const given = acme.model.requests.flatMap(({ body }) => {
        const { messages } = body as { messages: { role: string; content: string }[] };
        const isFor = messages[0]?.content.includes(`You are the ${agent} agent`) === true;
        return isFor ? messages.filter(({ role }) => role === "user").map(({ content }) => content) : [];
      });
      return [...new Set(given)].filter((text) => text.includes(ticket)).join("\n\n");
    },
  };
}

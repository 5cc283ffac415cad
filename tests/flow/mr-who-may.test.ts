/** Twelve people and programs give every command there is: who may is asked of GitLab, and the outcome is exactly the policy's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandNames } from "../../src/events/command.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type GitLabPerson, gitlabPerson } from "../support/gitlab-people.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

const repository = "acme/shop";
const account = (id: number, username: string, level: number, more: object = {}) => ({
  id,
  username,
  token: `glpat-${username}`,
  accessLevels: { [repository]: level },
  ...more,
});

const reader = ["help", "status"];
const reporter = [...reader, "ask"];
const developer = [
  ...reporter,
  ...["describe", "improve", "split", "fix", "test", "docs", "changelog", "conflicts", "heal", "stop", "retry"],
];
const maintainer = [...developer, "review", "budget", "approve", "reject"];

/** Who, and what they may; null: a bot, which is never answered. `review` and `merge` are not for the usual people here. */
const identities: readonly [ReturnType<typeof account>, readonly string[] | null][] = [
  [account(21, "guest", 10), reader],
  [account(22, "planner", 15), reader],
  [account(23, "reporter", 20), reporter],
  [account(24, "auditor", 25), reporter],
  [account(25, "developer", 30), developer],
  [account(26, "maintainer", 40), maintainer],
  [account(27, "owner", 50), maintainer],
  [account(28, "releaser", 10, { groups: { "acme/release": 30 } }), [...reader, "merge"]],
  [account(29, "reviewer", 20, { groups: { "acme/reviewers": 30 } }), [...reporter, "review"]],
  [account(30, "project_7_bot_3f", 40), null],
  [account(31, "helper", 50, { bot: true }), null],
  [account(32, "group_9_bot", 50), null],
];

let story: Story;
const requests = new Map<string, number>();

beforeAll(async () => {
  story = await startStory({
    // Decisions only: nobody works on what they start.
    bot: { role: "api", sweepMs: 50 },
    gitlab: { users: identities.map(([user]) => user) },
    policy: {
      ...acmePolicy,
      mergeRequests: {
        commands: {
          review: { level: "maintainer", groups: ["acme/reviewers"] },
          merge: { groups: ["acme/release"] },
        },
      },
    },
  });
  // A private group is seen by its members only.
  for (const { id, groupLevels } of story.acme.gitlab.users) {
    if (id === 900) Object.assign(groupLevels, { "acme/release": 10, "acme/reviewers": 10 });
  }
  const mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  // A merge request for each command: two that change code would wait for each other.
  for (const name of commandNames) {
    await mia.push(`feature/${name}`, { [`src/${name}.js`]: "export {};\n" });
    requests.set(name, (await mia.open(`feature/${name}`)).iid);
  }
});
afterAll(() => story.close());

/** What came of each command: `refused`, `ignored`, or allowed. */
async function outcomes(person: GitLabPerson): Promise<Map<string, "allowed" | "refused" | "ignored">> {
  const { database } = story.bot;
  await database.query("truncate ticketsmith.runs cascade");
  const notes = new Map<string, number>();
  for (const name of commandNames) {
    notes.set(name, await person.say(requests.get(name) ?? 0, `@ticketsmith ${name} +2`));
  }
  await story.acme.gitlab.idle();
  const decided = async (): Promise<number> => {
    const { rows } = await database.query<{ count: number }>(
      `select count(*)::int as count from ticketsmith.deliveries
       where event ->> 'noteId' = any($1::text[]) and verdict <> 'pending'`,
      [[...notes.values()].map(String)],
    );
    return rows[0]?.count ?? 0;
  };
  await expect.poll(decided, { timeout: 30_000 }).toBe(commandNames.length);
  const runs = await listRuns(database, 200);
  return new Map(
    commandNames.map((name) => {
      const run = runs.find(({ target }) => target.request?.noteId === notes.get(name));
      if (run === undefined) return [name, "ignored"];
      return [name, run.target.answer?.about === "refused" ? "refused" : "allowed"];
    }),
  );
}

test.each(identities.map(([user, may]) => [user.username, user.token, may] as const))(
  "%s",
  async (_name, token, may) => {
    const expected = commandNames.map((name) => {
      if (may === null) return [name, "ignored"];
      return [name, may.includes(name) ? "allowed" : "refused"];
    });
    expect(Object.fromEntries(await outcomes(gitlabPerson(story.acme, token)))).toEqual(Object.fromEntries(expected));
  },
);

/** Repositories that would not take the bot's work: the ticket hears it before anything is paid for. */
import { afterEach, expect, test, vi } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { PushRule } from "../../src/stand-ins/gitlab/push-rules.ts";
import type { Project } from "../../src/stand-ins/gitlab/world.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

vi.setConfig({ testTimeout: 60_000 });

let story: Story;
afterEach(() => story.close());

/** Labels the demo's ticket once the repository is as `change` makes it. */
async function labelled(change: (project: Project) => void, policy: object = acmePolicy) {
  story = await startStory({ policy });
  const { acme } = story;
  change(acme.gitlab.project("acme/shop"));
  acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
  return story.finished("SHOP-1");
}

const accessOfBot = (level: number): void => {
  const account = story.acme.gitlab.users.find(({ id }) => id === 900);
  Object.assign(account?.accessLevels ?? {}, { "acme/shop": level });
};

/** Only maintainers are shown the push rules. */
function withRule({ settings }: Project, pushRule: PushRule): void {
  Object.assign(settings, { pushRule });
  accessOfBot(40);
}

test.each<[name: string, change: (project: Project) => void, said: RegExp[]]>([
  ["an archived project", ({ settings }) => Object.assign(settings, { archived: true }), [/archived/, /Unarchive it/]],
  [
    "merge requests switched off",
    ({ settings }) => Object.assign(settings, { mergeRequestsEnabled: false }),
    [/Merge requests are switched off/],
  ],
  ["too little access", () => accessOfBot(20), [/access level 20/, /role Developer/]],
  [
    "a protected branch",
    ({ protectedBranches }) => protectedBranches.push({ ...protectedBranches[0]!, id: 7, name: "ticketsmith/*" }),
    [/ticketsmith\/SHOP-1 is protected/, /needs access level 40/],
  ],
  [
    "a branch that nobody may push to",
    ({ protectedBranches }) =>
      protectedBranches.push({ ...protectedBranches[0]!, id: 7, name: "*/SHOP-1", pushLevel: 0 }),
    [/nobody like me may push/],
  ],
  [
    "names of branches",
    (project) => withRule(project, { branchName: "^(feature|bugfix)\\/.+" }),
    [/wants branches named like/, /ticketsmith\/SHOP-1/],
  ],
  [
    "addresses of authors",
    (project) => withRule(project, { authorEmail: "@acme\\.test$" }),
    [/wants authors with an address like/, /author\.email/],
  ],
  [
    "words of commit messages",
    (project) => withRule(project, { commitMessage: "^(feat|fix): " }),
    [/wants commit messages like/, /SHOP-1: Discount codes/],
  ],
  [
    "forbidden words",
    (project) => withRule(project, { commitMessageNot: "(?i)ticketsmith" }),
    [/forbids commit messages like/],
  ],
  [
    "signed commits, and authors whom GitLab knows: all is said at once",
    (project) => withRule(project, { signedCommits: true, memberCheck: true }),
    [/signed commits/, /wants authors whom GitLab knows/],
  ],
])("%s", async (_name, change, said) => {
  const run = await labelled(change);
  expect(run).toMatchObject({ state: "needs_human", step: "preflight" });
  const { comments, status } = story.acme.jira.issue("SHOP-1");
  expect(comments).toHaveLength(1);
  for (const words of said) {
    expect(run.reason).toMatch(words);
    expect(JSON.stringify(comments[0])).toMatch(words);
  }
  // Nothing else happened: no model was asked, nothing was pushed, and the ticket stays where it was.
  expect(await story.deeds(run)).toEqual(["preflight/refused jira.status created"]);
  expect(story.acme.model.requests.filter(({ method }) => method === "POST")).toEqual([]);
  expect(status.name).not.toBe("In Progress");
  expect([...(await story.acme.gitlab.project("acme/shop").repository.branches()).keys()]).toEqual(["main"]);
});

test("rules that are met, or that nobody but GitLab can read, are no obstacle", async () => {
  const author = { email: "ticketsmith@example.com" };
  const run = await labelled(
    (project) =>
      withRule(project, {
        branchName: "^(main|ticketsmith\\/[A-Z]+-\\d+)$",
        authorEmail: "@example\\.com$",
        commitMessage: "^SHOP-\\d+: ",
        commitMessageNot: "WIP",
        memberCheck: true,
      }),
    { ...acmePolicy, author },
  );
  expect(run.state).toBe("done");
});

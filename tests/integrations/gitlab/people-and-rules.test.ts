import { expect, test } from "vitest";
import { matchesBranch } from "../../../src/integrations/gitlab/rules.ts";
import type { GitLabStandInOptions } from "../../../src/stand-ins/gitlab/gitlab.ts";
import { api, bot, dana, files, mary, olaf, openGitLab, rita, shop } from "../../stand-ins/gitlab/playground.ts";
import { at, connect, talk } from "./connection.ts";

const robot = { id: 31, username: "project_1001_bot_0a1b2c", token: "t31", accessLevels: { [shop]: 40 }, bot: true };
const service = { id: 32, username: "deployer", token: "t32", bot: true };
const lookalike = { id: 33, username: "robot-bauer", name: "Bot Bauer", token: "t33", accessLevels: { [shop]: 30 } };
const grace = { id: 34, username: "grace", token: "t34", groups: { acme: 30 } };
const sub = { id: 35, username: "sue", token: "t35", groups: { "acme/backend": 40 } };
const inAcme = { ...bot, groups: { acme: 20 } };
const everybody = [dana, mary, rita, olaf, robot, service, lookalike, grace, sub];

test("who somebody is, and how far they may go", async () => {
  const gitlab = await openGitLab({ users: everybody });
  const client = connect(gitlab);
  const person = (userId: number) => client.readPerson({ repository: shop, userId: String(userId) });
  const cases = [
    [mary.id, { id: "12", name: "mary", level: 40, bot: false }],
    [olaf.id, { id: "14", name: "olaf", level: 0, bot: false }],
    [grace.id, { id: "34", name: "grace", level: 30, bot: false }],
    [sub.id, { id: "35", name: "sue", level: 0, bot: false }],
    [robot.id, { id: "31", name: "project_1001_bot_0a1b2c", level: 40, bot: true }],
    [service.id, { id: "32", name: "deployer", level: 0, bot: true }],
    [lookalike.id, { id: "33", name: "robot-bauer", level: 30, bot: false }],
  ] as const;
  for (const [id, wanted] of cases) expect(await person(id)).toEqual(wanted);
  await expect(person(999)).rejects.toMatchObject({ name: "Permanent", status: 404 });
  const account = gitlab.users.find(({ id }) => id === mary.id);
  if (account !== undefined) account.state = "blocked";
  expect(await person(mary.id)).toMatchObject({ level: 0 });
});

test.each([
  ["project_1001_bot", true],
  ["project_12_bot_9f8e", true],
  ["group_7_bot1", true],
  ["service_account_group_7_9f8e", true],
  ["project_bot", false],
  ["my_project_12_bot", false],
  ["bottom", false],
])("a server that does not say what is a bot, and the name %s", async (username, wanted) => {
  const gitlab = await openGitLab();
  gitlab.fault = ({ path }) =>
    path.endsWith("/users/11") ? { when: "before", answer: { status: 200, body: { id: 11, username } } } : undefined;
  expect(await connect(gitlab).readPerson({ repository: shop, userId: "11" })).toMatchObject({ bot: wanted });
});

test("who is in a group, by itself or by one above; what cannot be seen holds nobody", async () => {
  const gitlab = await openGitLab({ users: everybody, bot: inAcme });
  const client = connect(gitlab);
  const isIn = (group: string, { id }: { id: number }) => client.isInGroup({ group, userId: String(id) });
  expect(await Promise.all([isIn("acme", grace), isIn("acme/backend", grace), isIn("acme/backend", sub)])).toEqual([
    true,
    true,
    true,
  ]);
  expect(await Promise.all([isIn("acme", sub), isIn("acme", olaf), isIn("nowhere", grace)])).toEqual([
    false,
    false,
    false,
  ]);
  const account = gitlab.users.find(({ id }) => id === grace.id);
  if (account !== undefined) account.state = "blocked";
  expect(await isIn("acme", grace)).toBe(false);
  expect(gitlab.unknown).toEqual([]);
});

/** A stand-in whose bot is a maintainer, who alone may read push rules. */
const asMaintainer = (settings: object = {}, more: Partial<GitLabStandInOptions> = {}) =>
  openGitLab({
    projects: [
      {
        path: shop,
        files,
        settings,
        protectedBranches: [
          { name: "release/*", pushLevel: 0 },
          { name: "ticketsmith/*", pushLevel: 0, pushUserIds: [bot.id] },
          { name: "*-stable", pushLevel: 40 },
          { name: "release/open*", pushLevel: 30 },
        ],
      },
    ],
    bot: { ...bot, accessLevels: { [shop]: 40 } },
    ...more,
  });

test("what has to be known before a push", async () => {
  const pushRule = {
    branchName: "^(main|ticketsmith/.*)$",
    authorEmail: "@example\\.com$",
    commitMessage: "^SHOP-\\d+",
    commitMessageNot: "WIP",
    signedCommits: true,
    memberCheck: true,
    maxFileMb: 5,
  };
  const gitlab = await asMaintainer({ pushRule });
  expect(await connect(gitlab).readRules({ repository: shop, branch: "feature/x" })).toEqual({
    archived: false,
    mergeRequestsEnabled: true,
    pushRules: pushRule,
    protection: null,
    level: 40,
  });
});

test("no push rules, none to be had, none for us to see", async () => {
  const nothing = await asMaintainer();
  const free = await asMaintainer({ pushRule: { branchName: "x" } }, { tier: "free" });
  const hidden = await openGitLab({ projects: [{ path: shop, files, settings: { pushRule: { branchName: "x" } } }] });
  for (const gitlab of [nothing, free, hidden]) {
    expect(await connect(gitlab).readRules({ repository: shop, branch: "x" })).toMatchObject({ pushRules: null });
  }
});

test("archived, and without merge requests", async () => {
  const gitlab = await asMaintainer({ archived: true, mergeRequestsEnabled: false });
  expect(await connect(gitlab).readRules({ repository: shop, branch: "x" })).toMatchObject({
    archived: true,
    mergeRequestsEnabled: false,
  });
});

test.each([
  ["main", 40],
  ["release/1.0", 60],
  ["release/open-1", 30],
  ["1.2-stable", 40],
  ["ticketsmith/SHOP-1", 0],
  ["ticketsmith", null],
  ["xrelease/1.0", null],
])("the protection of %s", async (branch, pushLevel) => {
  const rules = await connect(await asMaintainer()).readRules({ repository: shop, branch });
  expect(rules.protection).toEqual(pushLevel === null ? null : { pushLevel });
});

test("protection of an existing branch, where the rules are not for us to see", async () => {
  const gitlab = await openGitLab();
  gitlab.fault = ({ path }) =>
    path.endsWith("/protected_branches")
      ? { when: "before", answer: { status: 403, body: { message: "403 Forbidden" } } }
      : undefined;
  const protectionOf = async (branch: string) =>
    (await connect(gitlab).readRules({ repository: shop, branch })).protection;
  expect(await protectionOf("main")).toEqual({ pushLevel: 40 });
  expect(await protectionOf("not-there")).toBeNull();
});

test.each([
  ["main", "main", true],
  ["main", "maine", false],
  ["release/*", "release/1/2", true],
  ["*-stable", "a.b-stable", true],
  ["a.c", "abc", false],
  ["*", "anything", true],
])("the pattern %s and the branch %s", (pattern, branch, wanted) => {
  expect(matchesBranch(pattern, branch)).toBe(wanted);
});

test("approvals, with rules and without", async () => {
  const projects = [{ path: shop, files, settings: { approvalsRequired: 2, authorMayApprove: false } }];
  const { gitlab, client } = await talk(undefined, { projects });
  expect(await client.readApprovals(at)).toEqual({ left: 2, by: [] });
  expect((await api(gitlab, dana, "POST", "merge_requests/1/approve")).status).toBe(401);
  expect((await api(gitlab, mary, "POST", "merge_requests/1/approve")).status).toBe(201);
  expect(await client.readApprovals(at)).toEqual({ left: 1, by: [{ id: "12", name: "mary" }] });

  const free = await talk(undefined, { projects, tier: "free" });
  await api(free.gitlab, mary, "POST", "merge_requests/1/approve");
  expect(await free.client.readApprovals(at)).toEqual({ left: 0, by: [{ id: "12", name: "mary" }] });
  free.gitlab.fault = ({ path }) =>
    path.endsWith("/approvals") ? { when: "before", answer: { status: 404, body: {} } } : undefined;
  expect(await free.client.readApprovals(at)).toEqual({ left: 0, by: [] });
});

/** Somebody revokes a token while a run is at work. The run waits and says for what, one alert is raised, and a new token is all it takes. */
import { afterEach, describe, expect, test } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Fault } from "../../src/stand-ins/server.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story | undefined;
afterEach(async () => {
  await story?.close();
  story = undefined;
});

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const cases = [
  { system: "jira", name: "Jira", setting: "JIRA_API_TOKEN" },
  { system: "gitlab", name: "GitLab", setting: "GITLAB_TOKEN" },
  { system: "confluence", name: "Confluence", setting: "CONFLUENCE_API_TOKEN" },
  { system: "model", name: "the model server", setting: "OPENAI_API_KEY" },
] as const;

describe("a token is revoked", () => {
  test.each(cases)("$name's", { timeout: 60_000 }, async ({ system, name, setting }) => {
    const alerts: string[] = [];
    const log = { ...silentLog, error: (message: string) => alerts.push(message) };
    story = await startStory({ bot: { log, retryBaseMs: 20, breakers: { lockedOutMs: 150 } } });
    const { acme, bot } = story;
    const refusal: Fault = {
      when: "before",
      answer: { status: 401, body: { message: "401 Unauthorized", error: { message: "Incorrect API key" } } },
    };
    let refused = 0;
    const revoke = (): void => {
      acme[system].fault = () => {
        refused += 1;
        return refusal;
      };
    };
    // In the middle of the run: the first model call is its sign.
    if (system === "model") revoke();
    else {
      acme.model.fault = () => {
        acme.model.fault = () => undefined;
        revoke();
        return undefined;
      };
    }
    acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);

    const reason = `${name} refuses our token (401): renew ${setting}`;
    const now = async () => (await listRuns(bot.database, 1))[0];
    await until(`the run waits because ${reason}`, async () => {
      const run = await now();
      return run?.state === "queued" && run.reason === reason;
    });
    expect(bot.outside().find((one) => one.system === name)).toMatchObject({ state: "locked_out", reason });
    expect(bot.outside().filter(({ state }) => state !== "closed")).toHaveLength(1);

    // Long enough for several probes; what is asked is next to nothing.
    const before = refused;
    await until("some probes", () => refused >= before + 2);
    expect((await now())?.state).toMatch(/queued|running/);
    expect(alerts).toEqual([reason]);
    // The ticket says whom it waits for, once; when it is Jira itself that is away, nobody can.
    const tellings = (text: string) =>
      acme.jira.requests.filter(({ method, body }) => method !== "GET" && JSON.stringify(body ?? "").includes(text))
        .length;
    const says = () => JSON.stringify(acme.jira.issue("SHOP-1").comments.map(({ body }) => body));
    const told = system === "jira" ? 0 : 1;
    expect(tellings("On hold")).toBe(told);
    expect(says().includes(`renew ${setting}`)).toBe(told === 1);

    acme[system].fault = () => undefined;
    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "done", reason: null });
    expect(acme.jira.issue("SHOP-1").comments).toHaveLength(1);
    expect(tellings("On hold")).toBe(told);
    expect(tellings("I go on")).toBe(told);
    expect(says()).toContain("Finished, tests pass");
    expect(acme.gitlab.mergeRequests("acme/shop")).toHaveLength(1);
    expect(bot.outside().every(({ state }) => state === "closed")).toBe(true);
    expect(alerts).toEqual([reason]);
  });
});

/** A system is away for long while a run is at work: the run waits it out, its ticket says so, once, and then it goes on. */
import { afterEach, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { listRuns } from "../../src/store/runs.ts";
import { listProgress, listSteps } from "../../src/store/steps.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story | undefined;
afterEach(async () => {
  await story?.close();
  story = undefined;
});

const cases = [
  { system: "gitlab", name: "GitLab" },
  { system: "confluence", name: "Confluence" },
  { system: "model", name: "the model server" },
  { system: "jira", name: "Jira" },
] as const;

describe("a system is away for longer than a run has tries", () => {
  test.each(cases)("$name", { timeout: 90_000 }, async ({ system, name }) => {
    story = await startStory({ bot: { retryBaseMs: 1, sweepMs: 100, quietMs: 100, breakers: { probeMs: 20 } } });
    const { acme, bot } = story;
    const isAway = { when: "before", answer: { status: 503, body: { message: "under maintenance" } } } as const;
    const leave = (): void => {
      acme[system].fault = () => isAway;
    };
    // In the middle of the run: the first model call is its sign.
    if (system === "model") leave();
    else {
      acme.model.fault = () => {
        acme.model.fault = () => undefined;
        leave();
        return undefined;
      };
    }
    acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);

    const now = async () => (await listRuns(bot.database, 1))[0];
    const retries = async (): Promise<string[]> => {
      const run = await now();
      const rows = run === undefined ? [] : await listProgress(bot.database, run.id, "0");
      return rows.filter(({ kind }) => kind === "run.retry").map(({ data }) => String(data.reason));
    };
    await expect.poll(async () => (await retries()).length, { timeout: 60_000 }).toBeGreaterThan(16);
    const host = new URL(acme.variables.JIRA_BASE_URL ?? "").hostname;
    const reason = (await retries()).at(-1);
    expect(reason).toContain(`${name} (${host}`);
    expect(reason).toContain("does not answer at the moment");
    expect(["queued", "running"]).toContain((await now())?.state);

    // Told as soon as the outage has lasted for the longest pause, and not again.
    const tellings = (text: string) =>
      acme.jira.requests.filter(({ method, body }) => method !== "GET" && JSON.stringify(body ?? "").includes(text))
        .length;
    const told = system === "jira" ? 0 : 1;
    await expect.poll(() => tellings("On hold"), { timeout: 20_000 }).toBe(told);
    const before = (await retries()).length;
    await expect.poll(async () => (await retries()).length, { timeout: 20_000 }).toBeGreaterThan(before + 2);
    const page = await (await fetch(bot.url ?? "")).text();
    expect(page).toContain(`<th scope="row">${name} <span class="soft">`);
    expect(page).toContain(">does not answer</span>");
    const readiness = await fetch(`${bot.url}/readyz`);
    expect(readiness.status).toBe(200);
    expect(await readiness.json()).toMatchObject({ ready: true, degraded: [{ name, state: "open" }] });
    acme[system].fault = () => undefined;

    const run = await story.finished("SHOP-1");
    expect(run).toMatchObject({ state: "done", reason: null });
    expect(tellings("On hold")).toBe(told);
    expect(tellings("I go on")).toBe(told);
    const { comments } = acme.jira.issue("SHOP-1");
    expect(comments).toHaveLength(1);
    expect(JSON.stringify(comments[0]?.body)).toContain("Finished, tests pass");
    expect((await listSteps(bot.database, run.id)).every(({ state }) => state === "done")).toBe(true);
    expect(acme.gitlab.mergeRequests("acme/shop")).toHaveLength(1);
  });
});

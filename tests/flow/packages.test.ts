/** A repository whose tests need packages: installed where the operator allows it, and said to be missing where not. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import { implemented } from "../../src/steps/outputs.ts";
import { listSteps } from "../../src/store/steps.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";
import { type Registry, startRegistry } from "../workspace/registry.ts";

const runs = (program: string): boolean =>
  spawnSync(program, ["--version"], { env: { PATH: "/usr/local/bin:/usr/bin:/bin" } }).status === 0;

describe.skipIf(!runs("bwrap") || !runs("npm"))("tests that need a package (skipped without bubblewrap or npm)", () => {
  let story: Story;
  let registry: Registry;
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await story.close();
    await registry.close();
  });

  /** Works the demo's ticket off in a repository one of whose tests imports a package. */
  async function workOff(hosts: readonly string[], agents: Parameters<typeof scenario>[0] = {}) {
    story = await startStory({
      policy: { ...acmePolicy, policy: { install: { hosts }, rounds: 0 } },
      scenarios: [scenario(agents)],
    });
    const dependencies = { "in-cents": "1.0.0" };
    const offered = registry.offer("in-cents", { "index.js": "module.exports = (euros) => euros * 100;" });
    const manifest = { name: "shop", version: "1.0.0", type: "module", dependencies };
    const lock = {
      ...{ name: "shop", version: "1.0.0", lockfileVersion: 3 },
      packages: { "": { name: "shop", version: "1.0.0", dependencies }, "node_modules/in-cents": offered },
    };
    const test = [
      'import assert from "node:assert";',
      'import { test } from "node:test";',
      'import inCents from "in-cents";',
      'test("cents", () => assert.equal(inCents(2), 200));',
    ];
    const { repository } = story.acme.gitlab.project("acme/shop");
    const write = (path: string, content: string) => ({ kind: "write", path, content }) as const;
    await repository.commit({
      branch: "main",
      parent: await repository.resolve("main"),
      message: "Cents",
      author: { name: "Mia", email: people.mia.email, date: "2026-01-01T00:00:00Z" },
      changes: [
        write("package.json", JSON.stringify(manifest)),
        write("package-lock.json", JSON.stringify(lock)),
        write("test/cents.test.js", test.join("\n")),
      ],
    });
    story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    const run = await story.finished("SHOP-1");
    await story.acme.gitlab.idle();
    const [request] = story.acme.gitlab.project("acme/shop").mergeRequests;
    return { run, request };
  }

  test("they are there before the developer works, and for every check", async () => {
    const { run } = await workOff([registry.host]);
    expect(run).toMatchObject({ state: "done", reason: null });
    // Once, for all trees on which the change was looked at.
    expect(registry.asked).toHaveLength(1);
    const patches = (await story.effects(run)).filter(({ effect }) => effect.kind === "gitlab.branch");
    expect(JSON.stringify(patches)).not.toContain("node_modules");
    // What commands used is kept with them.
    const steps = await listSteps(story.bot.database, run.id);
    const commands = steps.flatMap(({ step, output }) =>
      step === "implement" ? implemented.output.parse(output).commands : [],
    );
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command.cpuMs).toBeGreaterThan(0);
  }, 90_000);

  test("without a registry the tests run without them, and everybody is told", async () => {
    const edit = { path: "src/discounts.js", old: "codes.get(code)", new: "codes.get(code.trim().toUpperCase())" };
    const { run, request } = await workOff([], {
      developer: [
        { calls: [{ tool: "edit_file", arguments: edit }] },
        finish({
          title: "Any case",
          summary: "Codes are trimmed and looked up in capitals.",
          files: ["src/discounts.js"],
        }),
      ],
      qa: [finish({ criteria: [] })],
    });
    expect(run).toMatchObject({ state: "needs_human" });
    const missing = "the packages of package-lock.json are not installed: policy.install.hosts names no registry";
    expect(request?.description).toContain(missing);
    const heard = story.acme.model.requests.map(({ body }) => JSON.stringify(body));
    expect(heard.some((text) => text.includes("You are the developer") && text.includes(missing))).toBe(true);
    expect(registry.asked).toEqual([]);
  }, 90_000);
});

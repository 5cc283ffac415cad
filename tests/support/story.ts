/** A ticket story: the made-up company Acme, a real database, and the bot beside them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, inject } from "vitest";
import { stringify } from "yaml";
import type { LedgerRow } from "../../src/domain/effect.ts";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { type Bot, type BotOptions, startBot } from "../../src/main.ts";
import { type Config, loadConfig } from "../../src/platform/config.ts";
import { createLog } from "../../src/platform/log.ts";
import { type Acme, type AcmeOptions, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { listEffects } from "../../src/store/ledger.ts";
import { findRun, listRuns } from "../../src/store/runs.ts";
import { checkStory } from "../contract/check-story.ts";
import { createTestDatabase } from "./postgres.ts";

export interface Story {
  readonly acme: Acme;
  readonly bot: Bot;
  readonly config: Config;
  /** The ticket's newest run, once it has ended or waits. Throws after 20 s, or what else it may take. */
  finished(ticket: string, patienceMs?: number): Promise<Run>;
  effects(run: Run): Promise<LedgerRow[]>;
  /** `step/name kind outcome` of every effect, in the order in which they were performed. */
  deeds(run: Run): Promise<string[]>;
  /** Ends everything. Fails the test when a stand-in was asked something that it does not know, or in a way that the official API descriptions forbid. */
  close(): Promise<void>;
}

export interface StoryOptions extends AcmeOptions {
  /** Policy instead of config/ticketsmith.yaml. */
  readonly policy?: object;
  /** Settings beside those that lead to Acme. */
  readonly variables?: Readonly<Record<string, string>>;
  /** `process-for-demo` by default: the code in these stories is ours. */
  readonly sandbox?: NonNullable<BotOptions["sandbox"]>;
  /** Other patience than the stories usually have. */
  readonly bot?: Partial<Omit<BotOptions, "config" | "sandbox">>;
  /** Where Jira and GitLab send their webhooks, when that is not the bot. */
  readonly webhooksTo?: string;
}

/** The policy of the stories, where they need another than the shipped one. */
export const acmePolicy = {
  projects: { SHOP: { repository: "acme/shop", space: "SHOP", parentPage: "Changes", test: ["node", "--test"] } },
  people: { start: { roles: ["Developers"] } },
};

/** Starts Acme and a bot that is connected to it. */
export async function startStory(options: StoryOptions = {}): Promise<Story> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-story-"));
  const policyFile = path.join(directory, "policy.yaml");
  await writeFile(policyFile, stringify(options.policy ?? acmePolicy));
  const acme = await startAcme(options);
  const config = loadConfig({
    ...acme.variables,
    DATABASE_URL: await createTestDatabase(inject("postgresUrl")),
    PORT: "0",
    TICKETSMITH_DATA_DIR: directory,
    TICKETSMITH_CONFIG: policyFile,
    ...options.variables,
  });
  const bot = await startBot({
    config,
    role: "all",
    log: createLog({ level: process.env.STORY_LOG ?? "error", pretty: true }),
    sandbox: options.sandbox ?? "process-for-demo",
    sweepMs: 500,
    ...options.bot,
  });
  if (bot.url !== null) acme.connect(options.webhooksTo ?? bot.url);
  const { database } = bot;
  const story: Story = {
    acme,
    bot,
    config,
    async finished(ticket, patienceMs = 60_000) {
      const deadline = Date.now() + patienceMs;
      for (;;) {
        const run = (await listRuns(database, 100)).find((one) => one.target.ticket === ticket);
        if (run !== undefined && (isEnd(run.state) || run.state === "waiting")) return run;
        if (Date.now() > deadline) {
          const now =
            run === undefined ? "no run began" : `run ${run.id} is ${run.state} in ${run.step}: ${run.reason}`;
          throw new Error(`${ticket} was not finished: ${now}; model: ${acme.model.unexpected.join("; ")}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async effects(run) {
      return listEffects(database, (await findRun(database, run.id))?.id ?? run.id);
    },
    async deeds(run) {
      return (await story.effects(run)).map(
        (row) => `${row.step}/${row.name} ${row.effect.kind} ${row.outcome ?? row.state}`,
      );
    },
    async close() {
      await bot.stop();
      await acme.close();
      await rm(directory, { recursive: true, force: true });
      const { jira, gitlab, confluence, model } = acme;
      expect([...jira.unknown, ...gitlab.unknown, ...confluence.unknown, ...model.unknown]).toEqual([]);
      expect(model.unexpected).toEqual([]);
      expect(checkStory(acme)).toEqual([]);
    },
  };
  return story;
}

/** The queue on Redis: the same story, whatever becomes of Redis meanwhile. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Log, silentLog } from "../../src/platform/log.ts";
import { type Bell, openBell } from "../../src/runs/queue.ts";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Database } from "../../src/store/queryable.ts";
import { listRuns } from "../../src/store/runs.ts";
import { listProgress } from "../../src/store/steps.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { type Story, startStory } from "../support/story.ts";

/** What was logged, as `level message {fields}`. */
let said: string[];
const log: Log = Object.fromEntries(
  (["error", "warn", "info"] as const).map((level) => [
    level,
    (message: string, fields = {}) => said.push(`${level} ${message} ${JSON.stringify(fields)}`),
  ]),
) as unknown as Log;
Object.assign(log, { debug: silentLog.debug });
beforeEach(() => {
  said = [];
});

describe.skipIf(!hasRedis())("redis (needs redis-server)", () => {
  let redis: RedisServer;
  let story: Story | undefined;
  afterEach(async () => {
    await story?.close();
    story = undefined;
    await redis.close();
  });

  /** A labelled ticket and a bot whose queue is on Redis. */
  async function begin(): Promise<Story> {
    const begun = await startStory({
      variables: { REDIS_URL: redis.url },
      latencyMs: 40,
      bot: { log, sweepMs: 100, quietMs: 300, retryBaseMs: 50 },
    });
    story = begun;
    begun.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    begun.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
    return begun;
  }

  async function reached(step: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const [run] = await listRuns(story!.bot.database, 1);
        const rows = run === undefined ? [] : await listProgress(story!.bot.database, run.id, "0");
        expect(rows.map(({ kind, data }) => `${kind} ${String(data.step)}`)).toContain(`step.started ${step}`);
      },
      { timeout: 15_000, interval: 10 },
    );
  }

  /** Done, and everything in the world once. */
  async function expectDoneOnce(): Promise<void> {
    const run = await story!.finished("SHOP-1");
    expect(run).toMatchObject({ state: "done", reason: null });
    const { jira, gitlab } = story!.acme;
    expect(jira.issue("SHOP-1").comments).toHaveLength(1);
    expect(gitlab.mergeRequests("acme/shop")).toHaveLength(1);
    expect((await story!.effects(run)).filter(({ state }) => state !== "settled")).toEqual([]);
    expect(said.filter((line) => line.startsWith("error"))).toEqual([]);
  }

  test("the story of a labelled ticket, and a warning about a Redis that forgets", async () => {
    redis = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
    await begin();
    await expectDoneOnce();
    const warnings = said.filter((line) => line.startsWith("warn Redis is not set up for a queue"));
    expect(warnings).toEqual([
      expect.stringMatching(/"setting":"appendonly","found":"no","wanted":"yes","otherwise":"a crash of Redis loses/),
      expect.stringMatching(/"setting":"maxmemory-policy","found":"allkeys-lru","wanted":"noeviction"/),
    ]);
  });

  test("FLUSHALL in the middle of it loses nothing", async () => {
    redis = await startRedis(["--appendonly", "yes"]);
    const { acme } = await begin();
    // An answer that is lost makes the run wait: its job lies in Redis, and is forgotten with everything else.
    let flushed: Promise<void> | undefined;
    acme.gitlab.fault = ({ method, path }) => {
      if (method !== "POST" || !path.endsWith("/merge_requests") || flushed !== undefined) return undefined;
      flushed = vi.waitFor(async () => {
        expect(await redis.delayed()).toBe(1);
        await redis.flush();
      });
      return { when: "after", answer: { status: 503, headers: { "retry-after": "1" }, body: { message: "down" } } };
    };
    await expectDoneOnce();
    expect(flushed).toBeDefined();
    await flushed;
    expect(said.filter((line) => line.startsWith("info run rung again by the sweeper"))).not.toEqual([]);
    expect(said.filter((line) => line.startsWith("warn Redis is not"))).toEqual([]);
  });

  test("killed in the middle of it and started again without its data", async () => {
    redis = await startRedis();
    await begin();
    await reached("plan");
    await redis.kill();
    await vi.waitFor(() => expect(said.join("\n")).toContain("the connection to Redis is lost"));
    await redis.start();
    await expectDoneOnce();
    expect(said.filter((line) => line.includes("the connection to Redis is lost"))).toHaveLength(1);
    expect(said.filter((line) => line.includes("the connection to Redis is back"))).toHaveLength(1);
  });

  test("gone for good: the bot stops in order all the same", async () => {
    redis = await startRedis(["--appendonly", "yes"]);
    const { bot } = await begin();
    await reached("plan");
    await redis.kill();
    const startedAt = Date.now();
    await bot.stop();
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(said.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("a Redis that does not let itself be asked is mentioned, and a ring into a dead one does not hang", async () => {
    redis = await startRedis(["--rename-command", "CONFIG", ""]);
    const bell: Bell = await openBell({ database: {} as Database, redisUrl: redis.url, log });
    await vi.waitFor(() => {
      expect(said.filter((line) => line.startsWith("info Redis does not tell its settings"))).toHaveLength(2);
    });
    await bell.ring("run1");
    expect(said.filter((line) => line.startsWith("warn"))).toEqual([]);
    await redis.kill();
    await bell.ring("run2");
    await bell.close();
    expect(said.filter((line) => line.startsWith("warn ring was lost")).length).toBeLessThanOrEqual(1);
  });
});

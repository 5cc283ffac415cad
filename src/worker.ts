/** The part of the composition root that advances runs. */
import type { createDesk, DeskParts } from "./desk.ts";
import type { Door, Writers } from "./effects/door.ts";
import { settleLeftovers } from "./effects/leftovers.ts";
import type { BotOptions } from "./options.ts";
import { hostsOf } from "./outside.ts";
import { advance } from "./runs/advance.ts";
import type { Engine } from "./runs/engine.ts";
import { createQuarantine } from "./runs/quarantine.ts";
import type { Services } from "./steps/step.ts";
import { startElsewhere } from "./workspace/process.ts";

/** Runs mostly wait for models. What needs the machine, the sandbox, has a line of its own. */
const usualConcurrency = 20;

/** Answers the bell until `stopping`. @returns what settles effects that ended runs have left */
export async function startWorker(
  options: BotOptions,
  { database, adapters, workflows }: DeskParts,
  context: {
    readonly bell: Awaited<ReturnType<typeof createDesk>>["bell"];
    readonly stopping: AbortSignal;
  },
): Promise<() => Promise<unknown>> {
  const { config, log } = options;
  const { environment: env, policy } = config;
  const { bell, stopping } = context;
  startElsewhere();
  const sandbox = await adapters.sandbox.status();
  if (sandbox.kind === "none") log.warn("no sandbox: tests will be reported as not run", { reason: sandbox.reason });
  options.onSandbox?.(sandbox);
  const services: Services = {
    tickets: adapters.jira,
    code: adapters.gitlab,
    reviews: adapters.gitlab,
    pages: adapters.confluence,
    model: adapters.model,
    workspaces: adapters.workspaces,
    sandbox: adapters.sandbox,
    dependencies: adapters.dependencies,
    policy,
    priceUsd: adapters.priceUsd,
    publicUrl: env.PUBLIC_URL ?? "",
  };
  const writers: Writers = {
    tickets: adapters.jira,
    code: adapters.gitlab,
    reviews: adapters.gitlab,
    branches: adapters.workspaces,
    pages: adapters.confluence,
  };
  const door: Door = { database, writers, allowedHosts: hostsOf(config), dryRun: env.DRY_RUN === "1", log };
  const engine: Engine = {
    database,
    bell,
    workflows,
    services,
    door,
    log,
    stopping,
    leaseMs: options.leaseMs ?? 30_000,
    quarantine: createQuarantine(),
    ...(options.retryBaseMs === undefined ? {} : { retryBaseMs: options.retryBaseMs }),
  };
  bell.answer((runId) => advance(engine, runId), options.concurrency ?? usualConcurrency);
  return () => settleLeftovers(door, { tickets: adapters.jira, code: adapters.gitlab, pages: adapters.confluence });
}

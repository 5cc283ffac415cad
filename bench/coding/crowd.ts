/**
 * Crowd: twenty runs at once with a model that takes two seconds per turn, against one run alone. What is more than the time of one is
 * the bot's own work getting in its own way; memory is what a run costs while it waits.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Acme, demoTicket, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import type { RunState } from "../bot-server.ts";
import { type Child, startChild } from "../child.ts";
import { inFolder } from "../folder.ts";
import type { Outcome } from "../outcome.ts";
import { cheapTest, scenario } from "../overhead/scenario.ts";

const crowd = 20;
const latencyMs = 2000;
const aims = { ratio: 1.25, megabytes: 10 };
const patienceMs = 180_000;
const sampleMs = 100;

interface Measured {
  readonly seconds: number;
  /** Most resident memory of the bot's process that was seen, bytes. */
  readonly peak: number;
}

/** Resident memory of a process, bytes (proc(5), VmRSS). */
function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Labels so many tickets at once and waits for the last of them. */
async function workOff(acme: Acme, bot: Child, pid: number, count: number): Promise<Measured> {
  const tickets = Array.from({ length: count }, () =>
    acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId }),
  );
  await acme.jira.webhooksSettled();
  let peak = residentMemory(pid);
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMemory(pid));
  }, sampleMs);
  try {
    const begin = performance.now();
    for (const { key } of tickets) acme.jira.editLabels(key, { add: ["ticketsmith"] }, people.mia.accountId);
    for (const { key } of tickets) {
      for (;;) {
        const run = await bot.ask<RunState | null>({ ticket: key });
        if (run?.state === "done") break;
        const stuck = performance.now() - begin > patienceMs;
        if (stuck || (run !== null && !["queued", "running"].includes(run.state)))
          throw new Error(`${key} is ${run?.state}: ${run?.reason}; ${acme.model.unexpected.join("; ")}`);
        await sleep(50);
      }
    }
    return { seconds: (performance.now() - begin) / 1000, peak };
  } finally {
    clearInterval(sampler);
  }
}

async function measure(
  directory: string,
  databaseUrl: string,
): Promise<{ one: Measured; many: Measured; before: number }> {
  const acme = await startAcme({ scenarios: [scenario], latencyMs });
  const bot = startChild("bot-server.ts");
  try {
    const policyFile = path.join(directory, "policy.yaml");
    const projects = { SHOP: { repository: "acme/shop", space: "SHOP", parentPage: "Changes", test: cheapTest } };
    await writeFile(policyFile, JSON.stringify({ projects, people: { start: { roles: ["Developers"] } } }));
    const own = {
      DATABASE_URL: databaseUrl,
      PORT: "0",
      TICKETSMITH_DATA_DIR: directory,
      TICKETSMITH_CONFIG: policyFile,
    };
    const variables = { ...acme.variables, ...own };
    acme.connect((await bot.ask<{ url: string }>({ start: { variables, role: "all" } })).url);
    // The first one makes the mirror and warms everything up.
    await workOff(acme, bot, bot.pid, 1);
    const one = await workOff(acme, bot, bot.pid, 1);
    const before = residentMemory(bot.pid);
    return { one, many: await workOff(acme, bot, bot.pid, crowd), before };
  } finally {
    await bot.stop();
    await acme.close();
  }
}

/** One bot process with its defaults, on Postgres. */
export async function crowdOfRuns(): Promise<Outcome> {
  const server = await startPostgres(["fsync=on"]);
  try {
    const { one, many, before } = await inFolder((directory) => measure(directory, server.url));
    const ratio = many.seconds / one.seconds;
    const megabytes = (many.peak - before) / crowd / 1e6;
    return {
      name: "crowd",
      measured: `${many.seconds.toFixed(1)} s`,
      floor: `${one.seconds.toFixed(1)} s`,
      ratio,
      aim: `<= ${aims.ratio}, <= ${aims.megabytes} MB each`,
      ok: ratio <= aims.ratio && megabytes <= aims.megabytes,
      notes: [
        `${crowd} runs at once against one alone, ${latencyMs / 1000} s per turn of the model`,
        `the bot's memory grew from ${(before / 1e6).toFixed(0)} to ${(many.peak / 1e6).toFixed(0)} MB: ${megabytes.toFixed(1)} MB per run`,
      ],
      details: { one, many, before },
    };
  } finally {
    await server.close();
  }
}

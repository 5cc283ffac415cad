/**
 * Intake: webhooks that are verified and committed, per second. Held against a server that only reads and verifies, in the
 * same run, turn and turn about, so that a slow machine slows both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Acme, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import type { InboxState } from "../bot-server.ts";
import { type Child, type CpuQuestion, startChild } from "../child.ts";
import { inFolder } from "../folder.ts";
import { median, type Outcome } from "../outcome.ts";

import type { Order, Report } from "./load.ts";

const connections = 32;
const rounds = 3;
const roundSeconds = 4;
const warmUpSeconds = 2;

/** Longest wait for the last verdict after a round. */
const drainMs = 60_000;

/** Per second, against the bare server. */
const aims = { ratio: 0.4, p99: 50 };

interface Round {
  readonly bare: Report;
  readonly bot: Report;
  /** Processor time of the servers per request, microseconds: a busy machine changes it less than it changes rates. */
  readonly cpu: { readonly bare: number; readonly bot: number };
  /** Deliveries without a verdict when the senders stopped. */
  readonly backlog: number;
  /** Time until the last of them had one, milliseconds. */
  readonly drainMs: number;
}

function accepted(report: Report): number {
  const { 202: good = 0, ...others } = report.statuses;
  if (Object.keys(others).length > 0 || good === 0)
    throw new Error(`not every answer was 202: ${JSON.stringify(report.statuses)}`);
  return good;
}

/** Waits until every delivery has its verdict. */
async function drained(bot: Child): Promise<{ backlog: number; drainMs: number; state: InboxState }> {
  const begin = performance.now();
  const first = await bot.ask<InboxState>({ inbox: true });
  let state = first;
  while (state.pending > 0) {
    if (performance.now() - begin > drainMs)
      throw new Error(`${state.pending} deliveries had no verdict after ${drainMs} ms`);
    await sleep(20);
    state = await bot.ask<InboxState>({ inbox: true });
  }
  return { backlog: first.pending, drainMs: performance.now() - begin, state };
}

/** One storm, and what it cost the server. */
async function weather(
  load: Child,
  server: Child,
  order: Order,
): Promise<{ report: Report; answered: number; cpu: number }> {
  const question: CpuQuestion = { cpu: true };
  const before = await server.ask<number>(question);
  const report = await load.ask<Report>(order);
  const answered = accepted(report);
  return { report, answered, cpu: ((await server.ask<number>(question)) - before) / answered };
}

async function play(acme: Acme, variables: Readonly<Record<string, string>>): Promise<Round[]> {
  const secret = acme.variables.JIRA_WEBHOOK_SECRET ?? "";
  const [bare, bot, load] = [
    startChild("intake/bare-server.ts"),
    startChild("bot-server.ts"),
    startChild("intake/load.ts"),
  ];
  try {
    const start = { role: "api", variables: { ...acme.variables, ...variables, PORT: "0" } };
    const bareUrl = (await bare.ask<{ url: string }>({ secret })).url;
    const botUrl = (await bot.ask<{ url: string }>({ start })).url;
    const order = { secret, connections, seconds: warmUpSeconds };
    await weather(load, bare, { ...order, url: bareUrl });
    let { answered } = await weather(load, bot, { ...order, url: botUrl });
    await drained(bot);
    const result: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const floor = await weather(load, bare, { ...order, url: bareUrl, seconds: roundSeconds });
      const storm = await weather(load, bot, { ...order, url: botUrl, seconds: roundSeconds });
      answered += storm.answered;
      const { backlog, drainMs, state } = await drained(bot);
      if (state.total !== answered)
        throw new Error(`${answered} deliveries were answered 202, but ${state.total} are in the inbox`);
      result.push({
        bare: floor.report,
        bot: storm.report,
        cpu: { bare: floor.cpu, bot: storm.cpu },
        backlog,
        drainMs,
      });
    }
    return result;
  } finally {
    await Promise.all([bare.stop(), bot.stop(), load.stop()]);
  }
}

function outcomeOf(name: string, played: readonly Round[], binding: boolean): Outcome {
  const bare = median(played.map((round) => round.bare.perSecond));
  const bot = median(played.map((round) => round.bot.perSecond));
  const p50 = median(played.map((round) => round.bot.p50));
  const p99 = median(played.map((round) => round.bot.p99));
  const ratio = bot / bare;
  const slowest = Math.max(...played.map((round) => round.drainMs));
  return {
    name,
    measured: `${bot.toFixed(0)}/s`,
    floor: `${bare.toFixed(0)}/s`,
    ratio,
    aim: binding ? `>= ${aims.ratio}, p99 < ${aims.p99} ms` : "no aim",
    ok: !binding || (ratio >= aims.ratio && p99 < aims.p99),
    notes: [
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (bare: p99 ${median(played.map((r) => r.bare.p99)).toFixed(1)} ms), ${connections} connections`,
      `processor time per delivery: ${median(played.map((r) => r.cpu.bot)).toFixed(0)} µs in the bot, ${median(played.map((r) => r.cpu.bare)).toFixed(0)} µs in the bare server`,
      `per round ${played.map((r) => `${r.bot.perSecond.toFixed(0)}:${r.bare.perSecond.toFixed(0)}`).join(" ")}; without a verdict at the end ${played.map((r) => r.backlog).join(" ")}, the last one had it ${slowest.toFixed(0)} ms later`,
    ],
    details: { rounds: played, ratio, p50, p99 },
  };
}

/** On a Postgres server that flushes every commit to the disk. */
export async function intakeOnPostgres(): Promise<Outcome> {
  const [acme, server] = await Promise.all([startAcme(), startPostgres(["fsync=on"])]);
  try {
    return await inFolder(async (directory) =>
      outcomeOf(
        "intake postgres",
        await play(acme, { DATABASE_URL: server.url, TICKETSMITH_DATA_DIR: directory }),
        true,
      ),
    );
  } finally {
    await Promise.all([acme.close(), server.close()]);
  }
}

/** On the embedded database, which runs in a thread of the bot. */
export async function intakeOnPglite(): Promise<Outcome> {
  const acme = await startAcme();
  try {
    return await inFolder(async (directory) =>
      outcomeOf("intake pglite", await play(acme, { TICKETSMITH_DATA_DIR: directory }), false),
    );
  } finally {
    await acme.close();
  }
}

/**
 * Turns: how long the developer agent takes from a model's answer to its next request, and how much it sends. Twenty turns that each
 * run a command in the sandbox which costs next to nothing; the model answers at once, over HTTP, from another process.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Acme, demoTicket, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import type { RunState } from "../bot-server.ts";
import { startChild } from "../child.ts";
import { inFolder } from "../folder.ts";
import { median, type Outcome } from "../outcome.ts";
import { cheapTest, scenario } from "../overhead/scenario.ts";

const turns = 20;
const aims = { medianMs: 15, firstBytes: 10_000, totalBytes: 250_000 };
const patienceMs = 60_000;

type Scenario = typeof scenario;

/** The usual scenario, with a developer who runs the command again and again. */
function talkative(): Scenario {
  const [read, edit, , finish] = scenario.agents.developer ?? [];
  const runs = Array.from({ length: turns }, (_, index) => ({
    calls: [{ tool: "run", arguments: { argv: [...cheapTest, `${index + 1}`] } }],
  }));
  const developer = [read, edit, ...runs, finish].filter((turn) => turn !== undefined);
  return { ticket: "*", agents: { ...scenario.agents, developer } };
}

interface Exchange {
  readonly agent: string;
  /** When the request arrived and when its answer had left, milliseconds. */
  readonly asked: number;
  answered: number;
  readonly bytes: number;
  /** What the last tool call gave. */
  readonly result: string;
}

/** Notes every request to the model. */
function watchModel(acme: Acme): Exchange[] {
  const exchanges: Exchange[] = [];
  acme.model.fault = (request) => {
    const asked = performance.now();
    const { messages } = request.body as { messages: readonly { content: string | null }[] };
    const agent = /You are the (\w+)/.exec(messages[0]?.content ?? "")?.[1] ?? "";
    const result = messages.at(-1)?.content ?? "";
    const exchange: Exchange = { agent, asked, answered: Number.NaN, bytes: request.raw.length, result };
    exchanges.push(exchange);
    return {
      answered: () => {
        exchange.answered = performance.now();
      },
    };
  };
  return exchanges;
}

async function workOff(directory: string, databaseUrl: string): Promise<readonly Exchange[]> {
  const acme = await startAcme({ scenarios: [talkative()], latencyMs: 0 });
  const bot = startChild("bot-server.ts");
  try {
    const exchanges = watchModel(acme);
    const policyFile = path.join(directory, "policy.yaml");
    const projects = { SHOP: { repository: "acme/shop", test: cheapTest } };
    await writeFile(policyFile, JSON.stringify({ projects, people: { start: { roles: ["Developers"] } } }));
    const own = {
      DATABASE_URL: databaseUrl,
      PORT: "0",
      TICKETSMITH_DATA_DIR: directory,
      TICKETSMITH_CONFIG: policyFile,
    };
    const variables = { ...acme.variables, ...own };
    acme.connect((await bot.ask<{ url: string }>({ start: { variables, role: "all" } })).url);
    const ticket = acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
    acme.jira.editLabels(ticket.key, { add: ["ticketsmith"] }, people.mia.accountId);
    for (const end = performance.now() + patienceMs; ; await sleep(200)) {
      const run = await bot.ask<RunState | null>({ ticket: ticket.key });
      if (run?.state === "done") return exchanges.filter(({ agent }) => agent === "developer");
      const stuck = performance.now() > end || (run !== null && !["queued", "running"].includes(run.state));
      if (stuck) throw new Error(`the run is ${run?.state}: ${run?.reason}; ${acme.model.unexpected.join("; ")}`);
    }
  } finally {
    await bot.stop();
    await acme.close();
  }
}

/** The gap after each answer that led to a command. */
function gapsOf(exchanges: readonly Exchange[]): number[] {
  return exchanges.flatMap((exchange, index) => {
    const next = exchanges[index + 1];
    if (next === undefined || !/command #\d+ exit 0/.test(next.result)) return [];
    return [next.asked - exchange.answered];
  });
}

/** One run, on a Postgres that flushes its commits. */
export async function turnsOfTheDeveloper(): Promise<readonly Outcome[]> {
  const server = await startPostgres(["fsync=on"]);
  try {
    const exchanges = await inFolder((directory) => workOff(directory, server.url));
    const gaps = gapsOf(exchanges);
    if (gaps.length !== turns) throw new Error(`${gaps.length} of ${turns} commands ran: ${exchanges.at(-1)?.result}`);
    const ms = median(gaps);
    const first = exchanges[0]?.bytes ?? Number.NaN;
    const commands = exchanges.slice(-turns);
    const total = commands.reduce((sum, { bytes }) => sum + bytes, 0);
    const shown = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
    return [
      {
        name: "turn",
        measured: `${ms.toFixed(1)} ms`,
        floor: `${aims.medianMs} ms`,
        ratio: ms / aims.medianMs,
        aim: `median <= ${aims.medianMs} ms`,
        ok: ms <= aims.medianMs,
        notes: [
          `from an answer to the next request, a command in the sandbox between: ${gaps.map((gap) => gap.toFixed(0)).join(" ")} ms`,
        ],
        details: { gaps },
      },
      {
        name: "bytes",
        measured: shown(total),
        floor: shown(aims.totalBytes),
        ratio: total / aims.totalBytes,
        aim: `<= ${shown(aims.totalBytes)}, first <= ${shown(aims.firstBytes)}`,
        ok: total <= aims.totalBytes && first <= aims.firstBytes,
        notes: [
          `the developer's first request has ${shown(first)}, the last ${shown(exchanges.at(-1)?.bytes ?? 0)}; in all over ${turns} turns`,
        ],
        details: { first, total, each: exchanges.map(({ bytes }) => bytes) },
      },
    ];
  } finally {
    await server.close();
  }
}

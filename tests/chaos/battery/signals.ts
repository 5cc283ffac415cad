/** SIGTERM with runs in flight, and rolling restarts. */
import { setTimeout as sleep } from "node:timers/promises";
import { checkWorld } from "../invariants.ts";
import { type BotProcess, tailOf } from "../processes.ts";
import { openWorld, until, type World } from "../world.ts";
import { type Case, type Conditions, type Part, random, spread } from "./case.ts";
import { checkFleet } from "./fleet.ts";

/** The longest a bot may take to end, milliseconds. */
const patienceMs = 25_000;

/** Tells the bot to end and waits. Returns how long it took; Infinity when it had to be killed. */
async function end(bot: BotProcess): Promise<number> {
  const asked = performance.now();
  bot.signal("SIGTERM");
  const ended = await Promise.race([bot.ended, sleep(patienceMs, null)]);
  if (ended === null) {
    bot.signal("SIGKILL");
    return Number.POSITIVE_INFINITY;
  }
  return ended.code === 0 ? performance.now() - asked : Number.POSITIVE_INFINITY;
}

/** Highest number of starts that a run was ever counted, read from the rows as they are now. */
async function startsCounted(world: World): Promise<number> {
  const { rows } = await world.database.query<{ starts: number }>(
    `select coalesce(max(starts), 0)::int as starts from ticketsmith.runs where state in ('queued', 'running')`,
  );
  return rows[0]?.starts ?? 0;
}

/** D3: five runs in flight, all with the model; the bot is told to end, and another goes on where it stopped. */
export async function stopInFlight(options: {
  postgresUrl: string;
  seed: number;
  tickets: number;
}): Promise<{ cases: Case[]; endedAfterMs: number }> {
  const { postgresUrl, seed } = options;
  const world = await openWorld({ postgresUrl, latencyMs: 800 });
  try {
    const first = await world.start();
    let asked = 0;
    world.onRequest = (system) => {
      if (system === "model") asked += 1;
      return undefined;
    };
    const tickets = Array.from({ length: options.tickets }, () => world.begin());
    await until("runs in flight", () => asked >= tickets.length);
    const endedAfterMs = await end(first);
    const wrong: string[] = [];
    if (endedAfterMs > patienceMs) wrong.push(`the bot did not end in order:\n${tailOf(first)}`);
    const { rows } = await world.database.query<{ n: number }>(
      `select count(*)::int as n from ticketsmith.runs where state = 'running'`,
    );
    if ((rows[0]?.n ?? 0) > 0) wrong.push(`${rows[0]?.n} runs were not handed back`);
    const starts = await startsCounted(world);
    if (starts > 0) wrong.push(`an orderly end was counted as a crash (starts ${starts})`);
    await world.start();
    wrong.push(...(await checkFleet(world, tickets, { patienceMs: 60_000 })));
    return {
      endedAfterMs,
      cases: [
        { name: `SIGTERM with ${tickets.length} runs in flight`, seed, wrong },
        { name: "what is left behind", seed, wrong: await checkWorld(world) },
      ],
    };
  } finally {
    await world.close();
  }
}

/** D4: while tickets are worked off, the bot is replaced every second or two, the new one first. */
async function rollingRestarts(options: {
  postgresUrl: string;
  seed: number;
  tickets: number;
  restarts: number;
  say: (line: string) => void;
}): Promise<{ cases: Case[]; endedAfterMs: number[] }> {
  const { postgresUrl, seed, say } = options;
  const chance = random(seed);
  const world = await openWorld({ postgresUrl, latencyMs: 400 });
  const ends: number[] = [];
  try {
    await world.start({ role: "api" });
    let worker = await world.start({ role: "worker" });
    const tickets = Array.from({ length: options.tickets }, () => world.begin());
    for (let restart = 1; restart <= options.restarts; restart += 1) {
      await sleep(500 + chance() * 1500);
      const [next, took] = await Promise.all([world.start({ role: "worker" }), end(worker)]);
      worker = next;
      ends.push(took);
      say(`seed ${seed}, restart ${restart} of ${options.restarts}: ended after ${Math.round(took)} ms`);
    }
    const wrong = await checkFleet(world, tickets, { patienceMs: 60_000 });
    if (ends.some((took) => took > patienceMs)) wrong.push("a worker did not end in order");
    return {
      endedAfterMs: ends,
      cases: [
        { name: `${options.restarts} rolling restarts, ${tickets.length} tickets`, seed, wrong },
        { name: "what is left behind", seed, wrong: await checkWorld(world) },
      ],
    };
  } finally {
    await world.close();
  }
}

export async function signals({ postgresUrl, seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  const ends: number[] = [];
  for (const seed of seeds) {
    const stopped = await stopInFlight({ postgresUrl, seed, tickets: 5 });
    cases.push(...stopped.cases);
    ends.push(stopped.endedAfterMs);
    say(`seed ${seed}, SIGTERM in flight: ended after ${Math.round(stopped.endedAfterMs)} ms`);
    const rolled = await rollingRestarts({ postgresUrl, seed, tickets: 10, restarts: 8, say });
    cases.push(...rolled.cases);
    ends.push(...rolled.endedAfterMs);
  }
  const { median, max } = spread(ends);
  const figures = { "ended after (median, max)": `${(median / 1000).toFixed(1)} s, ${(max / 1000).toFixed(1)} s` };
  return { name: "D3, D4 SIGTERM with runs in flight, rolling restarts", cases, figures };
}

/** The whole bot on its embedded database is killed at random moments, starts included, again and again on the same folder. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../src/domain/errors.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { checkTicket, checkWorld, isParked } from "../invariants.ts";
import { type BotProcess, launch, processesOf, type Spawn, startProcess, tailOf } from "../processes.ts";
import { openAcme, until, type World } from "../world.ts";
import { type Case, type Conditions, type Part, random } from "./case.ts";

interface RunList {
  readonly runs: readonly {
    readonly target: { readonly ticket: string };
    readonly state: string;
    readonly step: string;
    readonly reason: string | null;
  }[];
}

interface Ends {
  /** Tickets that have not ended as they should, and how far they are. */
  readonly left: readonly string[];
  /** Tickets that were put aside because a worker died five times while it was at one step of theirs. */
  readonly parked: readonly string[];
}

/** How the tickets have ended, as the bot's own API tells. */
async function ends(url: string, tickets: readonly string[]): Promise<Ends> {
  const answer = await fetch(`${url}/api/v1/runs?limit=200`, { signal: AbortSignal.timeout(5000) });
  const { runs } = (await answer.json()) as RunList;
  const left: string[] = [];
  const parked: string[] = [];
  for (const ticket of tickets) {
    const run = runs.find(({ target }) => target.ticket === ticket);
    if (run === undefined) left.push(`${ticket}: no run`);
    else if (isParked(run)) parked.push(ticket);
    else if (run.state !== "done") left.push(`${ticket}: ${run.state} in ${run.step}, ${run.reason}`);
  }
  return { left, parked };
}

/** A second process on the folder of a living one must end, saying why. */
async function checkSecondProcess(
  first: BotProcess,
  variables: Readonly<Record<string, string>>,
  directory: string,
): Promise<string[]> {
  const second = launch({ role: "all", directory, variables: { ...variables, PORT: "0" } });
  const began = await second.ready.then(
    () => true,
    () => false,
  );
  second.child.kill("SIGKILL");
  if (began) return ["a second process began on the folder of a living one"];
  const said = readFileSync(second.logFile, "utf8");
  return said.includes(`is in use by process ${first.pid}`)
    ? []
    : [`a second process ended without saying why: ${said.slice(0, 300)}`];
}

type Place = Awaited<ReturnType<typeof openAcme>>;

/** Resolves after so many more requests of the bot, or when it has had nothing to ask for a while. */
function requestsOf(place: Place, count: number): Promise<unknown> {
  let left = count;
  const systems = [place.acme.jira, place.acme.gitlab, place.acme.confluence, place.acme.model];
  const reached = new Promise<void>((resolve) => {
    for (const system of systems) {
      system.fault = () => {
        left -= 1;
        if (left <= 0) resolve();
        return undefined;
      };
    }
  });
  return Promise.race([reached, sleep(5000)]);
}

/** A life that ends while the bot is still starting. */
async function dieInStart(spawn: Spawn, afterMs: number): Promise<void> {
  const { child } = launch(spawn);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await sleep(afterMs);
  child.kill("SIGKILL");
  await ended;
}

/**
 * Kills the bot `kills` times at random moments; a ticket is labelled in every other life. Moments are counted in requests, so that
 * the bot gets as far in each life on a slow machine as on a fast one.
 */
export async function killEmbedded(options: {
  seed: number;
  kills: number;
  say: (line: string) => void;
}): Promise<{ cases: Case[]; parked: number }> {
  const { seed, kills, say } = options;
  const chance = random(seed);
  const place = await openAcme({ webhookBackoffMs: 2000 });
  const logs = path.join(place.directory, "logs");
  const spawn = { role: "all" as const, directory: logs, variables: place.variables };
  const tickets: string[] = [];
  const cases: Case[] = [];
  const note = (name: string, wrong: readonly string[]): void => void cases.push({ name, seed, wrong });
  let bot: BotProcess | undefined;
  try {
    for (let life = 1; life <= kills; life += 1) {
      // The very first starts make the database.
      const inStart = life <= Math.min(3, kills / 2) || (life > 3 && chance() < 0.2);
      if (inStart) await dieInStart(spawn, chance() * 2500);
      else {
        bot = await startProcess(spawn);
        if (life % 2 === 0) tickets.push(place.begin());
        await requestsOf(place, 1 + Math.floor(chance() * 40));
        bot.signal("SIGKILL");
        await bot.ended;
      }
      note(`life ${life}`, []);
      say(`seed ${seed}, life ${life} of ${kills} ended${inStart ? " in its start" : ""}`);
    }
    const last = await startProcess(spawn);
    bot = last;
    tickets.push(place.begin());
    note("second process", await checkSecondProcess(last, place.variables, logs));
    const now = (): Promise<Ends> => ends(last.url ?? "", tickets);
    await until("the end of all tickets", async () => (await now()).left.length === 0, {
      patienceMs: 120_000,
      everyMs: 200,
    }).catch(async () => note("all tickets", (await now()).left));
    const { parked } = await now();
    await place.acme.jira.webhooksSettled();
    last.signal("SIGTERM");
    await last.ended;
    note("what the database says", await checkFolder(place, tickets, parked));
    return { cases, parked: parked.length };
  } catch (error) {
    note("starts again", [`${messageOf(error)}${bot === undefined ? "" : `\n${tailOf(bot)}`}`]);
    return { cases, parked: 0 };
  } finally {
    bot?.signal("SIGKILL");
    await place.close();
  }
}

/** The invariants, on the folder that the bot has left. */
async function checkFolder(place: Place, tickets: readonly string[], parked: readonly string[]): Promise<string[]> {
  const database = await openDatabase({ directory: place.variables.TICKETSMITH_DATA_DIR ?? "", log: silentLog });
  try {
    const world = {
      ...place,
      database,
      bots: [],
      run: async (ticket: string) => {
        return (await listRuns(database, 200)).find((run) => run.target.ticket === ticket) ?? null;
      },
    } as unknown as World;
    const found = await Promise.all(tickets.map((ticket) => checkTicket(world, ticket)));
    const left = processesOf(place.directory).map((process) => `a process is left: ${process}`);
    const whole = await checkWorld(world);
    const expected = parked.map((ticket) => `branch ticketsmith/${ticket} has no merge request`);
    return [...found.flat(), ...left, ...whole.filter((sentence) => !expected.includes(sentence))];
  } finally {
    await database.close();
  }
}

export async function embedded({ seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  let parked = 0;
  for (const seed of seeds) {
    const done = await killEmbedded({ seed, kills: 50, say });
    cases.push(...done.cases);
    parked += done.parked;
  }
  return {
    name: "C3 kill -9 of the whole bot on the embedded database",
    cases,
    figures: { kills: 50 * seeds.length, "tickets parked": parked },
  };
}

/** The whole bot on its embedded database is killed at random moments, starts included, again and again on the same folder. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../src/domain/errors.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { checkTicket, checkWorld } from "../invariants.ts";
import { type BotProcess, launch, processesOf, startProcess } from "../processes.ts";
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

/** Tickets that are not done, and how far they are, as the bot's own API tells. */
async function unfinished(url: string, tickets: readonly string[]): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/runs?limit=200`, { signal: AbortSignal.timeout(5000) });
  const { runs } = (await answer.json()) as RunList;
  return tickets.flatMap((ticket) => {
    const run = runs.find(({ target }) => target.ticket === ticket);
    if (run === undefined) return [`${ticket}: no run`];
    return run.state === "done" ? [] : [`${ticket}: ${run.state} in ${run.step}, ${run.reason}`];
  });
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

/** Kills the bot `kills` times at random moments; a ticket is labelled in every other life. */
export async function killEmbedded(options: {
  seed: number;
  kills: number;
  say: (line: string) => void;
}): Promise<Case[]> {
  const { seed, kills, say } = options;
  const chance = random(seed);
  const place = await openAcme({ webhookBackoffMs: 2000 });
  const logs = path.join(place.directory, "logs");
  const spawn = { role: "all" as const, directory: logs, variables: place.variables };
  const tickets: string[] = [];
  const cases: Case[] = [];
  let bot: BotProcess | undefined;
  try {
    for (let life = 1; life <= kills; life += 1) {
      const began = performance.now();
      // Some lives end while the bot is still starting: the very first ones, when the database is made, above all.
      const inStart = life <= 3 || chance() < 0.25;
      if (inStart) {
        const { child } = launch(spawn);
        await sleep(chance() * 2500);
        child.kill("SIGKILL");
        if (child.exitCode === null && child.signalCode === null)
          await new Promise((resolve) => child.once("exit", resolve));
        continue;
      }
      try {
        const born = await startProcess(spawn);
        if (life % 2 === 0) tickets.push(place.begin());
        await sleep(chance() * 2500);
        born.signal("SIGKILL");
        await born.ended;
        cases.push({ name: `life ${life}`, seed, wrong: [] });
        say(`seed ${seed}, life ${life} of ${kills}: ${Math.round(performance.now() - began)} ms`);
      } catch (error) {
        cases.push({ name: `life ${life}`, seed, wrong: [messageOf(error)] });
        break;
      }
    }
    const last = await startProcess(spawn);
    bot = last;
    tickets.push(place.begin());
    cases.push({ name: "second process", seed, wrong: await checkSecondProcess(last, place.variables, logs) });
    const left = async (): Promise<string[]> => unfinished(last.url ?? "", tickets);
    const allDone = async (): Promise<boolean> => (await left()).length === 0;
    await until("the end of all tickets", allDone, { patienceMs: 120_000, everyMs: 200 }).catch(async () => {
      cases.push({ name: "all tickets", seed, wrong: await left() });
    });
    await place.acme.jira.webhooksSettled();
    last.signal("SIGTERM");
    await last.ended;
    cases.push({ name: "what the database says", seed, wrong: await checkFolder(place, tickets) });
  } finally {
    bot?.signal("SIGKILL");
    await place.close();
  }
  return cases;
}

/** The invariants, on the folder that the bot has left. */
async function checkFolder(place: Awaited<ReturnType<typeof openAcme>>, tickets: readonly string[]): Promise<string[]> {
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
    return [...found.flat(), ...left, ...(await checkWorld(world))];
  } finally {
    await database.close();
  }
}

export async function embedded({ seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  for (const seed of seeds) cases.push(...(await killEmbedded({ seed, kills: 50, say })));
  return { name: "C3 kill -9 of the whole bot on the embedded database", cases, figures: { kills: 50 * seeds.length } };
}

/** Postgres goes away and comes back, again and again, while tickets are worked off. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "../../support/postgres.ts";
import { checkWorld } from "../invariants.ts";
import { openWorld, until } from "../world.ts";
import { type Case, type Conditions, type Part, random } from "./case.ts";
import { checkFleet } from "./fleet.ts";

/** Ends every connection of the bots while the server stays up, as a pooler or a failover does. */
async function cutConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'ticketsmith%'",
  );
  await client.end();
}

/** `tickets` are labelled over the whole time; every few seconds the server is halted or killed for up to two seconds, or its connections are cut. */
export async function restartPostgres(options: {
  seed: number;
  tickets: number;
  restarts: number;
  say: (line: string) => void;
}): Promise<Case[]> {
  const { seed, say } = options;
  const chance = random(seed);
  const postgres = await startPostgres();
  const world = await openWorld({ postgresUrl: postgres.url, latencyMs: 150, watch: false });
  const cases: Case[] = [];
  const tickets: string[] = [];
  try {
    const bot = await world.start();
    for (let restart = 0; restart < options.restarts; restart += 1) {
      while (tickets.length < Math.ceil(((restart + 1) * options.tickets) / options.restarts))
        tickets.push(world.begin());
      await sleep(1000 + chance() * 2000);
      const how = (["halted", "killed", "connections cut"] as const)[Math.floor(chance() * 3)];
      const downMs = how === "connections cut" ? 0 : chance() * 2000;
      if (how === "connections cut") await cutConnections(postgres.url);
      else {
        await (how === "killed" ? postgres.kill() : postgres.halt());
        await sleep(downMs);
        await postgres.start();
      }
      say(`seed ${seed}, restart ${restart + 1} of ${options.restarts}: ${how}, ${Math.round(downMs)} ms down`);
    }
    const wrong = await checkFleet(world, tickets, { patienceMs: 120_000 });
    if (!bot.isAlive) wrong.push("the bot did not survive");
    cases.push({ name: `${options.restarts} restarts, ${tickets.length} tickets`, seed, wrong });
    cases.push({ name: "what is left behind", seed, wrong: await checkWorld(world) });
  } finally {
    await until("the database", () => world.database.query("select 1").then(() => true)).catch(() => undefined);
    await world.close();
    await postgres.close();
  }
  return cases;
}

export async function outages({ seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  for (const seed of seeds) cases.push(...(await restartPostgres({ seed, tickets: 16, restarts: 8, say })));
  return {
    name: "C4 Postgres restarted while tickets are worked off",
    cases,
    figures: { tickets: 16 * seeds.length, restarts: 8 * seeds.length },
  };
}

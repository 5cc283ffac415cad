/** A ticket that brings down every worker which touches it is parked with a word on it; the others go on. */
import { checkWorld } from "../invariants.ts";
import { type BotProcess, tailOf } from "../processes.ts";
import { openWorld } from "../world.ts";
import type { Case, Conditions, Part } from "./case.ts";
import { checkFleet } from "./fleet.ts";

/** Labels `tickets` tickets, the second of which kills the bot whenever the model is asked about it. */
export async function poisonOne(options: {
  postgresUrl: string;
  seed: number;
  tickets: number;
  say: (line: string) => void;
}): Promise<Case[]> {
  const { postgresUrl, seed, say } = options;
  const world = await openWorld({ postgresUrl, latencyMs: 300 });
  let deaths = 0;
  let ending = false;
  let bot: BotProcess = await world.start();
  try {
    const tickets = Array.from({ length: options.tickets }, () => world.begin());
    const poison = tickets[1] ?? "";
    world.onRequest = (system, request) => {
      if (system !== "model" || !request.raw.includes(`${poison} `)) return undefined;
      bot.signal("SIGKILL");
      return { when: "before", reset: true };
    };
    const reborn = (async () => {
      while (!ending) {
        await bot.ended;
        if (ending) return;
        deaths += 1;
        say(`seed ${seed}, death ${deaths}`);
        bot = await world.start();
      }
    })();
    const wrong = await checkFleet(world, tickets, { patienceMs: 90_000, mayPark: [poison] });
    const parked = await world.run(poison);
    if (parked?.state !== "needs_human")
      wrong.push(`the poisonous ticket is ${parked?.state}: ${parked?.reason}\n${tailOf(bot)}`);
    if (deaths > 5) wrong.push(`the bot died ${deaths} times, more than five`);
    const told = JSON.stringify(world.acme.jira.issue(poison).comments.map(({ body }) => body));
    if (!told.includes("brought the worker down")) wrong.push("the poisonous ticket does not say why it was parked");
    ending = true;
    world.onRequest = () => undefined;
    const left = await checkWorld(world);
    await reborn;
    return [
      { name: `one of ${tickets.length} tickets is poisonous`, seed, wrong },
      { name: "what is left behind", seed, wrong: left },
    ];
  } finally {
    ending = true;
    await world.close();
  }
}

export async function poison({ postgresUrl, seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  for (const seed of seeds) cases.push(...(await poisonOne({ postgresUrl, seed, tickets: 8, say })));
  return { name: "C8 a poisonous ticket among others", cases };
}

/** Two workers whose clocks are an hour off, one ahead and one behind, and are set again and again. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkWorld } from "../invariants.ts";
import { openWorld } from "../world.ts";
import { type Case, type Conditions, type Part, random } from "./case.ts";
import { checkFleet } from "./fleet.ts";

const preload = path.join(import.meta.dirname, "../shifted-clock.ts");
const hourMs = 3_600_000;

export async function clockJumps(options: {
  postgresUrl: string;
  seed: number;
  tickets: number;
  jumps: number;
}): Promise<Case[]> {
  const { postgresUrl, seed } = options;
  const chance = random(seed);
  const world = await openWorld({ postgresUrl, latencyMs: 200 });
  const clock = (shiftMs: number) => ({
    nodeOptions: ["--import", preload],
    variables: { CLOCK_SHIFT_MS: String(shiftMs) },
  });
  try {
    const bots = await Promise.all([world.start(clock(hourMs)), world.start({ role: "worker", ...clock(-hourMs) })]);
    const tickets = Array.from({ length: options.tickets }, () => world.begin());
    for (let jump = 0; jump < options.jumps; jump += 1) {
      await sleep(200 + chance() * 600);
      bots[chance() < 0.5 ? 0 : 1].signal("SIGUSR2");
    }
    return [
      {
        name: `${options.jumps} jumps of an hour, ${tickets.length} tickets`,
        seed,
        wrong: await checkFleet(world, tickets, { patienceMs: 60_000 }),
      },
      { name: "what is left behind", seed, wrong: await checkWorld(world) },
    ];
  } finally {
    await world.close();
  }
}

export async function clocks({ postgresUrl, seeds }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  for (const seed of seeds) cases.push(...(await clockJumps({ postgresUrl, seed, tickets: 8, jumps: 12 })));
  return { name: "D2 clocks that are an hour off and jump", cases };
}

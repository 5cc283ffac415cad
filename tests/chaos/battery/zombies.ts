/**
 * Two workers on one Postgres. The one at work is stopped (SIGSTOP) around an outside write for longer than its lease, the other
 * takes over and brings the run to its end, then the first one wakes up in the middle of what it was doing.
 */
import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../../../src/domain/errors.ts";
import { type Boundary, isWrite, listBoundaries } from "../boundaries.ts";
import { checkTicket, checkWorld } from "../invariants.ts";
import { type BotProcess, tailOf } from "../processes.ts";
import { openWorld, until, type World } from "../world.ts";
import type { Case, Conditions, Part } from "./case.ts";

export const pauses = [
  /** It has looked ("not there yet") and is stopped before it has read the answer. */
  "after the look",
  /** Its write was carried out, and it is stopped before it has read the answer. */
  "after the write",
  /** Its write is under way and is carried out only after the other worker has finished. */
  "write arrives late",
] as const;
export type Pause = (typeof pauses)[number];

/**
 * Calls `hit` at the boundary in the given way, or `miss` with the number of looks that there were this time when that has passed.
 * Returns what lets a late write through.
 */
function stopAt(
  world: World,
  boundary: Boundary,
  pause: Pause,
  { hit, miss }: { hit: () => void; miss: (looks: number) => void },
): { release: () => void } {
  let writes = 0;
  let looks = 0;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.onRequest = (system, request) => {
    if (isWrite(system, request)) {
      if (pause === "after the look" && writes === boundary.at) miss(looks);
      writes += 1;
      looks = 0;
    } else looks += 1;
    const isLook = pause === "after the look" && writes === boundary.at && looks === boundary.looks;
    const isIt = isLook || (pause !== "after the look" && writes === boundary.at + 1);
    if (!isIt) return undefined;
    world.onRequest = () => undefined;
    hit();
    return pause === "write arrives late" ? { until: held } : undefined;
  };
  return { release };
}

function logged(bot: BotProcess, from: number): string {
  return readFileSync(bot.logFile).subarray(from).toString("utf8");
}

/** How often a blow that missed is struck again. */
const mostMisses = 3;

/** One ticket: `sleeper` begins it and is stopped, `other` (stopped before) ends it, `sleeper` wakes up. */
export async function sleepThroughTakeover(
  world: World,
  workers: { sleeper: BotProcess; other: BotProcess },
  boundary: Boundary,
  pause: Pause,
): Promise<string[]> {
  let { looks } = boundary;
  for (let misses = 0; misses < mostMisses; misses += 1) {
    const tried = await tryToSleep(world, workers, { ...boundary, looks }, pause);
    if ("wrong" in tried) return tried.wrong;
    looks = tried.looks;
  }
  return ["the moment to stop was missed again and again"];
}

/**
 * One try. It misses when the looks are others than last time: somebody else asks something now and then (and the sleeper has not even got
 * the run), or an answer that was good for some minutes is asked for again. Then it says how many there were.
 */
async function tryToSleep(
  world: World,
  workers: { sleeper: BotProcess; other: BotProcess },
  boundary: Boundary,
  pause: Pause,
): Promise<{ readonly wrong: string[] } | { readonly looks: number }> {
  const { sleeper, other } = workers;
  const logStart = statSync(sleeper.logFile).size;
  other.signal("SIGSTOP");
  let isAsleep = false;
  let missed: number | undefined;
  const { release } = stopAt(world, boundary, pause, {
    hit() {
      sleeper.signal("SIGSTOP");
      isAsleep = true;
    },
    miss(looks) {
      missed = looks;
    },
  });
  try {
    const ticket = world.begin();
    await until("the moment to stop", () => isAsleep || missed !== undefined);
    const hasIt = (await world.run(ticket))?.state === "running";
    other.signal("SIGCONT");
    await world.ended(ticket);
    release();
    if (!isAsleep || !hasIt) return { looks: missed ?? boundary.looks };
    if (pause === "write arrives late") await until("the late write", () => settled(world));
    sleeper.signal("SIGCONT");
    await until("the sleeper to notice", () => logged(sleeper, logStart).includes("lease went to another worker"));
    return { wrong: await checkTicket(world, ticket, { transitionsMayRepeat: pause === "write arrives late" }) };
  } catch (error) {
    return { wrong: [`${messageOf(error)}\n${tailOf(sleeper)}\n    ---\n${tailOf(other)}`] };
  } finally {
    world.onRequest = () => undefined;
    release();
    sleeper.signal("SIGCONT");
    other.signal("SIGCONT");
  }
}

/** Whether the stand-ins have answered everything that they were asked: a request is logged when it is answered. */
async function settled(world: World): Promise<boolean> {
  const count = (): number =>
    [world.acme.jira, world.acme.gitlab, world.acme.confluence].reduce((sum, s) => sum + s.requests.length, 0);
  const before = count();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return count() === before;
}

/** Every write, in all three ways; the two workers take turns in being the one that sleeps. */
export async function zombies({ postgresUrl, seeds, say }: Conditions): Promise<Part> {
  const world = await openWorld({ postgresUrl });
  const cases: Case[] = [];
  try {
    await world.start({ role: "api" });
    let [sleeper, other] = await Promise.all([world.start({ role: "worker" }), world.start({ role: "worker" })]);
    for (const seed of seeds) {
      // Each once alone, so that neither has to ask who it is and the looks can be counted.
      const lists: Boundary[][] = [];
      for (const [alone, idle] of [
        [sleeper, other],
        [other, sleeper],
      ] as const) {
        idle.signal("SIGSTOP");
        await world.ended(world.begin());
        lists.push(await listBoundaries(world));
        idle.signal("SIGCONT");
        say(`worker ${alone.pid} is warm, ${lists.at(-1)?.length} writes`);
      }
      for (const boundary of lists[0] ?? []) {
        for (const pause of pauses) {
          const name = `${boundary.name} (#${boundary.at}), ${pause}`;
          const wrong = await sleepThroughTakeover(world, { sleeper, other }, boundary, pause);
          [sleeper, other] = [other, sleeper];
          cases.push({ name, seed, wrong });
          say(`seed ${seed}, ${name}: ${wrong.join("; ") || "held"}`);
        }
      }
    }
    cases.push({ name: "what is left behind", seed: 0, wrong: await checkWorld(world) });
  } finally {
    await world.close();
  }
  return { name: "C6 paused workers wake up after a takeover", cases };
}

/** kill -9 at every outside write of a run, at three moments each, and at the commits in between. */
import { messageOf } from "../../../src/domain/errors.ts";
import { isEnd } from "../../../src/domain/run.ts";
import { listBoundaries, type Moment, moments, strikeAtWrite } from "../boundaries.ts";
import { checkTicket, checkWorld } from "../invariants.ts";
import { type BotProcess, tailOf } from "../processes.ts";
import { type Commit, openWorld, until, type World } from "../world.ts";
import { type Case, type Conditions, type Part, random } from "./case.ts";

/** Prepares a blow; the promise resolves when it has fallen. Called right before the ticket gets its label. */
type Blow = (world: World, hit: () => void) => Promise<void>;

/** On a busy machine a start takes longer than the stand-in repeats its webhooks (the real Jira goes on for an hour): what is lost is searched for. */
const searching = { reconcile: { everyMs: 5000, graceMs: 3000 } } as const;

/** Lets the blow fall on the bot while it works on a new ticket, starts another bot, and looks at the outcome. */
export async function killAndRecover(
  world: World,
  bot: BotProcess,
  name: string,
  seed: number,
  blow: Blow,
): Promise<{ bot: BotProcess; outcome: Case }> {
  let struckAt = 0;
  const struck = blow(world, () => {
    bot.signal("SIGKILL");
    struckAt = performance.now();
  });
  const ticket = world.begin();
  let next: BotProcess | undefined;
  try {
    await Promise.race([struck, bot.ended, until("the blow", () => struckAt > 0)]);
    await bot.ended;
    const epoch = (await world.run(ticket))?.epoch ?? 0;
    next = await world.start(searching);
    await until("a new start of the run", async () => {
      const run = await world.run(ticket);
      return run !== null && (run.epoch > epoch || isEnd(run.state));
    });
    const recoveryMs = performance.now() - struckAt;
    await world.ended(ticket);
    return { bot: next, outcome: { name, seed, recoveryMs, wrong: await checkTicket(world, ticket) } };
  } catch (error) {
    const story = [bot, next].flatMap((one) => (one === undefined ? [] : [tailOf(one)])).join("\n    ---\n");
    const wrong = [`${ticket}: ${messageOf(error)}\n${story}`];
    bot.signal("SIGKILL");
    await bot.ended;
    return { bot: next ?? (await world.start(searching)), outcome: { name, seed, wrong } };
  } finally {
    world.onRequest = () => undefined;
    world.onCommit = () => undefined;
  }
}

function atWrite(at: number, moment: Moment, lateMs: number): Blow {
  return (world, hit) => strikeAtWrite(world, at, moment, lateMs, hit);
}

function atCommit(isIt: (commit: Commit) => boolean): Blow {
  return (world, hit) =>
    new Promise((resolve) => {
      world.onCommit = (commit) => {
        if (!isIt(commit)) return;
        world.onCommit = () => undefined;
        hit();
        resolve();
      };
    });
}

function afterMs(ms: number): Blow {
  return (_world, hit) =>
    new Promise((resolve) => {
      setTimeout(() => {
        hit();
        resolve();
      }, ms);
    });
}

const atModelAnswer: Blow = (world, hit) =>
  new Promise((resolve) => {
    world.onRequest = (system) => {
      if (system !== "model") return undefined;
      world.onRequest = () => undefined;
      const answered = (): void => {
        hit();
        resolve();
      };
      return { answered };
    };
  });

/** Points between the outside writes; `chance` is from 0 up to 1. */
export const innerPoints: readonly (readonly [name: string, blow: (chance: number) => Blow])[] = [
  ["webhook on its way", (chance) => afterMs(chance * 30)],
  ["delivery committed", () => atCommit(({ table }) => table === "deliveries")],
  ["run queued, not rung", () => atCommit(({ table, row }) => table === "runs" && row.state === "queued")],
  ["run claimed", () => atCommit(({ table, row }) => table === "runs" && row.state === "running")],
  ["step begun", () => atCommit(({ table, row }) => table === "steps" && row.step === "plan")],
  ["model answered, nothing stored", () => atModelAnswer],
  ["turn stored", () => atCommit(({ table, row }) => table === "turns" && row.step === "implement")],
  [
    "step returned",
    () => atCommit(({ table, row }) => table === "steps" && row.step === "publish" && row.state === "produced"),
  ],
  [
    "run handed to its next step",
    () => atCommit(({ table, row }) => table === "runs" && row.step === "document" && row.state === "queued"),
  ],
  ["run ended", () => atCommit(({ table, row }) => table === "runs" && row.state === "done")],
  ["any moment", (chance) => afterMs(30 + chance * 1200)],
];

/** The whole of it: every write at every moment, and every inner point, once per seed. */
export async function killEverywhere({ postgresUrl, seeds, say }: Conditions): Promise<Part> {
  const world = await openWorld({ postgresUrl });
  const cases: Case[] = [];
  try {
    let bot = await world.start(searching);
    const boundaries = await listBoundaries(world);
    for (const seed of seeds) {
      const chance = random(seed);
      const blows: (readonly [string, Blow])[] = [
        ...boundaries.flatMap(({ at, name }) =>
          moments.map((moment) => [`${name} (#${at}), ${moment}`, atWrite(at, moment, chance() * 6 - 1)] as const),
        ),
        ...innerPoints.map(([name, make]) => [name, make(chance())] as const),
      ];
      for (const [name, blow] of blows) {
        const done = await killAndRecover(world, bot, name, seed, blow);
        bot = done.bot;
        cases.push(done.outcome);
        const ms = Math.round(done.outcome.recoveryMs ?? 0);
        say(`seed ${seed}, ${name}: ${done.outcome.wrong.join("; ") || `held, back after ${ms} ms`}`);
      }
    }
    cases.push({ name: "what is left behind", seed: 0, wrong: await checkWorld(world) });
  } finally {
    await world.close();
  }
  return { name: "C2 kill -9 at every write and inner point", cases };
}

/** One ticket, and the bot dies at every outside write of its run. `npm run chaos` has the long version. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { isWrite, type Moment, moments, nameOf } from "./boundaries.ts";
import { checkTicket, checkWorld } from "./invariants.ts";
import type { BotProcess } from "./processes.ts";
import { openWorld, until, type World } from "./world.ts";

const locks = { leaseMs: 1000, sweepMs: 150, quietMs: 500 };

let world: World;
beforeAll(async () => {
  world = await openWorld({ postgresUrl: inject("postgresUrl"), watch: false });
});
afterAll(() => world.close());

/** One write of every kind of effect; the battery has them all. */
const kinds = /comment$|transitions to 21|push|merge_requests|confluence POST \/pages$|remotelink/;

/** Kills the bot at the first write of a kind that is not in `names` yet, and notes it. */
function killAtNextName(bot: BotProcess, moment: Moment, names: Set<string>): void {
  world.onRequest = (system, request) => {
    const name = nameOf(system, request);
    if (!isWrite(system, request) || !kinds.test(name) || names.has(name)) return undefined;
    names.add(name);
    world.onRequest = () => undefined;
    const kill = (): void => bot.signal("SIGKILL");
    if (moment === "after the answer") return { answered: kill };
    kill();
    return { when: moment === "before the call" ? "before" : "after", reset: true };
  };
}

test("a run whose bot is killed at an outside write of every kind leaves one of everything", async () => {
  const names = new Set<string>();
  let bot = await world.start(locks);
  const ticket = world.begin();
  for (let death = 0; ; death += 1) {
    killAtNextName(bot, moments[death % moments.length] ?? "before the call", names);
    const next = world.standBy(locks);
    const over = world.ended(ticket, 200_000);
    const lived = await Promise.race([over.then(() => true), bot.ended.then(() => false)]);
    if (lived) {
      next.discard();
      break;
    }
    over.catch(() => undefined);
    bot = await next.go();
  }
  expect([...names]).toHaveLength(6);
  expect(await checkTicket(world, ticket)).toEqual([]);
  expect((await world.run(ticket))?.state).toBe("done");
}, 240_000);

test("nothing is left behind", async () => {
  await until("the webhooks", () => world.acme.jira.webhooksSettled().then(() => true));
  expect(await checkWorld(world)).toEqual([]);
}, 60_000);

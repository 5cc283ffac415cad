/** Bots that are paused, killed on their embedded database, or told to stop. `npm run chaos` has the long version. */
import { expect, inject, test } from "vitest";
import { killEmbedded } from "./battery/embedded.ts";
import { stopInFlight } from "./battery/signals.ts";
import { sleepThroughTakeover } from "./battery/zombies.ts";
import { checkWorld } from "./invariants.ts";
import { openWorld } from "./world.ts";

const say = (): void => {};

test("a worker that is paused in a write and wakes up after a takeover doubles nothing", async () => {
  const world = await openWorld({ postgresUrl: inject("postgresUrl"), watch: false });
  try {
    const [sleeper, other] = await Promise.all([world.start(), world.start({ role: "worker" })]);
    const comment = { at: 0, name: "the first comment", looks: 0 };
    // Late is the worst case: a second comment, or an old text over a new one.
    expect(await sleepThroughTakeover(world, { sleeper, other }, comment, "write arrives late")).toEqual([]);
    expect(await checkWorld(world)).toEqual([]);
  } finally {
    await world.close();
  }
}, 240_000);

test("a bot that is killed on its embedded database starts again and loses nothing", async () => {
  const { cases } = await killEmbedded({ seed: 1, kills: 2, say });
  expect(cases.flatMap(({ wrong }) => wrong)).toEqual([]);
}, 240_000);

test("a bot that is told to stop hands its runs back, and the next one goes on", async () => {
  const { cases, endedAfterMs } = await stopInFlight({ postgresUrl: inject("postgresUrl"), seed: 1, tickets: 2 });
  expect(cases.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(endedAfterMs).toBeLessThan(25_000);
}, 240_000);

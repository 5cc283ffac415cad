/** Many tickets at once, and the end of all of them. */
import { isEnd } from "../../../src/domain/run.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { checkTicket } from "../invariants.ts";
import { tailOf } from "../processes.ts";
import { until, type World } from "../world.ts";

/** How far the tickets are, for messages. */
async function describe(world: World, tickets: readonly string[]): Promise<string> {
  const runs = await listRuns(world.database, 500);
  return tickets
    .map((ticket) => {
      const run = runs.find((one) => one.target.ticket === ticket);
      return run === undefined
        ? `${ticket} no run`
        : `${ticket} ${run.state} in ${run.step} (starts ${run.starts}, epoch ${run.epoch}, not before ${run.notBefore?.toISOString()}, ${run.reason})`;
    })
    .join(", ");
}

/** Waits until every ticket has ended, then checks each. Tickets in `mayPark` may have stopped with a reason. */
export async function checkFleet(
  world: World,
  tickets: readonly string[],
  options: { patienceMs: number; mayPark?: readonly string[] },
): Promise<string[]> {
  const unfinished = async (): Promise<string[]> => {
    const runs = await listRuns(world.database, 500);
    const ended = new Set(runs.filter(({ state }) => isEnd(state)).map(({ target }) => target.ticket));
    return tickets.filter((ticket) => !ended.has(ticket));
  };
  try {
    await until("the end of all tickets", async () => (await unfinished()).length === 0, {
      patienceMs: options.patienceMs,
      everyMs: 200,
    });
  } catch {
    const logs = world.bots.filter(({ isAlive }) => isAlive).map((bot) => tailOf(bot));
    return [`not all tickets ended: ${await describe(world, await unfinished())}\n${logs.join("\n    ---\n")}`];
  }
  const wrong: string[] = [];
  for (const ticket of tickets) {
    wrong.push(...(await checkTicket(world, ticket)));
    const run = await world.run(ticket);
    if (run?.state !== "done" && !options.mayPark?.includes(ticket))
      wrong.push(`${ticket} ended ${run?.state}: ${run?.reason}`);
  }
  return wrong;
}

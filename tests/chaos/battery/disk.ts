/** The disk with the bot's data folder fills up, and is emptied again. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { silentLog } from "../../../src/platform/log.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { checkTicket } from "../invariants.ts";
import { type BotProcess, startProcess, tailOf } from "../processes.ts";
import { openAcme, until, type World } from "../world.ts";
import type { Case, Conditions, Part } from "./case.ts";

const name = "D1 disk full";

/** A file system of its own, small enough to fill. Null where we may not mount one. */
function mountSmall(folder: string): (() => void) | null {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=700", "ticketsmith-chaos", folder], {
      stdio: "ignore",
    });
  } catch {
    return null;
  }
  return () => void execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
}

/** Writes until nothing fits any more. Returns the file. */
function fill(folder: string): string {
  const file = path.join(folder, "ballast");
  const out = openSync(file, "w");
  try {
    for (let size = 1 << 20; size >= 512; ) {
      try {
        if (writeSync(out, Buffer.alloc(size)) < size) size /= 2;
      } catch {
        size /= 2;
      }
    }
  } finally {
    closeSync(out);
  }
  return file;
}

/** States of all runs by ticket, as the bot tells; empty when it does not answer. */
async function states(bot: BotProcess): Promise<Map<string, string>> {
  const answer = await fetch(`${bot.url}/api/v1/runs?limit=200`, { signal: AbortSignal.timeout(2000) });
  const { runs } = (await answer.json()) as { runs: { target: { ticket: string }; state: string }[] };
  return new Map(runs.map(({ target, state }) => [target.ticket, state]));
}

export async function fillDisk(options: { seed: number; say: (line: string) => void }): Promise<Case[] | null> {
  const place = await openAcme({ latencyMs: 150, webhookBackoffMs: 2000 });
  const data = path.join(place.directory, "small");
  const unmount = mountSmall(data);
  if (unmount === null) {
    await place.close();
    return null;
  }
  const wrong: string[] = [];
  let bot: BotProcess | undefined;
  try {
    const variables = { ...place.variables, TICKETSMITH_DATA_DIR: data };
    bot = await startProcess({ role: "all", directory: path.join(place.directory, "logs"), variables });
    const [first, alive] = [place.begin(), bot];
    await until("the first run", async () => (await states(alive)).has(first));
    const ballast = fill(data);
    const second = place.begin();
    await until("a webhook that is not taken", () =>
      place.acme.jira.webhookDeliveries.some(({ attempts }) =>
        attempts.some((status) => status >= 500 || status === 0),
      ),
    ).catch(() => wrong.push("webhooks were taken although nothing could be written"));
    rmSync(ballast);
    const emptied = performance.now();
    const third = place.begin();
    const tickets = [first, second, third];
    await until(
      "the end of all tickets",
      async () => {
        const now = await states(alive);
        return tickets.every((ticket) => now.get(ticket) === "done");
      },
      { patienceMs: 60_000, everyMs: 250 },
    ).then(
      () => options.say(`all done ${Math.round(performance.now() - emptied)} ms after there was room again`),
      async () =>
        wrong.push(
          `not done after a minute: ${JSON.stringify([...(await states(alive).catch(() => new Map()))])}\n${tailOf(alive)}`,
        ),
    );
    if (!alive.isAlive) wrong.push(`the bot has ended:\n${readFileSync(alive.logFile, "utf8").slice(-2000)}`);
    await place.acme.jira.webhooksSettled();
    alive.signal("SIGTERM");
    await alive.ended;
    const database = await openDatabase({ directory: data, log: silentLog });
    const run = async (ticket: string) =>
      (await listRuns(database, 200)).find((one) => one.target.ticket === ticket) ?? null;
    const world = { ...place, database, run } as unknown as World;
    for (const ticket of tickets) wrong.push(...(await checkTicket(world, ticket)));
    await database.close();
  } finally {
    bot?.signal("SIGKILL");
    await bot?.ended;
    unmount();
    await place.close();
  }
  return [{ name: "data folder on a full disk", seed: options.seed, wrong }];
}

export async function disk({ seeds, say }: Conditions): Promise<Part> {
  const cases = await fillDisk({ seed: seeds[0] ?? 1, say });
  return cases === null ? { name, cases: [], skipped: "may not mount a small file system" } : { name, cases };
}

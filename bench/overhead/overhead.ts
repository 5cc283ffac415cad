/**
 * Overhead: what the bot itself adds to the time of a ticket. The model answers at once, the tests are one `grep`,
 * and the other systems are stand-ins on this machine: what is left is ours, git's and the database's.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Acme, demoTicket, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import type { RunState } from "../bot-server.ts";
import { type Child, startChild } from "../child.ts";
import { inFolder } from "../folder.ts";
import { median, type Outcome } from "../outcome.ts";
import { cheapTest, scenario } from "./scenario.ts";

const tickets = 3;
const aimSeconds = 2;
const patienceMs = 30_000;

interface Work {
  readonly seconds: number;
  /** Requests to the four systems, git's among them. */
  readonly requests: number;
  /** Milliseconds per step. */
  readonly steps: Readonly<Record<string, number>>;
}

const countRequests = ({ jira, gitlab, confluence, model }: Acme): number =>
  [jira, gitlab, confluence, model].reduce((sum, { requests }) => sum + requests.length, 0);

/** One ticket, from the label to the end of its run. */
async function workOff(acme: Acme, bot: Child): Promise<Work> {
  const before = countRequests(acme);
  const ticket = acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  await acme.jira.webhooksSettled();
  const begin = performance.now();
  acme.jira.editLabels(ticket.key, { add: ["ticketsmith"] }, people.mia.accountId);
  for (;;) {
    const run = await bot.ask<RunState | null>({ ticket: ticket.key });
    const ms = performance.now() - begin;
    if (run?.state === "done") return { seconds: ms / 1000, requests: countRequests(acme) - before, steps: run.steps };
    if (run !== null && !["queued", "running"].includes(run.state))
      throw new Error(`the run ended ${run.state} in ${run.step}: ${run.reason}; ${acme.model.unexpected.join("; ")}`);
    if (ms > patienceMs) throw new Error(`the run is still ${run?.state} in ${run?.step} after ${patienceMs} ms`);
    await sleep(20);
  }
}

async function workOffAll(acme: Acme, databaseUrl: string, directory: string): Promise<Work[]> {
  const policyFile = path.join(directory, "policy.yaml");
  await writeFile(
    policyFile,
    // JSON is YAML.
    JSON.stringify({
      projects: { SHOP: { repository: "acme/shop", space: "SHOP", parentPage: "Changes", test: cheapTest } },
      people: { start: { roles: ["Developers"] } },
    }),
  );
  const variables = {
    ...acme.variables,
    DATABASE_URL: databaseUrl,
    PORT: "0",
    TICKETSMITH_DATA_DIR: directory,
    TICKETSMITH_CONFIG: policyFile,
  };
  const bot = startChild("bot-server.ts");
  try {
    const { url } = await bot.ask<{ url: string }>({ start: { variables, role: "all" } });
    acme.connect(url);
    const works: Work[] = [];
    for (let ticket = 0; ticket < tickets; ticket += 1) works.push(await workOff(acme, bot));
    return works;
  } finally {
    await bot.stop();
  }
}

/** Several tickets one after the other; the first has to clone the repository and find its way. */
export async function overhead(): Promise<Outcome> {
  const [acme, server] = await Promise.all([
    startAcme({ scenarios: [scenario], latencyMs: 0 }),
    startPostgres(["fsync=on"]),
  ]);
  try {
    const works = await inFolder((directory) => workOffAll(acme, server.url, directory));
    const seconds = median(works.map((work) => work.seconds));
    const names = Object.keys(works[0]?.steps ?? {});
    const perStep = names.map((name) => `${name} ${median(works.map((work) => work.steps[name] ?? 0)).toFixed(0)}`);
    return {
      name: "overhead",
      measured: `${seconds.toFixed(2)} s`,
      floor: `${aimSeconds} s`,
      ratio: seconds / aimSeconds,
      aim: `< ${aimSeconds} s`,
      ok: seconds < aimSeconds,
      notes: [
        `${works.map((work) => work.seconds.toFixed(2)).join(", ")} s for one ticket after the other, ${median(works.map((work) => work.requests))} requests to other systems each`,
        `milliseconds per step: ${perStep.join(", ")}`,
      ],
      details: { works },
    };
  } finally {
    await Promise.all([acme.close(), server.close()]);
  }
}

/** `ticketsmith demo`: one ticket from its label to the merge request, against stand-ins on this machine. */
import { rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { messageOf } from "../domain/errors.ts";
import { isEnd, type Run } from "../domain/run.ts";
import { type Bot, startBot } from "../main.ts";
import { loadConfig } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { type Acme, demoTicket, people, startAcme } from "../stand-ins/acme/acme.ts";
import { listEffects } from "../store/ledger.ts";
import { findRun, listRuns } from "../store/runs.ts";
import { listProgress } from "../store/steps.ts";
import { progressLines } from "./progress.ts";

/** The demo gives up after this long; it needs a fraction of it. */
const patienceMs = 120_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Acts as Mia: files the ticket and puts the label on it, through Jira's own API. @returns the ticket's key */
async function labelTicket(acme: Acme): Promise<string> {
  const ticket = acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  acme.jira.editLabels(ticket.key, { add: ["ticketsmith"] }, people.mia.accountId);
  await acme.jira.webhooksSettled();
  return ticket.key;
}

/** Prints progress until the run ends. @returns the run, or null when none began or it took too long */
async function follow(bot: Bot): Promise<Run | null> {
  const deadline = Date.now() + patienceMs;
  let last = "0";
  let started: number | undefined;
  while (Date.now() < deadline) {
    const run = (await listRuns(bot.database, 1))[0];
    if (run !== undefined) {
      started ??= run.createdAt.getTime();
      for (const row of await listProgress(bot.database, run.id, last)) {
        last = row.id;
        for (const line of progressLines(row, started)) say(line);
      }
      const now = await findRun(bot.database, run.id);
      // Read once more after the end, so that no line is missing.
      if (now !== null && isEnd(run.state)) return now;
    }
    await sleep(100);
  }
  return null;
}

async function result(bot: Bot, run: Run, acme: Acme): Promise<void> {
  const effects = await listEffects(bot.database, run.id);
  const url = (kind: string): string => effects.find((row) => row.effect.kind === kind)?.ref?.url ?? "";
  const seconds = ((run.endedAt ?? new Date()).getTime() - run.createdAt.getTime()) / 1000;
  say("");
  say(styleText("bold", `Done in ${seconds.toFixed(1)} s.`));
  say(`  Ticket         ${acme.jira.url}/browse/${run.target.ticket}`);
  say(`  Merge request  ${url("gitlab.mergeRequest")}`);
  say(`  Page           ${url("confluence.page")}`);
}

/** Waits for Ctrl-C. */
async function stayUp(bot: Bot): Promise<void> {
  say(`  Dashboard      ${bot.url}/`);
  say("");
  say("Everything stays up. Ctrl-C ends it.");
  const forever = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  clearInterval(forever);
}

/** Plays the demo; sets the exit code to 1 and names the step when anything goes wrong. */
export async function demo(options: { keep?: boolean; port?: string; scenarios?: string }): Promise<void> {
  const directory = path.resolve(".ticketsmith/demo", String(process.pid));
  const acme = await startAcme({
    latencyMs: 150,
    ...(options.scenarios === undefined ? {} : { scenarioDirectory: path.resolve(options.scenarios) }),
  });
  const config = loadConfig({
    ...acme.variables,
    PORT: options.port ?? "0",
    TICKETSMITH_DATA_DIR: directory,
    TICKETSMITH_CONFIG: path.resolve(import.meta.dirname, "../../config/ticketsmith.yaml"),
  });
  let bot: Bot | undefined;
  try {
    say("Starting Jira, GitLab, Confluence and a scripted model on this machine, and the bot beside them.");
    bot = await startBot({
      config,
      role: "all",
      log: createLog({ level: "error", pretty: true }),
      sandbox: "process-for-demo",
      onSandbox: (status) => {
        if (status.kind === "process")
          say(`No sandbox (${status.reason}): the demo runs its own code as a plain process.`);
      },
    });
    if (bot.url === null) throw new Error("the bot does not listen");
    acme.connect(bot.url);
    const ticket = await labelTicket(acme);
    say(`Mia puts the label "ticketsmith" on ${ticket}: ${demoTicket.summary}\n`);
    const run = await follow(bot);
    if (run === null) throw new Error(`nothing was finished within ${patienceMs / 1000} s`);
    if (run.state !== "done") throw new Error(`the run ended "${run.state}" in step "${run.step}": ${run.reason}`);
    await result(bot, run, acme);
    if (options.keep === true) await stayUp(bot);
  } catch (error) {
    say(styleText("red", `The demo failed: ${messageOf(error)}`));
    for (const line of acme.model.unexpected) say(`  model: ${line}`);
    process.exitCode = 1;
  } finally {
    // A demo that has shown everything must not hang on its way out, whatever is still open.
    setTimeout(() => process.exit(), 10_000).unref();
    await bot?.stop();
    await acme.close();
    await rm(directory, { recursive: true, force: true });
    // The folder above is kept while another demo uses it.
    await rmdir(path.dirname(directory)).catch(() => {});
  }
}

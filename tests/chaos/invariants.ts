/** What must hold after whatever happened. Every check returns sentences about what does not. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isEnd, type Run } from "../../src/domain/run.ts";
import { bot as account } from "../../src/stand-ins/acme/acme.ts";
import { latest } from "../../src/stand-ins/confluence/wiki.ts";
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import { listEffects } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { listProgress, listSteps } from "../../src/store/steps.ts";
import { leftBelow, processesOf } from "./processes.ts";
import { until, type World } from "./world.ts";

export interface Allowances {
  /** A write of a paused worker that arrived late can move a ticket back for a moment: the end counts then, not the way. */
  readonly transitionsMayRepeat?: boolean;
}

function count(what: string, found: number, wanted: number): string[] {
  return found === wanted ? [] : [`${found} ${what} instead of ${wanted}`];
}

function repeated(what: string, items: readonly string[]): string[] {
  const twice = items.filter((item, index) => items.indexOf(item) !== index);
  return twice.map((item) => `${what} twice: ${item}`);
}

/** Statuses that the bot moved a ticket to, in order, as Jira told its listeners. */
function moves(world: World, ticket: string): string[] {
  return world.acme.jira.webhookDeliveries.flatMap(({ body }) => {
    const change = JSON.parse(body) as {
      issue?: { key?: string };
      user?: { accountId?: string };
      changelog?: { items?: { field?: string; toString?: string }[] };
    };
    if (change.issue?.key !== ticket || change.user?.accountId !== account.jira.accountId) return [];
    return (change.changelog?.items ?? []).flatMap((item) =>
      item.field === "status" && typeof item.toString === "string" ? [item.toString] : [],
    );
  });
}

/** What exists outside for one ticket. */
async function checkOutside(world: World, run: Run, allowances: Allowances): Promise<string[]> {
  const { ticket } = run.target;
  const { jira, gitlab, confluence } = world.acme;
  const issue = jira.issue(ticket);
  const comments = issue.comments.filter(({ author }) => author.accountId === account.jira.accountId);
  const branch = `ticketsmith/${ticket}`;
  const open = gitlab.mergeRequests("acme/shop").filter((mr) => mr.sourceBranch === branch && mr.state === "opened");
  const pages = confluence.wiki.pages.filter((page) => latest(page).title.startsWith(`${ticket}:`));
  const repository = gitlab.project("acme/shop").repository;
  const head = (await repository.branches()).get(branch);
  const commits = head === undefined ? [] : await repository.log(`main..${head}`);
  const links = issue.remoteLinks.map(({ globalId }) => globalId ?? "");
  const wrong = [...repeated("remote link", links)];
  if (allowances.transitionsMayRepeat !== true) wrong.push(...repeated("transition", moves(world, ticket)));
  if (run.state === "done") {
    wrong.push(
      ...count("status comments", comments.length, 1),
      ...count("open merge requests", open.length, 1),
      ...count("pages", pages.length, 1),
      ...count("commits on the branch", commits.length, 1),
      ...count("remote links", links.length, 2),
    );
    if (issue.status.name !== "In Review") wrong.push(`the ticket is left in "${issue.status.name}"`);
    if (!JSON.stringify(comments[0]?.body ?? "").includes("ready for your review"))
      wrong.push("the status comment does not tell the end");
  } else {
    wrong.push(
      ...[comments, open, pages, commits].flatMap((found, index) =>
        found.length > 1 ? [`${found.length} ${["comments", "merge requests", "pages", "commits"][index]}`] : [],
      ),
    );
    if (isEnd(run.state) && comments.length !== 1) wrong.push("nothing on the ticket says why it stopped");
  }
  return wrong;
}

/** Whether the run was put aside because it was at work whenever its worker died. */
export function isParked(run: Pick<Run, "reason"> & { readonly state: string }): boolean {
  return run.state === "needs_human" && /brought the worker down/.test(run.reason ?? "");
}

/** The run's own rows: ledger settled, steps in the order of the workflow, one end. */
async function checkRows(world: World, run: Run): Promise<string[]> {
  const wrong: string[] = [];
  if (!isEnd(run.state) && run.state !== "waiting") wrong.push(`the run is ${run.state}`);
  if (run.state !== "done" && (run.reason ?? "") === "") wrong.push(`the run is ${run.state} without a reason`);
  if (run.leaseUntil !== null) wrong.push("an ended run holds a lease");
  const effects = await listEffects(world.database, run.id);
  // What a parked run has sent is looked up by the sweeper later on; what it has planned waits for somebody to retry it.
  const unsettled = run.state === "done" ? ["planned", "sent"] : isEnd(run.state) && !isParked(run) ? ["sent"] : [];
  for (const row of effects) if (unsettled.includes(row.state)) wrong.push(`${row.key} is ${row.state}`);
  const steps = (await listSteps(world.database, run.id)).filter(({ step }) => !/^(?:close|park|away)-/.test(step));
  const progress: { kind: string; step: string; name: string }[] = [];
  for (let last = "0"; ; ) {
    const rows = await listProgress(world.database, run.id, last);
    for (const { kind, data } of rows)
      progress.push({ kind, step: String(data.step), name: `${data.step}/${data.name}` });
    last = rows.at(-1)?.id ?? last;
    if (rows.length < 500) break;
  }
  const done = progress.filter(({ kind }) => kind === "step.done").map(({ step }) => step);
  wrong.push(...repeated("step done", done));
  wrong.push(
    ...repeated(
      "effect told",
      progress.filter(({ kind }) => kind === "effect").map(({ name }) => name),
    ),
  );
  if (run.state === "done") {
    if (steps.some(({ state }) => state !== "done")) wrong.push("a step of a finished run is not done");
    if (done.join() !== steps.map(({ step }) => step).join()) wrong.push(`steps were done as ${done.join(", ")}`);
  }
  if (isEnd(run.state))
    wrong.push(...count("ends told", progress.filter(({ kind }) => kind === "run.ended").length, 1));
  return wrong;
}

/** Everything about the run of one ticket. */
export async function checkTicket(world: World, ticket: string, allowances: Allowances = {}): Promise<string[]> {
  const run = await world.run(ticket);
  if (run === null) return [`${ticket}: has no run`];
  const wrong = [...(await checkOutside(world, run, allowances)), ...(await checkRows(world, run))];
  return wrong.map((sentence) => `${ticket} (${run.id}): ${sentence}`);
}

/** Each delivery that was answered 2xx lies in the inbox and has its verdict. Waits until the senders are quiet. */
export async function checkInbox(world: World): Promise<string[]> {
  await world.acme.gitlab.idle();
  await world.acme.jira.webhooksSettled();
  const pending = async (): Promise<number> => {
    const { rows } = await world.database.query<{ n: number }>(
      `select count(*)::int as n from ticketsmith.deliveries where verdict = 'pending'`,
    );
    return rows[0]?.n ?? 0;
  };
  const wrong: string[] = [];
  await until("verdicts", async () => (await pending()) === 0, { patienceMs: 30_000 }).catch(() => {
    wrong.push("deliveries without a verdict");
  });
  const { rows } = await world.database.query<{ key: string }>("select key from ticketsmith.deliveries");
  const keys = rows.map(({ key }) => key);
  const known = new Set(keys.map((key) => key.slice(key.lastIndexOf(":") + 1)));
  for (const { id, event, attempts } of world.acme.jira.webhookDeliveries) {
    const accepted = attempts.some((status) => status >= 200 && status < 300);
    if (accepted && !known.has(id)) wrong.push(`delivery ${id} (${event}) was acknowledged and is lost`);
  }
  return wrong;
}

/** No credential of ours may stand where others read it: in requests (but for their own header) and in the bots' logs. */
function checkSecrets(world: World): string[] {
  const secrets = Object.entries(world.variables)
    .filter(([name]) => /TOKEN|SECRET|API_KEY/.test(name))
    .map(([, value]) => value);
  const wrong: string[] = [];
  const leaks = (text: string): boolean => secrets.some((secret) => text.includes(secret));
  const seen = (request: LoggedRequest): string => JSON.stringify([request.path, request.query, request.body ?? null]);
  for (const system of ["jira", "gitlab", "confluence", "model"] as const) {
    for (const request of world.acme[system].requests) {
      if (leaks(seen(request))) wrong.push(`a secret reached ${system}: ${request.method} ${request.path}`);
    }
  }
  const logs = path.join(world.directory, "logs");
  for (const file of readdirSync(logs)) {
    if (leaks(readFileSync(path.join(logs, file), "utf8"))) wrong.push(`a secret stands in ${file}`);
  }
  return wrong;
}

/** Branches, pages and merge requests that no run of ours explains. */
async function checkOrphans(world: World): Promise<string[]> {
  const tickets = new Set((await listRuns(world.database, 1000)).map((run) => run.target.ticket));
  const { gitlab, confluence } = world.acme;
  const wrong: string[] = [];
  const open = gitlab.mergeRequests("acme/shop").map((mr) => mr.sourceBranch);
  for (const branch of (await gitlab.project("acme/shop").repository.branches()).keys()) {
    if (branch === "main") continue;
    if (!tickets.has(branch.replace(/^ticketsmith\//, ""))) wrong.push(`branch ${branch} belongs to no run`);
    if (!open.includes(branch)) wrong.push(`branch ${branch} has no merge request`);
  }
  for (const page of confluence.wiki.pages.filter(({ labels }) => labels.includes("ticketsmith"))) {
    const key = /^[A-Z]+-\d+/.exec(latest(page).title)?.[0] ?? "";
    if (!tickets.has(key)) wrong.push(`page "${latest(page).title}" belongs to no run`);
  }
  return wrong;
}

/** Folders below the data folder that only a run at work may have. */
function leftovers(world: World): string[] {
  const homes = path.join(world.directory, "data", "workspaces", "homes");
  return [
    ...leftBelow(homes).flatMap((home) =>
      ["runs", "scratch"].flatMap((folder) =>
        leftBelow(path.join(homes, home, folder)).map((entry) => `${home}/${folder}/${entry}`),
      ),
    ),
    // A kill during the sandbox's self-test at the start leaves its small folder to the system's own cleaning.
    ...leftBelow(path.join(world.directory, "tmp"))
      .filter((name) => !name.startsWith("ticketsmith-probe-"))
      .map((name) => `tmp/${name}`),
  ];
}

/**
 * Everything about the world once all tickets have ended. Bots are told to stop, so that what they leave behind can be seen.
 */
export async function checkWorld(world: World): Promise<string[]> {
  const { jira, gitlab, confluence, model } = world.acme;
  const wrong = [
    ...(await checkInbox(world)),
    ...checkSecrets(world),
    ...(await checkOrphans(world)),
    ...[...jira.unknown, ...gitlab.unknown, ...confluence.unknown].map((call) => `a call that nobody knows: ${call}`),
    ...model.unexpected.map((request) => `the model was asked something odd: ${request}`),
  ];
  for (const bot of world.bots) bot.signal("SIGTERM");
  await Promise.all(world.bots.map((bot) => bot.ended));
  const processes = await until("the end of all processes", () => processesOf(world.directory).length === 0, {
    patienceMs: 15_000,
  }).then(
    () => [],
    () => processesOf(world.directory),
  );
  wrong.push(...processes.map((process) => `a process is left: ${process}`));
  wrong.push(...leftovers(world).map((entry) => `left on disk: ${entry}`));
  return wrong;
}

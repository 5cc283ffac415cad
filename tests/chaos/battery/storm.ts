/** Webhooks in storms: repeated, renamed, forged, faster than they can be decided. A bot that only takes them in, in a process of its own. */
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { demoTicket, people } from "../../../src/stand-ins/acme/acme.ts";
import { openWorld, until, type World } from "../world.ts";
import { type Case, type Conditions, type Part, random } from "./case.ts";

/** A request as Jira makes it. */
export interface Webhook {
  readonly id: string;
  readonly body: string;
  readonly signature: string | null;
}

const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../../webhooks/jira/fixtures/ticket_labelled_cloud.json"), "utf8"),
);
let changes = 1_000_000;

export function sign(secret: string, body: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** A signed webhook about one change of a ticket. @param text before and after */
export function webhookOf(
  world: World,
  change: { ticket: string; field: "labels" | "description"; text: readonly [string, string] },
): Webhook {
  const { issue } = recorded;
  changes += 1;
  const { field, ticket } = change;
  const [before, after] = change.text;
  const id = world.acme.jira.issues.get(ticket)?.id ?? `9${changes}`;
  const body = JSON.stringify({
    ...recorded,
    user: { ...recorded.user, accountId: people.mia.accountId, displayName: people.mia.displayName },
    issue: {
      ...issue,
      id,
      key: ticket,
      fields: { ...issue.fields, project: { ...issue.fields.project, key: "SHOP" } },
    },
    changelog: {
      id: String(changes),
      items: [{ field, fieldtype: "jira", fieldId: field, from: null, to: null, fromString: before, toString: after }],
    },
  });
  return { id: randomUUID(), body, signature: sign(world.acme.variables.JIRA_WEBHOOK_SECRET ?? "", body) };
}

/** Files a ticket with the label, and gives back the webhook that would tell of it. */
export function labelOne(world: World): { ticket: string; webhook: Webhook } {
  const labels = ["ticketsmith"];
  const ticket = world.acme.jira.createIssue({ ...demoTicket, labels, by: people.mia.accountId }).key;
  return { ticket, webhook: webhookOf(world, { ticket, field: "labels", text: ["", "ticketsmith"] }) };
}

/** Sends one. @returns the status, 0 when there was no answer, and how long it took, milliseconds */
export async function send(url: string, webhook: Webhook): Promise<{ status: number; ms: number }> {
  const begin = performance.now();
  try {
    const answer = await fetch(`${url}/webhooks/jira`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-atlassian-webhook-identifier": webhook.id,
        ...(webhook.signature === null ? {} : { "x-hub-signature": webhook.signature }),
      },
      body: webhook.body,
    });
    await answer.arrayBuffer();
    return { status: answer.status, ms: performance.now() - begin };
  } catch {
    return { status: 0, ms: performance.now() - begin };
  }
}

/** A world in which Jira sends no webhook but ours, and a bot that takes them in; with role `api` it works nothing off. */
export async function openStorm(
  postgresUrl: string,
  role: "api" | "all" = "api",
): Promise<{ world: World; url: string; pid: number }> {
  const world = await openWorld({ postgresUrl, watch: false });
  world.acme.jira.hooks.splice(0);
  const bot = await world.start({ role });
  return { world, url: bot.url ?? "", pid: bot.pid };
}

/** Waits until every delivery has its verdict. */
export async function allDecided(world: World): Promise<void> {
  await until(
    "the last verdict",
    async () => {
      const { rows } = await world.database.query(
        "select 1 from ticketsmith.deliveries where verdict = 'pending' limit 1",
      );
      return rows.length === 0;
    },
    { everyMs: 50 },
  );
}

/** The most memory that a process ever had, MB; 0 where the system does not tell. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

interface Planned {
  readonly webhook: Webhook;
  readonly kind: "new" | "again" | "forged";
}

/** 65 % news (a share of them labels that start a run), 30 % repeated deliveries, 5 % forged ones that would start a run. */
function planStorm(
  world: World,
  { events, labels }: { events: number; labels: number },
  chance: () => number,
): { plan: Planned[]; labelled: string[] } {
  const news: Webhook[] = [];
  const labelled: string[] = [];
  const plan: Planned[] = [];
  for (let at = 0; at < events; at += 1) {
    const dice = chance();
    if (dice < 0.05) {
      const { webhook } = labelOne(world);
      const forged = [null, sign("a guess", webhook.body), sign("", webhook.body), "sha256=", "sha1=00"];
      plan.push({ webhook: { ...webhook, signature: forged[at % forged.length] ?? null }, kind: "forged" });
    } else if (dice < 0.35 && news.length > 0) {
      plan.push({ webhook: news[Math.floor(chance() * news.length)] as Webhook, kind: "again" });
    } else if (chance() < labels) {
      const { ticket, webhook } = labelOne(world);
      labelled.push(ticket);
      news.push(webhook);
      plan.push({ webhook, kind: "new" });
    } else {
      const ticket = `SHOP-${500_000 + at}`;
      const webhook = webhookOf(world, { ticket, field: "description", text: ["", `draft ${at}`] });
      news.push(webhook);
      plan.push({ webhook, kind: "new" });
    }
  }
  return { plan, labelled };
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export interface StormReport {
  readonly wrong: readonly string[];
  /** Milliseconds from the moment when a webhook was due until its answer was read. */
  readonly ackMs: Spread;
  /** How much of it passed before the webhook was sent at all: the sender had no processor. */
  readonly lateMs: Spread;
  /** Of the bot's process; 0 where the system does not tell. */
  readonly peakMb: number;
  /** From the last answer until the last verdict. */
  readonly drainMs: number;
}

/** Sends `events` webhooks evenly over `seconds`, whether or not the ones before were answered, and looks at what became of them. */
export async function storm(options: {
  postgresUrl: string;
  seed: number;
  events: number;
  seconds: number;
  /** Share of the news that start a run, default one in ten. */
  labels?: number;
  /** `all`: the bot also works on what it starts, as it does where it is one process. */
  role?: "api" | "all";
}): Promise<StormReport> {
  const { events, seconds, labels = 0.1, role = "api" } = options;
  const { world, url, pid } = await openStorm(options.postgresUrl, role);
  try {
    const { plan, labelled } = planStorm(world, { events, labels }, random(options.seed));
    const begin = performance.now();
    const sending: Promise<{ status: number; ms: number; late: number }>[] = [];
    for (const [at, { webhook }] of plan.entries()) {
      const dueAt = begin + (at * seconds * 1000) / events;
      const pauseMs = dueAt - performance.now();
      if (pauseMs > 0) await sleep(pauseMs);
      const late = performance.now() - dueAt;
      sending.push(send(url, webhook).then(({ status, ms }) => ({ status, ms: ms + late, late })));
    }
    const answers = await Promise.all(sending);
    const answered = performance.now();
    await allDecided(world);
    const drainMs = performance.now() - answered;

    const wrong: string[] = [];
    for (const [at, { kind }] of plan.entries()) {
      const status = answers[at]?.status;
      if (status !== (kind === "forged" ? 401 : 202)) wrong.push(`a ${kind} delivery was answered ${status}`);
    }
    const ids = (kinds: readonly Planned["kind"][]): string[] => [
      ...new Set(plan.filter(({ kind }) => kinds.includes(kind)).map(({ webhook }) => webhook.id)),
    ];
    const { rows } = await world.database.query<{ key: string }>(
      "select key from ticketsmith.deliveries where sender = 'jira'",
    );
    const kept = new Map(rows.map(({ key }) => [key.slice(-36), key]));
    const lost = ids(["new"]).filter((id) => !kept.has(id));
    if (lost.length > 0) wrong.push(`${lost.length} deliveries were lost`);
    const forged = ids(["forged"]).filter((id) => kept.has(id));
    if (forged.length > 0) wrong.push(`${forged.length} forged deliveries were accepted`);
    if (rows.length !== ids(["new"]).length) wrong.push(`${rows.length} rows for ${ids(["new"]).length} deliveries`);
    const runs = await world.database.query<{ ticket: string }>("select ticket from ticketsmith.runs order by ticket");
    const expected = [...labelled].sort();
    const started = runs.rows.map(({ ticket }) => ticket).sort();
    if (started.join() !== expected.join()) wrong.push(`${started.length} runs for ${expected.length} labels`);
    const ackMs = spreadOf(answers.map(({ ms }) => ms));
    const lateMs = spreadOf(answers.map(({ late }) => late));
    return { wrong, ackMs, lateMs, peakMb: peakOf(pid), drainMs };
  } finally {
    await world.close();
  }
}

/** Who meets the storm: a bot that only takes in, and one that works on tickets at the same time. */
const storms10k = [
  { name: "10,000 events in 60 s", what: "", role: "api", labels: 0.1 },
  { name: "10,000 events in 60 s, working on tickets meanwhile", what: "working: ", role: "all", labels: 0.003 },
] as const;

/** 10,000 events in a minute. */
export async function storms({ postgresUrl, seeds, say }: Conditions): Promise<Part> {
  const cases: Case[] = [];
  const figures: Record<string, string> = {};
  for (const seed of seeds) {
    for (const { name, what, role, labels } of storms10k) {
      const report = await storm({ postgresUrl, seed, events: 10_000, seconds: 60, role, labels });
      const { wrong, ackMs, lateMs, peakMb, drainMs } = report;
      const found = {
        "ack p50": `${ackMs.p50.toFixed(1)} ms`,
        "ack p99": `${ackMs.p99.toFixed(0)} ms`,
        "ack max": `${ackMs.max.toFixed(0)} ms`,
        "sent late p99": `${lateMs.p99.toFixed(0)} ms`,
        "RSS peak": `${peakMb.toFixed(0)} MB`,
        "last verdict after": `${drainMs.toFixed(0)} ms`,
      };
      for (const [key, value] of Object.entries(found)) figures[`${what}${key}`] = value;
      const slow = ackMs.p99 >= 500 ? [`the 99th percentile of the answers took ${ackMs.p99.toFixed(0)} ms`] : [];
      const fat = peakMb >= 512 ? [`the bot took ${peakMb.toFixed(0)} MB`] : [];
      cases.push({ name, seed, wrong: [...wrong.slice(0, 20), ...slow, ...fat] });
      say(`seed ${seed}, ${name}: ${JSON.stringify(found)}`);
    }
  }
  return { name: "B3 a storm of webhooks, 30 % repeated, 5 % forged", cases, figures };
}

/** The bot in a process of its own, as `ticketsmith start` runs it, and what a benchmark wants to know of its database. */
import { type Bot, type Role, startBot } from "../src/main.ts";
import { loadConfig } from "../src/platform/config.ts";
import { createLog } from "../src/platform/log.ts";
import { listRuns } from "../src/store/runs.ts";
import { listSteps } from "../src/store/steps.ts";
import { answerParent } from "./child.ts";

export type Question =
  | { readonly start: { readonly variables: Readonly<Record<string, string>>; readonly role: Role } }
  | { readonly inbox: true }
  | { readonly ticket: string };

/** Answer to `inbox`. */
export interface InboxState {
  readonly total: number;
  readonly pending: number;
}

/** Answer to `ticket`: its newest run, null while there is none. */
export interface RunState {
  readonly state: string;
  readonly step: string;
  readonly reason: string | null;
  /** Milliseconds that each step took, in their order. */
  readonly steps: Readonly<Record<string, number>>;
}

async function readInbox({ database }: Bot): Promise<InboxState> {
  const { rows } = await database.query<InboxState>(
    `select count(*)::int as total, count(*) filter (where verdict = 'pending')::int as pending from ticketsmith.deliveries`,
  );
  return rows[0] ?? { total: 0, pending: 0 };
}

async function readRun({ database }: Bot, ticket: string): Promise<RunState | null> {
  const run = (await listRuns(database, 50)).find((one) => one.target.ticket === ticket);
  if (run === undefined) return null;
  const steps = await listSteps(database, run.id);
  const took = steps.map((row) => [row.step, (row.endedAt?.getTime() ?? Number.NaN) - row.startedAt.getTime()]);
  return { state: run.state, step: run.step, reason: run.reason, steps: Object.fromEntries(took) };
}

let bot: Bot | undefined;

answerParent<Question>(
  async (question) => {
    if ("start" in question) {
      const config = loadConfig(question.start.variables);
      const log = createLog({ level: config.environment.LOG_LEVEL });
      bot = await startBot({ config, role: question.start.role, log, sandbox: "process-for-demo" });
      return { url: bot.url };
    }
    if (bot === undefined) throw new Error("the bot was not started");
    return "inbox" in question ? readInbox(bot) : readRun(bot, question.ticket);
  },
  async () => bot?.stop(),
);

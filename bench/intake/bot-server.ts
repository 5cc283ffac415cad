/** The bot in the role `api`, just as `ticketsmith start --role api` runs it, and what it has in its inbox. */
import { type Bot, startBot } from "../../src/main.ts";
import { loadConfig } from "../../src/platform/config.ts";
import { createLog } from "../../src/platform/log.ts";
import { answerParent } from "../child.ts";

export type Question = { start: Readonly<Record<string, string>> } | { inbox: true };

export interface InboxState {
  readonly total: number;
  readonly pending: number;
  /** The slowest verdict, milliseconds after the commit. */
  readonly slowestMs: number;
}

let bot: Bot | undefined;

async function inbox(database: Bot["database"]): Promise<InboxState> {
  const { rows } = await database.query<InboxState>(
    `select count(*)::int as total, count(*) filter (where verdict = 'pending')::int as pending,
            coalesce(extract(epoch from max(decided_at - received_at)) * 1000, 0)::float8 as "slowestMs"
     from ticketsmith.deliveries`,
  );
  return rows[0] ?? { total: 0, pending: 0, slowestMs: 0 };
}

answerParent<Question>(
  async (question) => {
    if ("start" in question) {
      const config = loadConfig(question.start);
      const log = createLog({ level: config.environment.LOG_LEVEL });
      bot = await startBot({ config, role: "api", log });
      return { url: bot.url };
    }
    if (bot === undefined) throw new Error("the bot was not started");
    return inbox(bot.database);
  },
  async () => bot?.stop(),
);

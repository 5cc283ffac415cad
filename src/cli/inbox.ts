/** `ticketsmith inbox`: what arrived, and what became of it. */
import path from "node:path";
import { UserError } from "../domain/errors.ts";
import { type Verdict, verdicts } from "../domain/event.ts";
import { loadConfig } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { openDatabase } from "../store/database.ts";
import { type DeliveryRow, listDeliveries } from "../store/deliveries.ts";
import { besideTheBot } from "./beside-the-bot.ts";

/** Reasons name people and labels as the outside spells them: nothing of that may steer the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

function cells(row: DeliveryRow): string[] {
  const received = row.receivedAt.toISOString().slice(0, 19).replace("T", " ");
  return [row.id, received, row.sender, row.kind, row.verdict, row.runId ?? "", row.reason].map(plain);
}

const titles = ["id", "received (UTC)", "sender", "kind", "verdict", "run", "reason"];

/** Deliveries as a table, the newest first. */
export function inboxTable(rows: readonly DeliveryRow[]): string {
  const lines = [titles, ...rows.map(cells)];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function isVerdict(text: string): text is Verdict {
  return (verdicts as readonly string[]).includes(text);
}

/** @throws UserError when an option or the configuration is wrong, or the bot has the embedded database */
export async function inbox(options: { limit: string; verdict?: string }): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new UserError(`--limit is a number from 1 to 10000, not "${options.limit}"`);
  }
  const { verdict } = options;
  if (verdict !== undefined && !isVerdict(verdict)) {
    throw new UserError(`--verdict is ${verdicts.join(", ")}, not "${verdict}"`);
  }
  const config = loadConfig();
  const { DATABASE_URL: url, TICKETSMITH_DATA_DIR: folder } = config.environment;
  const log = createLog({ level: "error", pretty: process.stderr.isTTY });
  const database = await besideTheBot(config, `GET /api/v1/deliveries?limit=${Math.min(limit, 200)}`, () =>
    openDatabase({ url, directory: path.resolve(folder), log }),
  );
  try {
    const rows = await listDeliveries(database, limit, verdict);
    const nothing =
      verdict === undefined ? "Nothing has arrived yet." : `Nothing with verdict ${verdict} has arrived yet.`;
    process.stdout.write(`${rows.length === 0 ? nothing : inboxTable(rows)}\n`);
  } finally {
    await database.close();
  }
}

/**
 * The bot in a process of its own, so that it can be killed, paused and told to stop. Settings come from the environment as
 * for `ticketsmith start`; the first argument is JSON with what that command does not offer: role and short locks.
 * On stand-by it has loaded everything and begins when it is sent a message.
 */
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { stopOnSignal } from "../../src/cli/start.ts";
import { type BotOptions, startBot } from "../../src/main.ts";
import { loadConfig } from "../../src/platform/config.ts";
import { createLog } from "../../src/platform/log.ts";

export type BotSettings = Pick<BotOptions, "role" | "leaseMs" | "sweepMs" | "quietMs" | "concurrency" | "reconcile"> & {
  readonly standBy?: boolean;
};

const config = loadConfig();
const log = createLog({ level: config.environment.LOG_LEVEL });
// Whoever started us was killed: nobody else would end us.
process.once("disconnect", () => process.exit(1));
const { standBy, ...settings } = JSON.parse(process.argv[2] ?? "{}") as BotSettings;
// Whoever is killed writes no compile cache at its end.
flushCompileCache();
if (standBy === true) await once(process, "message");
const starting = startBot({ ...settings, config, log, sandbox: "process-for-demo" });
stopOnSignal(starting, log);
const bot = await starting;
process.send?.({ url: bot.url });
// The channel must not keep the process alive once the bot has ended.
process.channel?.unref();

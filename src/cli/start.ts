/** `ticketsmith start`: the bot until a signal ends it. */
import { UserError } from "../domain/errors.ts";
import { type Role, startBot } from "../main.ts";
import { loadConfig } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";

function isRole(text: string): text is Role {
  return text === "api" || text === "worker" || text === "all";
}

/** @throws UserError when the configuration is wrong or a system does not let us in */
export async function start(options: { role: string }): Promise<void> {
  if (!isRole(options.role)) throw new UserError(`--role is api, worker or all, not "${options.role}"`);
  const config = loadConfig();
  const log = createLog({ level: config.environment.LOG_LEVEL, pretty: process.stderr.isTTY });
  const bot = await startBot({ config, role: options.role, log });
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info("stopping", { signal });
    bot.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("did not stop in order", { error });
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
}

/** `ticketsmith start`: the bot until a signal ends it. */
import { UserError } from "../domain/errors.ts";
import { type Bot, type Role, startBot } from "../main.ts";
import { loadConfig } from "../platform/config.ts";
import { createLog, type Log } from "../platform/log.ts";

function isRole(text: string): text is Role {
  return text === "api" || text === "worker" || text === "all";
}

/**
 * Stops the bot in order on SIGTERM or SIGINT, even when it is still starting, and ends the process: with 0, or with 1 when
 * that went wrong. A second signal ends it at once.
 */
export function stopOnSignal(starting: Promise<Bot>, log: Log): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info("stopping", { signal });
    starting
      .then((bot) => bot.stop())
      .then(
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

/** @throws UserError when the configuration is wrong or a system does not let us in */
export async function start(options: { role: string }): Promise<void> {
  if (!isRole(options.role)) throw new UserError(`--role is api, worker or all, not "${options.role}"`);
  const config = loadConfig();
  const log = createLog({ level: config.environment.LOG_LEVEL, pretty: process.stderr.isTTY });
  const starting = startBot({ config, role: options.role, log });
  stopOnSignal(starting, log);
  await starting;
}

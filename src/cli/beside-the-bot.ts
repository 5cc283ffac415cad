/** Commands that work on the bot's database while the bot may be running. */
import { UserError } from "../domain/errors.ts";
import type { Config } from "../platform/config.ts";

/**
 * Opens something on the configured database. The embedded one belongs to one process at a time: when the bot has it, the refusal
 * says how to ask the bot instead.
 * @param request method and path of the bot's own API, e.g. `GET /api/v1/deliveries`
 */
export async function besideTheBot<T>(
  { environment: env }: Config,
  request: string,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof UserError) || env.DATABASE_URL !== undefined || !error.message.includes("is in use by")) {
      throw error;
    }
    const [method, path] = request.split(" ");
    const base = (env.PUBLIC_URL ?? `http://${env.HOST}:${env.PORT}`).replace(/\/+$/, "");
    const key = env.TICKETSMITH_API_KEY === undefined ? "" : ' -H "Authorization: Bearer $TICKETSMITH_API_KEY"';
    throw new UserError(
      `${error.message}\nIf that process is the bot, ask it:\n  curl${method === "GET" ? "" : ` -X ${method}`}${key} ${base}${path}`,
      { cause: error },
    );
  }
}

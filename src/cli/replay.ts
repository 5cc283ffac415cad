/** `ticketsmith replay`: decides a stored delivery, or a body from a file, once more. */
import { readFile } from "node:fs/promises";
import { guessSender, parseBody } from "../../webhooks/parse-body.ts";
import { openDesk } from "../desk.ts";
import { messageOf, UserError } from "../domain/errors.ts";
import { type Sender, senders } from "../domain/event.ts";
import { replayBody, replayDelivery } from "../events/replay.ts";
import { loadConfig } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import type { DeliveryRow } from "../store/deliveries.ts";
import { besideTheBot } from "./beside-the-bot.ts";
import { inboxTable } from "./inbox.ts";

function isSender(text: string): text is Sender {
  return (senders as readonly string[]).includes(text);
}

async function readBody(file: string, sender: string | undefined): Promise<{ sender: Sender; body: string }> {
  if (sender !== undefined && !isSender(sender))
    throw new UserError(`--sender is ${senders.join(", ")}, not "${sender}"`);
  let body: string;
  try {
    body = await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`"${file}" is neither the id of a delivery nor a file that can be read: ${messageOf(error)}`);
  }
  const whose = sender ?? guessSender(body);
  if (whose === null) throw new UserError(`${file} does not look like a webhook of anybody: say whose with --sender`);
  return { sender: whose, body };
}

/**
 * @param subject id of a delivery, or path of a file with the body of one
 * @throws UserError when there is no such thing, or the bot has the embedded database
 */
export async function replay(subject: string, options: { sender?: string }): Promise<void> {
  const isId = /^\d+$/.test(subject);
  const given = isId ? null : await readBody(subject, options.sender);
  const config = loadConfig();
  const log = createLog({ level: "warn", pretty: process.stderr.isTTY });
  const way = isId ? `POST /api/v1/deliveries/${subject}/replay` : "GET /api/v1/deliveries";
  const desk = await besideTheBot(config, way, () => openDesk({ config, log }));
  try {
    const delivery: DeliveryRow | null =
      given === null
        ? await replayDelivery(desk, subject, parseBody)
        : await replayBody(desk, given.sender, given.body, parseBody);
    if (delivery === null) throw new UserError(`There is no delivery ${subject}. \`ticketsmith inbox\` lists them.`);
    process.stdout.write(`${inboxTable([delivery])}\n`);
    if (delivery.verdict === "pending") {
      process.stdout.write("It could not be decided just now, see above; the bot will do it.\n");
    }
  } finally {
    await desk.close();
  }
}

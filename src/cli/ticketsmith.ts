#!/usr/bin/env node
/** The `ticketsmith` command. One file per sub-command; this one only knows their names. */
import { Command } from "commander";
import { messageOf, UserError } from "../domain/errors.ts";
import { configCheck } from "./config-check.ts";
import { demo } from "./demo.ts";
import { inbox } from "./inbox.ts";
import { replay } from "./replay.ts";
import { start } from "./start.ts";

const program = new Command("ticketsmith")
  .description("Works off labelled Jira tickets: tested draft merge requests, pages, and tickets that tell the truth")
  .showHelpAfterError();

program.command("start").description("run the bot").option("--role <role>", "api, worker or all", "all").action(start);

program
  .command("demo")
  .description("play one ticket through against local stand-ins, without any account or key")
  .option("--keep", "stay up afterwards, to click through the pages")
  .option("--port <port>", "port of the bot's own page (default: any free one)")
  .option("--scenarios <folder>", "what the scripted model says, instead of the shipped scenario")
  .action(demo);

program
  .command("inbox")
  .description("what arrived, newest first, and what became of it")
  .option("--limit <count>", "most rows to show", "20")
  .option("--verdict <verdict>", "only these: pending, handled, ignored, rejected or unsupported")
  .action(inbox);

program
  .command("replay")
  .argument("<delivery>", "id of a delivery, or a file with the body of one")
  .description("decide a delivery once more, say after the configuration was mended")
  .option("--sender <sender>", "whose body the file holds: jira, gitlab or confluence (default: by its shape)")
  .action(replay);

program
  .command("config")
  .description("look at the configuration")
  .command("check")
  .description("check environment and policy file, and list every mistake")
  .action(configCheck);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UserError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`ticketsmith failed: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
  process.exitCode = 1;
}

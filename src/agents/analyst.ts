import { Understanding } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readPage } from "../tools/read-page.ts";
import { readTicket } from "../tools/read-ticket.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Reads the ticket and the code, and says what is wanted. Only looks. */
export const analyst: Agent<Understanding> = {
  name: "analyst",
  prompt: "prompts/analyst.md",
  tools: [listFiles, readFile, search, outline, readTicket, readPage],
  output: Understanding,
  limits: {
    // Enough to read a ticket and some fifteen files.
    turns: 20,
    // An understanding has at most 2,000 characters of prose and twelve criteria.
    outputTokens: 4000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Twenty turns at half a minute each.
    minutes: 10,
  },
};

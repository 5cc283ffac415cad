import { Review } from "../domain/review.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readPage } from "../tools/read-page.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Reads a change and says what is wrong with it. Only looks: nothing of the change is run. */
export const reviewer: Agent<Review> = {
  name: "reviewer",
  prompt: "prompts/reviewer.md",
  tools: [listFiles, readFile, search, outline, readPage],
  output: Review,
  limits: {
    // The change is in the task; the rest is for callers and neighbours.
    turns: 25,
    // Some twenty findings with their suggestions.
    outputTokens: 8000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Twenty turns at half a minute each.
    minutes: 10,
  },
};

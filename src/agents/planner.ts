import { Plan } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Decides how the change is made. Only looks. */
export const planner: Agent<Plan> = {
  name: "planner",
  prompt: "prompts/planner.md",
  tools: [listFiles, readFile, search, outline],
  output: Plan,
  limits: {
    // Enough to follow a change to its callers and tests.
    turns: 24,
    // Forty files with a line each are the longest plan.
    outputTokens: 6000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Two dozen turns at half a minute each.
    minutes: 12,
  },
};

import { Diagnosis } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Finds out why jobs of a pipeline failed. Only looks. */
export const devops: Agent<Diagnosis> = {
  name: "devops",
  prompt: "prompts/devops.md",
  tools: [listFiles, readFile, search, outline],
  output: Diagnosis,
  limits: {
    // The logs are in the task: a few looks into the code are enough.
    turns: 12,
    // Twenty jobs with two sentences each.
    outputTokens: 4000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // A dozen turns at half a minute each.
    minutes: 6,
  },
};

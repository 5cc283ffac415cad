import { QaReport } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readOutput } from "../tools/read-output.ts";
import { run } from "../tools/run.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Finds out whether each criterion is met by running things. Cannot edit: commands work on a copy. */
export const qa: Agent<QaReport> = {
  name: "qa",
  prompt: "prompts/qa.md",
  tools: [listFiles, readFile, search, outline, run, readOutput],
  output: QaReport,
  limits: {
    // Two commands per criterion, and time to read the tests.
    turns: 30,
    // Twelve findings of a line or two.
    outputTokens: 4000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Most of it is waiting for tests.
    minutes: 30,
  },
};

import { QaReport } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readOutput } from "../tools/read-output.ts";
import { run } from "../tools/run.ts";
import { search } from "../tools/search.ts";
import { writeTest } from "../tools/write-test.ts";
import type { Agent } from "./agent.ts";

/** Finds out whether each criterion is met by running things. Adds tests, and can change nothing that was there. */
export const qa: Agent<QaReport> = {
  name: "qa",
  prompt: "prompts/qa.md",
  tools: [listFiles, readFile, search, outline, run, readOutput, writeTest],
  output: QaReport,
  limits: {
    // A test and two commands per criterion, and time to read the tests.
    turns: 40,
    // A test file of some three hundred lines in one call.
    outputTokens: 8000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Most of it is waiting for tests.
    minutes: 30,
  },
};

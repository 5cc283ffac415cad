import { AddressReport, ChangeClaim } from "../domain/handoff.ts";
import { applyPatch } from "../tools/apply-patch.ts";
import { deleteFile } from "../tools/delete-file.ts";
import { editFile } from "../tools/edit-file.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readOutput } from "../tools/read-output.ts";
import { run } from "../tools/run.ts";
import { search } from "../tools/search.ts";
import { writeFile } from "../tools/write-file.ts";
import type { Agent } from "./agent.ts";

/** Makes the change in the workspace and runs the tests there. */
export const developer: Agent<ChangeClaim> = {
  name: "developer",
  prompt: "prompts/developer.md",
  tools: [listFiles, readFile, search, outline, run, readOutput, editFile, applyPatch, writeFile, deleteFile],
  output: ChangeClaim,
  limits: {
    // A dozen to read, the rest for edits and three or four rounds of tests.
    turns: 60,
    // A new file of about a thousand lines in one call.
    outputTokens: 16000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Most of it is waiting for tests.
    minutes: 40,
  },
};

/** The same developer, who answers the threads of a review as well. */
export const addressing: Agent<AddressReport> = { ...developer, output: AddressReport };

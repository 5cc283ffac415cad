/** The tools there are, as literal lists. Which agent gets which list is written in its record. */
import { applyPatch } from "./apply-patch.ts";
import { deleteFile } from "./delete-file.ts";
import { editFile } from "./edit-file.ts";
import { listFiles } from "./list-files.ts";
import { outline } from "./outline.ts";
import { readFile } from "./read-file.ts";
import { readOutput } from "./read-output.ts";
import { readPage } from "./read-page.ts";
import { readTicket } from "./read-ticket.ts";
import { run } from "./run.ts";
import { search } from "./search.ts";
import type { Tool } from "./tool.ts";
import { writeFile } from "./write-file.ts";
import { writeTest } from "./write-test.ts";

/** Looking only: nothing changes, nothing runs. */
export const readOnlyTools: readonly Tool[] = [listFiles, readFile, search, outline, readTicket, readPage];

/** Looking and running commands, for whoever judges a change and must not mend it. */
export const inspectingTools: readonly Tool[] = [...readOnlyTools, run, readOutput];

/** Everything that can be done inside a run's own workspace. */
export const workspaceTools: readonly Tool[] = [...inspectingTools, editFile, applyPatch, writeFile, deleteFile];

/** Looking, running, and adding tests of one's own. */
export const testingTools: readonly Tool[] = [...inspectingTools, writeTest];

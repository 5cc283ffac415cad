import { PageDraft } from "../domain/handoff.ts";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readPage } from "../tools/read-page.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

/** Writes the page about a finished change. Only looks. */
export const writer: Agent<PageDraft> = {
  name: "writer",
  prompt: "prompts/writer.md",
  tools: [listFiles, readFile, search, outline, readPage],
  output: PageDraft,
  limits: {
    // Enough to read what the diff does not show.
    turns: 15,
    // A page has at most ten sections; half of their limit is a long page.
    outputTokens: 16000,
    // Models that need a third hint for the same thing do not get it with a fourth either.
    formatErrors: 2,
    // Writing a long page is one turn of some minutes.
    minutes: 12,
  },
};

import { z } from "zod";
import { listFiles } from "../tools/list-files.ts";
import { outline } from "../tools/outline.ts";
import { readFile } from "../tools/read-file.ts";
import { readPage } from "../tools/read-page.ts";
import { search } from "../tools/search.ts";
import type { Agent } from "./agent.ts";

const tools = [listFiles, readFile, search, outline, readPage];

/** The same patience for all that only look and write a few paragraphs. */
const limits = { turns: 15, outputTokens: 6000, formatErrors: 2, minutes: 8 };

export const Answer = z.object({
  answer: z.string().trim().min(1).max(8000).describe("Markdown; short, with paths and line numbers where they help"),
});

/** Answers a question about a merge request. An analyst with another task: only looks. */
export const answerer: Agent<z.infer<typeof Answer>> = {
  name: "analyst",
  prompt: "prompts/answerer.md",
  tools,
  output: Answer,
  limits,
};

export const Description = z.object({
  summary: z.string().trim().min(1).max(2000).describe("What is different for whoever uses or runs this, and why"),
  changes: z
    .array(z.object({ about: z.string().trim().min(1).max(200), change: z.string().trim().min(1).max(600) }))
    .min(1)
    .max(12)
    .describe("The most risky first"),
  risks: z.array(z.string().trim().min(1).max(400)).max(8).default([]).describe("What a reviewer should look at"),
});

/** Describes a merge request. A writer with another task: only looks. */
export const describer: Agent<z.infer<typeof Description>> = {
  name: "writer",
  prompt: "prompts/describer.md",
  tools,
  output: Description,
  limits,
};

export const Parts = z.object({
  worthIt: z.boolean().describe("False when it is one thing and small enough"),
  why: z.string().trim().min(1).max(1000),
  parts: z
    .array(
      z.object({
        title: z.string().trim().min(1).max(120),
        files: z.array(z.string().trim().min(1).max(300)).min(1).max(100).describe("Paths in the diff"),
        why: z.string().trim().min(1).max(500),
      }),
    )
    .max(8)
    .default([])
    .describe("In the order in which they can be merged"),
});

/** Says how a merge request could be made smaller. */
export const splitter: Agent<z.infer<typeof Parts>> = {
  name: "analyst",
  prompt: "prompts/splitter.md",
  tools,
  output: Parts,
  limits,
};

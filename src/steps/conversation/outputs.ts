/** What the steps on a merge request keep for later ones. */
import { z } from "zod";
import { Actor } from "../../domain/event.ts";
import { understood } from "../outputs.ts";

/**
 * The merge request as it was when the run began. Has all that `understood` has, so that the steps that make and check changes work on
 * either: `base` is the head of the merge request, `understanding` is what was asked for, and `ticket` stands for the merge request
 * where it belongs to no ticket.
 */
export const looked = {
  name: "look",
  output: understood.output.extend({
    mergeRequest: z.object({
      iid: z.number().int(),
      url: z.string(),
      title: z.string(),
      /** Markdown, outside text. */
      body: z.string(),
      author: Actor,
      sourceBranch: z.string(),
      targetBranch: z.string(),
      /** Full id of the newest commit. */
      sha: z.string(),
      draft: z.boolean(),
      /** We opened it: its branch is ours to push to without being asked. */
      own: z.boolean(),
    }),
    refs: z.object({ base: z.string(), start: z.string(), head: z.string() }),
    /** What the ticket says, Markdown, outside text. Null: the merge request belongs to none. */
    ticketText: z.string().nullable(),
    /** The thread of the request, oldest note first, as text for an agent; empty when there is none. Outside text. */
    threadText: z.string(),
    /** The lines that a request in a diff is about. */
    selection: z
      .object({
        path: z.string(),
        line: z.number().int().nullable(),
        oldLine: z.number().int().nullable(),
      })
      .nullable(),
  }),
};

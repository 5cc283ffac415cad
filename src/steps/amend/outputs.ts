/** What the steps that change somebody's merge request keep for later ones. */
import { z } from "zod";
import { Actor } from "../../domain/event.ts";
import { ThreadReport } from "../../domain/handoff.ts";
import { Developed } from "../outputs.ts";

/** A thread that the run took up, as it was then. */
export const TakenThread = z.object({
  id: z.string(),
  /** The newest note: what comes after it is for the next run. */
  noteId: z.number().int(),
  by: Actor,
  /** Where it is about lines of a file. */
  path: z.string().nullable(),
  oldPath: z.string().nullable(),
  /** Its newest note, shortened. Outside text. */
  asked: z.string(),
});
export type TakenThread = z.infer<typeof TakenThread>;

export const addressed = {
  name: "address",
  output: Developed.extend({
    /** In the order in which the developer was given them, numbered from 1. */
    threads: z.array(TakenThread),
    reports: z.array(ThreadReport),
  }),
};

/**
 * Why a change does not get to the branch. `details` are names or outside text, for people.
 *   nothing   there is no change
 *   refused   a rule forbids what is in it
 *   red       tests fail that did not fail before, or nobody can tell which did
 *   flaky     tests fail and pass on the same code
 *   weakened  the tests say less than before
 *   unmet     QA showed that it does not do what was asked for
 *   moved     somebody else has pushed in the meantime
 *   closed    the merge request is not open any more
 */
export const Hindrance = z.object({
  kind: z.enum(["nothing", "refused", "red", "flaky", "weakened", "unmet", "moved", "closed"]),
  details: z.array(z.string()),
});
export type Hindrance = z.infer<typeof Hindrance>;

/** Null: the commit is on the branch. */
export const amended = { name: "amend", output: z.object({ hindrance: Hindrance.nullable() }) };

export const responded = { name: "respond", output: z.object({ resolved: z.array(z.string()) }) };

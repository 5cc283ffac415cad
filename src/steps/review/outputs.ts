/** What the steps of a review keep for later ones, and for later reviews of the same merge request. */
import { z } from "zod";
import { FindingKind, Severity, threadVerdicts } from "../../domain/review.ts";
import { Developed } from "../outputs.ts";
import { Dismissal } from "./dismissals.ts";

const side = z.enum(["new", "old"]);
const Identity = z.object({ kind: FindingKind, path: z.string(), line: z.string(), around: z.string() });

/** See `Placed` (place.ts). */
const Placed = z.object({
  identity: Identity,
  position: z
    .object({
      path: z.string(),
      oldPath: z.string(),
      line: z.number().int().nullable(),
      oldLine: z.number().int().nullable(),
    })
    .nullable(),
  path: z.string(),
  side,
  line: z.number().int(),
  movedFrom: z.number().int().nullable(),
  kind: FindingKind,
  severity: Severity,
  confidence: z.number(),
  title: z.string(),
  explanation: z.string(),
  suggestion: z.object({ above: z.number().int(), below: z.number().int(), text: z.string() }).nullable(),
});

/** See `OwnThread` (threads.ts). */
const OwnThread = z.object({
  id: z.string(),
  identity: Identity,
  severity: Severity,
  open: z.boolean(),
  path: z.string().nullable(),
  side,
  state: z.enum(["same", "touched", "gone"]),
  line: z.number().int().nullable(),
  body: z.string(),
  dismissed: z.boolean(),
  closedByUs: z.boolean(),
});

const LeftOut = z.object({
  path: z.string(),
  reason: z.enum(["withheld", "binary", "generated", "lock", "large", "failed"]),
});

export const Criterion = z.object({
  criterion: z.string(),
  verdict: z.enum(["met", "not_met", "cannot_tell"]),
  evidence: z.string(),
});
export type Criterion = z.infer<typeof Criterion>;

/** What a change was found to be, whoever made it. */
export const Opinion = z.object({
  /** Not yet held against what was said before. */
  findings: z.array(Placed),
  criteria: z.array(Criterion),
  /** Files with text that somebody looked at, and lines that are added or removed in them. */
  files: z.number().int(),
  lines: z.number().int(),
  /** Nobody looked at these. */
  leftOut: z.array(LeftOut),
});
export type Opinion = z.infer<typeof Opinion>;

const Looked = Opinion.extend({
  /** Threads of earlier reviews, as they were before this one. */
  threads: z.array(OwnThread),
  verdicts: z.record(z.string(), z.enum(threadVerdicts)),
});

export const reviewed = { name: "review", output: Looked };
export const improved = { name: "improve", output: Looked };

export const posted = {
  name: "post",
  output: z.object({
    /** Threads that were opened. */
    opened: z.number().int(),
    fixed: z.number().int(),
    outdated: z.number().int(),
    /** Findings that were found again and not said again. */
    repeated: z.number().int(),
    /** What nobody wants to hear again on this merge request, earlier reviews included. */
    dismissals: z.array(Dismissal),
  }),
};

export const selfReviewed = {
  name: "self-review",
  output: z.object({
    /** Null: the model gave nothing that could be used, so nobody has looked at the change. */
    opinion: Opinion.nullable(),
    /** How many findings went back to the developer. */
    sent: z.number().int(),
    /** The change as the developer mended it. Null: as it was. */
    change: Developed.nullable(),
    /** What was found and is still so, the gravest first. */
    open: z.array(Placed),
  }),
};

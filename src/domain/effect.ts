/** Effects: the writes to outside systems, as data. Steps return them, `effects/` performs them. */
import { z } from "zod";

/** One proposed commit. Everything needed to make it again anywhere, to the same commit id. */
export const BranchPayload = z.object({
  repository: z.string(),
  branch: z.string(),
  /** Full commit id that the patch applies to. */
  base: z.string(),
  /** `git diff --binary --full-index` text against `base`. */
  patch: z.string(),
  message: z.string(),
  author: z.object({ name: z.string(), email: z.string() }),
  /** ISO 8601; author and committer date. Fixed so that a repeated attempt yields the same commit id. */
  date: z.string(),
  /** The branch has to be at `base` still: nothing on it is ever replaced, not even our own commits. */
  appendOnly: z.boolean().optional(),
  /** A second parent, full id: the commit is a merge of it. */
  mergeOf: z.string().optional(),
});
export type BranchPayload = z.infer<typeof BranchPayload>;

const onMergeRequest = { repository: z.string(), iid: z.number().int() };

/** A line of a diff, see `DiffPosition` (merge-request.ts). */
const Position = z.object({
  path: z.string(),
  oldPath: z.string(),
  line: z.number().int().nullable(),
  oldLine: z.number().int().nullable(),
});

export const Effect = z.discriminatedUnion("kind", [
  /** The one status comment of a ticket. Markdown. */
  z.object({ kind: z.literal("jira.status"), ticket: z.string(), body: z.string() }),
  /** A further comment on a ticket, one per subject (e.g. `pipeline`), edited in place. Markdown. */
  z.object({ kind: z.literal("jira.note"), ticket: z.string(), subject: z.string(), body: z.string() }),
  /** `status` is a status name from the config; nothing happens when the ticket is there already. */
  z.object({ kind: z.literal("jira.transition"), ticket: z.string(), status: z.string() }),
  z.object({
    kind: z.literal("jira.labels"),
    ticket: z.string(),
    add: z.array(z.string()),
    remove: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("jira.remoteLink"),
    ticket: z.string(),
    /** Jira upserts by it (at most 255 characters). */
    globalId: z.string().max(255),
    url: z.string(),
    title: z.string().max(255),
    relationship: z.string(),
  }),
  z.object({ kind: z.literal("gitlab.branch"), ...BranchPayload.shape }),
  z.object({
    kind: z.literal("gitlab.mergeRequest"),
    repository: z.string(),
    sourceBranch: z.string(),
    targetBranch: z.string(),
    title: z.string(),
    /** Markdown. */
    body: z.string(),
    draft: z.boolean(),
    labels: z.array(z.string()),
  }),
  /** An emoji on somebody's note: we have seen it. */
  z.object({ kind: z.literal("gitlab.award"), ...onMergeRequest, noteId: z.number().int(), emoji: z.string() }),
  /** A note of ours: an answer in a thread, or (`discussionId` null) one that stands alone. Markdown. */
  z.object({
    kind: z.literal("gitlab.note"),
    ...onMergeRequest,
    discussionId: z.string().nullable(),
    /** Identity of the note on its merge request, e.g. `answer:5012`, `review`. Written again it is edited in place. */
    subject: z.string(),
    body: z.string(),
    /** User names that may be mentioned in it; from run state only. */
    mentions: z.array(z.string()).default([]),
  }),
  /** Threads on lines of the diff, published together. */
  z.object({
    kind: z.literal("gitlab.review"),
    ...onMergeRequest,
    refs: z.object({ base: z.string(), start: z.string(), head: z.string() }),
    findings: z.array(
      z.object({
        /** Stable identity of the finding: the same fault has the same one after the next push. */
        identity: z.string(),
        position: Position,
        /** Markdown. */
        body: z.string(),
        /** Lines that GitLab offers to put in the place of those the finding is about. Null: none. Never prose. */
        suggestion: z.object({ above: z.number().int(), below: z.number().int(), text: z.string() }).nullable(),
      }),
    ),
  }),
  z.object({ kind: z.literal("gitlab.resolve"), ...onMergeRequest, discussionId: z.string() }),
  /** Our block in the description of a merge request, whoever opened it. Markdown. */
  z.object({ kind: z.literal("gitlab.description"), ...onMergeRequest, subject: z.string(), body: z.string() }),
  z.object({ kind: z.literal("gitlab.ready"), ...onMergeRequest, sha: z.string() }),
  z.object({ kind: z.literal("gitlab.merge"), ...onMergeRequest, sha: z.string() }),
  z.object({
    kind: z.literal("gitlab.retryJob"),
    repository: z.string(),
    pipelineId: z.number().int(),
    jobId: z.number().int(),
  }),
  /** Published or updated by marker. Markdown. */
  z.object({
    kind: z.literal("confluence.page"),
    space: z.string(),
    parentTitle: z.string().nullable(),
    /** Identity of the page across runs, e.g. the ticket key. */
    subject: z.string(),
    title: z.string(),
    body: z.string(),
    labels: z.array(z.string()),
    versionMessage: z.string(),
  }),
]);
export type Effect = z.infer<typeof Effect>;
export type EffectKind = Effect["kind"];

/** What a step returns: the effect and its name within the step (the ledger key is run/step/name). */
export interface EffectDraft {
  readonly name: string;
  readonly effect: Effect;
}

/** Where the written object lives. */
export const Ref = z.object({
  /** Id in the outside system, as text. */
  id: z.string(),
  /** Address that a person can open; empty where there is none. */
  url: z.string(),
});
export type Ref = z.infer<typeof Ref>;

/** Answer of every `ensure…`: which of the three happened, and where the object is now. */
export interface Ensured {
  readonly outcome: "created" | "updated" | "unchanged";
  readonly ref: Ref;
}

/**
 * How a row was settled: what the writer answered, or why nobody was asked.
 *   dry_run     nothing is written in a dry run
 *   superseded  a newer text for the same place was ready before this one was sent
 */
export const outcomes = ["created", "updated", "unchanged", "dry_run", "superseded"] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * planned   decided and committed, not yet attempted
 * sent      an attempt was begun; if nobody is at it, whether it happened is unknown until looked up
 * settled   happened exactly once; `ref` says where (null when it was superseded)
 * failed    refused for good; the run stops on it
 */
export const effectStates = ["planned", "sent", "settled", "failed"] as const;
export type EffectState = (typeof effectStates)[number];

export interface LedgerRow {
  readonly key: string;
  readonly runId: string;
  readonly step: string;
  readonly name: string;
  readonly position: number;
  readonly effect: Effect;
  readonly state: EffectState;
  readonly outcome: Outcome | null;
  readonly ref: Ref | null;
  readonly attempts: number;
  readonly error: string | null;
}

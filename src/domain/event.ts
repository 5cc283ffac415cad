/** Events: what a delivery means to us. Parsers in `webhooks/` make them; `events/route.ts` decides on them. */
import { z } from "zod";

export const senders = ["jira", "gitlab", "confluence"] as const;
export type Sender = (typeof senders)[number];

/** Somebody in an outside system. `id` is what permissions are checked by; the name is only for display. */
export const Actor = z.object({ id: z.string(), name: z.string() });
export type Actor = z.infer<typeof Actor>;

const ticket = { ticket: z.string(), project: z.string(), actor: Actor.nullable() };
/**
 * Names a change of a ticket for ever, whichever message tells of it and how often: Jira's changelog id (unique in a site), or
 * `created:<issue id>`. Absent where the sender gives none.
 */
const change = { changeId: z.string().optional() };
const mergeRequest = { repository: z.string(), iid: z.number().int(), actor: Actor.nullable() };

export const Event = z.discriminatedUnion("type", [
  /** Labels were added to a ticket, as its changelog says (or the ticket was created with them). */
  z.object({ type: z.literal("ticket.labelled"), ...ticket, ...change, added: z.array(z.string()) }),
  z.object({ type: z.literal("ticket.unlabelled"), ...ticket, removed: z.array(z.string()) }),
  z.object({ type: z.literal("ticket.created"), ...ticket, ...change, labels: z.array(z.string()) }),
  z.object({ type: z.literal("ticket.deleted"), ...ticket }),
  z.object({ type: z.literal("ticket.transitioned"), ...ticket, from: z.string(), to: z.string() }),
  z.object({ type: z.literal("ticket.assigned"), ...ticket, assignee: z.string().nullable() }),
  /** Any other change of fields; `fields` are field ids where Jira sends them. */
  z.object({ type: z.literal("ticket.edited"), ...ticket, fields: z.array(z.string()) }),
  /** `ticket` is empty on Data Center, which sends no issue with comments: `self` leads to it. */
  z.object({
    type: z.literal("ticket.commented"),
    ...ticket,
    commentId: z.string(),
    body: z.string(),
    self: z.string(),
  }),
  z.object({
    type: z.literal("mr.commented"),
    ...mergeRequest,
    noteId: z.number().int(),
    discussionId: z.string().nullable(),
    body: z.string(),
    sourceBranch: z.string(),
    /** The newest commit when it was said. */
    sha: z.string().nullable().default(null),
    /** Part of a conversation that can be resolved, on a line of the diff or on the whole. */
    thread: z.boolean().default(false),
  }),
  z.object({
    type: z.literal("mr.changed"),
    ...mergeRequest,
    action: z.string(),
    sourceBranch: z.string(),
    /** Head commit after the change. */
    sha: z.string().nullable(),
    /** True when the change brought new commits. */
    pushed: z.boolean(),
  }),
  /** A pipeline reached a status. One pipeline sends several: (id, status) is what is unique. */
  z.object({
    type: z.literal("pipeline.changed"),
    repository: z.string(),
    actor: Actor.nullable(),
    pipelineId: z.number().int(),
    status: z.string(),
    ref: z.string(),
    sha: z.string(),
    iid: z.number().int().nullable(),
  }),
  z.object({
    type: z.literal("branch.pushed"),
    repository: z.string(),
    actor: Actor.nullable(),
    ref: z.string(),
    before: z.string(),
    after: z.string(),
  }),
]);
export type Event = z.infer<typeof Event>;

/**
 * What a parser makes of an authentic body. `ignored` is a sender's message that we know and do not need,
 * `unsupported` one that we do not know or cannot read: its body is kept.
 */
export type Parsed = { event: Event } | { ignored: string } | { unsupported: string };

/** A verified request on its way into the inbox. */
export interface IncomingDelivery {
  readonly sender: Sender;
  /** Unique for ever, scoped by sender: the sender's own delivery id, else one derived from the content. */
  readonly key: string;
  /** The body as it was signed. */
  readonly body: string;
  /** Name of the kind of message in the sender's words, e.g. `jira:issue_updated`. */
  readonly kind: string;
  readonly parsed: Parsed;
}

/** What became of a delivery. `pending` is not a verdict yet: it is committed and about to be decided. */
export const verdicts = ["pending", "handled", "ignored", "rejected", "unsupported"] as const;
export type Verdict = (typeof verdicts)[number];

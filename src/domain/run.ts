/**
 * Terminology (the same words in code, database, docs and dashboard):
 *   delivery   one webhook request as it arrived
 *   event      what a delivery means to us
 *   verdict    what we did with a delivery
 *   run        one piece of work for one ticket or merge request
 *   workflow   the ordered list of steps of a run
 *   step       one durable unit of a run
 *   gate       where a run waits for a person, a pipeline or a clock without holding a worker
 *   effect     one write to an outside system
 *   agent      role + prompt + tools + output schema + limits
 */
import { z } from "zod";
import { Actor } from "./event.ts";

/**
 * What is true in each state:
 *   queued     the next step may start at `notBefore`; a job has been rung, or the sweeper will ring one
 *   running    one worker holds the lease with the current epoch; if the lease runs out, anybody may take over
 *   waiting    a gate is open (`waitingFor` says which); no worker, no job; at `notBefore` the sweeper queues it, to go on or to end
 * and the distinct ends, which never change again except by an explicit retry:
 *   done         every step finished, every effect settled
 *   cancelled    a person stopped it, or the ticket went away
 *   needs_human  it stopped on purpose and the ticket says what it needs
 *   failed       it stopped because of an error and the ticket says which
 *   timed_out    a gate or the run's time limit passed
 *   over_budget  a limit was reached and nobody raised it
 */
export const runStates = [
  "queued",
  "running",
  "waiting",
  "done",
  "cancelled",
  "needs_human",
  "failed",
  "timed_out",
  "over_budget",
] as const;
export const RunState = z.enum(runStates);
export type RunState = z.infer<typeof RunState>;

export const endStates = ["done", "cancelled", "needs_human", "failed", "timed_out", "over_budget"] as const;
export type EndState = (typeof endStates)[number];

/** Legal moves of a run. Everything not listed here is refused by the store. */
export const runTransitions: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ["running", "cancelled", "needs_human"],
  running: ["queued", "waiting", "running", ...endStates],
  waiting: ["queued", "cancelled", "timed_out"],
  done: [],
  cancelled: [],
  needs_human: ["queued", "cancelled"],
  failed: ["queued"],
  timed_out: ["queued"],
  over_budget: ["queued", "cancelled"],
};

/** Whether a run may go from one state to another. */
export function mayMove(from: RunState, to: RunState): boolean {
  return runTransitions[from].includes(to);
}

/** Whether the state is one of the distinct ends. */
export function isEnd(state: RunState): state is EndState {
  return (endStates as readonly string[]).includes(state);
}

export const Gate = z.object({
  kind: z.enum(["person", "pipeline", "timer"]),
  /** What the run needs to go on, in words that may be shown to a person. */
  reason: z.string(),
  /** Pots of the budget that are empty; whoever raises the budget raises these. */
  pots: z.array(z.string()).optional(),
  /** What happens at the run's `notBefore` when nobody has done anything until then: it goes on, or it ends. */
  afterwards: z.enum(["resume", "end"]).optional(),
});
export type Gate = z.infer<typeof Gate>;

/** What somebody said to the bot on a merge request. */
export const Request = z.object({
  /** Name of the command; absent where a note is no command, but asks for something all the same (a review thread). */
  command: z.string().optional(),
  /** Rest of the line: outside text. */
  argument: z.string().default(""),
  noteId: z.number().int(),
  discussionId: z.string().nullable(),
  by: Actor,
});
export type Request = z.infer<typeof Request>;

/** An answer that needs no work, as facts; the words are in the template. */
export const InstantAnswer = z.object({
  about: z.enum([
    ...([
      "help",
      "unknown",
      "refused",
      "limit",
      "status",
      "stopped",
      "nothing_to_stop",
      "raised",
      "not_raised",
    ] as const),
    ...(["retried", "nothing_to_retry", "approved", "rejected", "merged", "not_ours", "not_allowed"] as const),
  ]),
  /** A command, a role, a sum, a reason: whatever the answer is about. May be outside text. */
  detail: z.string().default(""),
  runs: z
    .array(
      z.object({
        id: z.string(),
        workflow: z.string(),
        state: z.string(),
        step: z.string(),
        reason: z.string().nullable(),
        costUsd: z.number(),
      }),
    )
    .default([]),
});
export type InstantAnswer = z.infer<typeof InstantAnswer>;

/** Where a run's writes may go. Fixed when the run starts; never taken from model output. */
export const Target = z.object({
  /**
   * Jira issue key, e.g. `SHOP-1`. Work on a merge request that belongs to no ticket has the merge request's own reference here,
   * `acme/shop!12`: it is counted, listed and limited like a ticket, see `ticketOf`.
   */
  ticket: z.string(),
  /** The merge request that the run is about; absent for a run that is about a ticket and may open one. */
  mergeRequest: z.object({ iid: z.number().int(), sourceBranch: z.string() }).optional(),
  /** The commit that it is about: what is said of another one is out of date. Full id. */
  sha: z.string().optional(),
  /** The pipeline that failed at `sha`. */
  pipelineId: z.number().int().optional(),
  /** Who asked for it in which note, and where the answer goes. */
  request: Request.optional(),
  /** What is answered at once, without any work. */
  answer: InstantAnswer.optional(),
  /** Jira project key, e.g. `SHOP`. */
  project: z.string(),
  /** GitLab project path, e.g. `acme/shop`. */
  repository: z.string(),
  /** Branch that a merge request goes to; absent: the repository's default branch. */
  targetBranch: z.string().optional(),
  /** Confluence space key; absent: nothing is published. */
  space: z.string().optional(),
  /** Title of the Confluence page under which ours are placed. */
  parentPage: z.string().optional(),
});
export type Target = z.infer<typeof Target>;

/** Key of the Jira issue that a run belongs to, or null. */
export function ticketOf({ ticket }: Target): string | null {
  return ticket.includes("!") ? null : ticket;
}

/** Whether a workflow puts commits on the branch of the merge request that it is about. */
export function changesCode(workflow: string): boolean {
  return workflow === "change" || workflow === "address" || workflow === "heal";
}

/**
 * What a run is about, so that no two are at the same thing at once: the ticket; a merge request whose branch may change
 * (`acme/shop!12`); or, where a merge request is only read and answered on, the one occasion for it (`acme/shop!12#note-5012`).
 */
export function subjectOf(workflow: string, { ticket, repository, mergeRequest, request, sha }: Target): string {
  if (mergeRequest === undefined) return ticket;
  const subject = `${repository}!${mergeRequest.iid}`;
  if (changesCode(workflow)) return subject;
  return request === undefined ? `${subject}@${sha ?? ""}` : `${subject}#note-${request.noteId}`;
}

export interface Run {
  readonly id: string;
  readonly workflow: string;
  readonly target: Target;
  readonly state: RunState;
  /** Name of the step that is next or under way. */
  readonly step: string;
  /** Fencing token: grows with every lease; a write carrying an older one is refused. */
  readonly epoch: number;
  readonly leaseUntil: Date | null;
  readonly notBefore: Date | null;
  readonly waitingFor: Gate | null;
  /** Starts since the run last made progress; the run is parked after five. */
  readonly starts: number;
  /** Stable id of who asked for it, e.g. a Jira account id. */
  readonly requestedBy: string;
  readonly cancelRequested: boolean;
  /** Why the run ended or waits, for people. */
  readonly reason: string | null;
  /** Sum of model cost so far, US dollars. */
  readonly costUsd: number;
  /** Sum of model tokens so far, input plus output. */
  readonly tokens: number;
  /** How long workers have been at it, milliseconds; waiting in a queue or at a gate does not count. */
  readonly workedMs: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}

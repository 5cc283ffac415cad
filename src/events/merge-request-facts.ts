/** What is known about an event on a merge request, and what can be decided about it. */
import type { Event } from "../domain/event.ts";
import type { Person } from "../domain/merge-request.ts";
import type { Run, Target } from "../domain/run.ts";

export type OnMergeRequest = Extract<Event, { type: "mr.commented" | "mr.changed" | "pipeline.changed" }>;
export type Comment = Extract<Event, { type: "mr.commented" }>;

export function isOnMergeRequest(event: Event): event is OnMergeRequest {
  return event.type === "mr.commented" || event.type === "mr.changed" || event.type === "pipeline.changed";
}

/** What else happens to runs in the same transaction. */
export type Alongside =
  | { readonly kind: "cancel"; readonly runIds: readonly string[]; readonly reason: string }
  | {
      readonly kind: "raise";
      readonly runId: string;
      readonly usd: number;
      readonly by: string;
      readonly cause: string;
    }
  | { readonly kind: "retry"; readonly run: Run; readonly by: string };

export type MergeRequestDecision =
  | {
      readonly kind: "start";
      readonly workflow: string;
      readonly target: Target;
      readonly requestedBy: string;
      readonly cause?: string;
      /** Milliseconds. */
      readonly delayMs?: number;
      readonly alongside?: Alongside;
    }
  | { readonly kind: "cancel"; readonly runId: string; readonly reason: string }
  | { readonly kind: "ignore"; readonly reason: string }
  /** Another run is at the branch: decide again when it is through. */
  | { readonly kind: "later"; readonly reason: string };

/** What is known besides the event. */
export interface MergeRequestFacts {
  /** User id of the bot in GitLab. */
  readonly self: string;
  /** Id of the run that the very same cause has started. */
  readonly startedRun: string | null;
  /** Who says it; null when there is no such account. */
  readonly person: Person | null;
  /** Those of the policy's groups for a command that the person is in. */
  readonly groups: readonly string[];
  /** The run that is changing the branch. */
  readonly busy: Run | null;
  /** The newest runs on this merge request and its ticket, newest first. */
  readonly runs: readonly Run[];
  /** Answers in this thread within a day, and on the merge request within an hour. */
  readonly answers: { readonly thread: number; readonly hour: number };
  /** The merge request was reviewed by us before. */
  readonly reviewed: boolean;
  /** Number of the open merge request of the branch, for pipelines that do not say theirs. */
  readonly openRequest: number | null;
  /** Repairs of pipelines on this merge request that were pushed. */
  readonly repairs: number;
}

const ownBranch = /^ticketsmith\/([A-Z][A-Z0-9_]+-\d+)$/;
/** Whether a branch is named as ours are. That it is really ours is looked up before anything is done to it. */
export function isOwnBranch(branch: string): boolean {
  return ownBranch.test(branch);
}

/** The ticket whose work a branch named as ours holds; null for every other branch. */
export function ticketOfBranch(branch: string): string | null {
  return ownBranch.exec(branch)?.[1] ?? null;
}

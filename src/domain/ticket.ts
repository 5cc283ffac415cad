/** What readers return about the outside world. Rich text is always Markdown here; adapters convert. */
import type { Actor } from "./event.ts";

export interface TicketComment {
  readonly id: string;
  readonly author: Actor;
  /** Markdown. */
  readonly body: string;
  readonly createdAt: string;
}

export interface Ticket {
  readonly key: string;
  readonly id: string;
  readonly project: string;
  readonly url: string;
  readonly type: string;
  readonly summary: string;
  /** Markdown; empty when there is none. */
  readonly description: string;
  readonly status: string;
  /** Jira's status category key: `new`, `indeterminate` or `done`. */
  readonly statusCategory: string;
  readonly labels: readonly string[];
  readonly reporter: Actor | null;
  readonly assignee: Actor | null;
  readonly comments: readonly TicketComment[];
  readonly updatedAt: string;
}

/** A ticket as a search finds it. */
export interface LabelledTicket {
  readonly id: string;
  readonly key: string;
  readonly project: string;
  readonly labels: readonly string[];
  readonly creator: Actor | null;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface LabelChange {
  /** The tracker's own id of the change, the same as in its webhooks. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: Actor | null;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface CodeProject {
  readonly id: number;
  /** e.g. `acme/shop` */
  readonly path: string;
  readonly defaultBranch: string;
  readonly url: string;
  /** Address to clone from over HTTP, without credentials. */
  readonly cloneUrl: string;
}

export interface MergeRequest {
  readonly iid: number;
  readonly url: string;
  readonly title: string;
  readonly body: string;
  readonly state: "opened" | "closed" | "locked" | "merged";
  readonly draft: boolean;
  readonly sourceBranch: string;
  readonly targetBranch: string;
  readonly sha: string | null;
  readonly labels: readonly string[];
  readonly authorId: string;
}

export interface Page {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly version: number;
  /** Markdown. */
  readonly body: string;
}

/** Where one of our merge requests stands. */
export interface Standing {
  readonly iid: number;
  readonly state: MergeRequest["state"];
  readonly sourceBranch: string;
  readonly sha: string | null;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** The newest pipeline of an open one, or null. `updatedAt` as above. */
  readonly pipeline: {
    readonly id: number;
    readonly status: string;
    readonly ref: string;
    readonly sha: string;
    readonly updatedAt: string;
  } | null;
}

/** A webhook of a repository. */
export interface Hook {
  readonly id: number;
  readonly url: string;
  /** `paused`: switched off for a while after failures; `disabled`: until somebody switches it on again. */
  readonly state: "working" | "paused" | "disabled";
}

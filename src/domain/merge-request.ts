/** A merge request and the conversation on it, as readers return them. Bodies are Markdown as GitLab keeps it: outside text. */
import type { Actor } from "./event.ts";
import type { MergeRequest } from "./ticket.ts";

/** The three commits that a position in a diff is bound to (GitLab's `diff_refs`); they change with every push. */
export interface DiffRefs {
  readonly base: string;
  readonly start: string;
  readonly head: string;
}

/** A merge request with everything that has to be known before anything is done on it. */
export interface MergeRequestState extends MergeRequest {
  readonly author: Actor;
  /** Null while GitLab is still preparing the merge request. */
  readonly refs: DiffRefs | null;
  /** The source branch lies in another project. */
  readonly fork: boolean;
  readonly hasConflicts: boolean;
  /** GitLab's `detailed_merge_status`, e.g. `mergeable`, `checking`, `not_approved`; empty on servers without. */
  readonly mergeStatus: string;
  readonly pipeline: {
    readonly id: number;
    readonly status: string;
    readonly sha: string;
    readonly url: string;
  } | null;
}

/** What happens to one file. */
export interface FileDiff {
  readonly oldPath: string;
  readonly newPath: string;
  readonly status: "added" | "deleted" | "renamed" | "modified";
  /** Hunks of a unified diff, from `@@` on. Empty for binary files, and for those that GitLab would not show. */
  readonly patch: string;
  /** GitLab left the hunks out and they could not be fetched in another way either: `patch` says nothing. */
  readonly withheld: boolean;
}

/** A line of a diff: added lines have `line` only, removed ones `oldLine` only, unchanged ones both. */
export interface DiffPosition {
  readonly path: string;
  readonly oldPath: string;
  readonly line: number | null;
  readonly oldLine: number | null;
}

export interface ThreadNote {
  readonly id: number;
  readonly author: Actor;
  /** Ours are told by author and marker, see `marker`. */
  readonly body: string;
  /** The marker hidden in a note of our own account; null for everybody else's notes, whatever they contain. */
  readonly marker: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface Thread {
  readonly id: string;
  /** A single comment that nobody can resolve is no conversation. */
  readonly resolvable: boolean;
  readonly resolved: boolean;
  readonly resolvedBy: Actor | null;
  /** Oldest first. */
  readonly notes: readonly ThreadNote[];
  /** The line that it is about, and the head that the line was seen at. Null: about the whole. */
  readonly position: (DiffPosition & { readonly head: string }) | null;
}

export interface PipelineJob {
  readonly id: number;
  readonly name: string;
  readonly stage: string;
  /** GitLab's, e.g. `failed`, `success`. */
  readonly status: string;
  /** e.g. `script_failure`, `runner_system_failure`; empty when it says none. */
  readonly failureReason: string;
  readonly allowFailure: boolean;
  readonly url: string;
}

export interface PipelineState {
  readonly id: number;
  readonly status: string;
  readonly sha: string;
  readonly ref: string;
  readonly url: string;
  /** The newest job of each name. */
  readonly jobs: readonly PipelineJob[];
}

/** Somebody in GitLab, as far as it matters to what they may do in a project. */
export interface Person extends Actor {
  /** Access level in the project, inherited ones included: 0 none, 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner. */
  readonly level: number;
  /** An account that no person sits behind: of a project or group token, or a service account. */
  readonly bot: boolean;
}

/** What a repository asks of whoever pushes and merges. Unknown parts (Free tier, too little access) are null. */
export interface RepositoryRules {
  readonly archived: boolean;
  readonly mergeRequestsEnabled: boolean;
  /** Regular expressions (RE2) of the push rules. */
  readonly pushRules: {
    readonly branchName: string | null;
    readonly authorEmail: string | null;
    readonly commitMessage: string | null;
    readonly commitMessageNot: string | null;
    readonly signedCommits: boolean;
    readonly memberCheck: boolean;
    /** Megabytes; 0 is no limit. */
    readonly maxFileMb: number;
  } | null;
  /** Access level that a push to the branch needs; null when it is not protected. 60 and more: nobody. */
  readonly protection: { readonly pushLevel: number } | null;
  /** Our own access level. */
  readonly level: number;
}

export interface Approvals {
  /** How many are still missing; 0 on servers without approval rules. */
  readonly left: number;
  readonly by: readonly Actor[];
}

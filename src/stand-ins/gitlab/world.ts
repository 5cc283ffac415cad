/** Everything the stand-in remembers besides what is in its git repositories. */
import type { PushRule } from "./push-rules.ts";
import type { Repository } from "./repository.ts";

export interface User {
  readonly id: number;
  readonly username: string;
  readonly name: string;
  readonly token: string;
  readonly email: string;
  /** GitLab access level per project path; absent: no access but by a group. */
  readonly accessLevels: Record<string, number>;
  /** The same per group path, for its subgroups and projects too. */
  readonly groupLevels: Record<string, number>;
  /** The account of a project or group token, or a service account. */
  readonly bot: boolean;
  state: "active" | "blocked";
}

export interface Group {
  readonly id: number;
  /** e.g. `acme/backend` */
  readonly path: string;
}

export interface Label {
  readonly id: number;
  name: string;
  color: string;
  description: string | null;
}

export interface Position {
  readonly position_type: string;
  readonly base_sha: string;
  readonly start_sha: string;
  readonly head_sha: string;
  readonly old_path: string;
  readonly new_path: string;
  readonly old_line: number | null;
  readonly new_line: number | null;
}

export interface Award {
  readonly id: number;
  readonly name: string;
  readonly userId: number;
  readonly createdAt: Date;
}

export interface Note {
  readonly id: number;
  type: "DiffNote" | "DiscussionNote" | null;
  body: string;
  readonly authorId: number;
  readonly system: boolean;
  readonly internal: boolean;
  position: Position | null;
  resolvable: boolean;
  resolvedBy: number | null;
  resolvedAt: Date | null;
  readonly createdAt: Date;
  updatedAt: Date;
  readonly awards: Award[];
  readonly appliedSuggestions: Set<number>;
}

export interface Discussion {
  readonly id: string;
  /** A single comment; false from its first answer on. */
  individual: boolean;
  readonly notes: Note[];
}

export interface DraftNote {
  readonly id: number;
  readonly authorId: number;
  note: string;
  readonly discussionId: string | null;
  readonly resolveDiscussion: boolean;
  readonly commitId: string | null;
  /** Kept whether or not it fits. */
  position: Position | null;
  /** The position is no line of the diff: GitLab takes the draft, and forgets it when it is to be published. */
  readonly lost: boolean;
}

export interface DiffVersion {
  readonly id: number;
  readonly baseSha: string;
  readonly startSha: string;
  readonly headSha: string;
  readonly createdAt: Date;
}

export interface MergeRequest {
  readonly id: number;
  readonly iid: number;
  title: string;
  description: string;
  state: "opened" | "closed" | "merged";
  /** Another project than the one it is in: it comes from a fork. */
  readonly sourceProjectId: number;
  readonly sourceBranch: string;
  targetBranch: string;
  readonly authorId: number;
  labels: string[];
  assigneeIds: number[];
  reviewerIds: number[];
  removeSourceBranch: boolean;
  squash: boolean;
  discussionLocked: boolean;
  readonly createdAt: Date;
  updatedAt: Date;
  closedBy: number | null;
  closedAt: Date | null;
  mergedBy: number | null;
  mergedAt: Date | null;
  mergeCommitSha: string | null;
  /** Source and target changed the same lines. */
  conflicts: boolean;
  readonly approvedBy: number[];
  /** Newest last; the last one is what `sha` and `diff_refs` show. */
  readonly versions: DiffVersion[];
  readonly discussions: Discussion[];
  readonly draftNotes: DraftNote[];
}

export interface Job {
  id: number;
  readonly name: string;
  readonly stage: string;
  status: string;
  /** e.g. `script_failure`; null while it did not fail. */
  failureReason: string | null;
  readonly allowFailure: boolean;
  /** Null once it was erased. */
  trace: string | null;
  readonly createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly ref: string;
  status: string;
  readonly name: string;
  targetUrl: string | null;
  description: string | null;
  readonly authorId: number;
  readonly createdAt: Date;
  readonly pipelineId: number;
}

export interface Pipeline {
  readonly id: number;
  readonly iid: number;
  readonly ref: string;
  readonly sha: string;
  readonly source: string;
  /** Number of the merge request for `merge_request_event` pipelines. */
  readonly mergeRequestIid: number | null;
  readonly userId: number;
  status: string;
  /** The newest of each name. */
  readonly jobs: Job[];
  /** Those that newer ones came for. */
  readonly retried: Job[];
  /** How often it was started. */
  attempt: number;
  readonly createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface ProtectedBranch {
  readonly id: number;
  /** A name, or a pattern with `*`. */
  readonly name: string;
  /** 0: nobody. */
  readonly pushLevel: number;
  /** Who may push besides. */
  readonly pushUserIds: readonly number[];
  readonly mergeLevel: number;
  readonly allowForcePush: boolean;
}

export const hookTriggers = [
  "push_events",
  "tag_push_events",
  "issues_events",
  "confidential_issues_events",
  "merge_requests_events",
  "note_events",
  "confidential_note_events",
  "job_events",
  "pipeline_events",
  "wiki_page_events",
  "deployment_events",
  "releases_events",
  "emoji_events",
] as const;
export type HookTrigger = (typeof hookTriggers)[number];

/** One attempt to deliver a hook. */
export interface HookDelivery {
  readonly id: number;
  readonly trigger: HookTrigger;
  /** Value of `X-Gitlab-Event`. */
  readonly event: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** HTTP status as text, or `internal error`. */
  status: string;
  error: string | null;
  readonly createdAt: Date;
}

export interface Hook {
  readonly id: number;
  url: string;
  token: string | null;
  signingToken: string | null;
  readonly triggers: Record<HookTrigger, boolean>;
  readonly createdAt: Date;
  readonly deliveries: HookDelivery[];
  /** Failed deliveries since the last one that was answered 2xx. */
  failures: number;
  /** Where webhooks are switched off after failures: until when; `"ever"` means until a test is answered 2xx. */
  offUntil: Date | "ever" | null;
}

/** What maintainers set; tests may change it at any time. */
export interface ProjectSettings {
  archived: boolean;
  mergeRequestsEnabled: boolean;
  /** Not on the Free tier. */
  pushRule: PushRule | null;
  /** How many approvals a merge needs; not on the Free tier. */
  approvalsRequired: number;
  authorMayApprove: boolean;
  pipelineMustSucceed: boolean;
  threadsMustBeResolved: boolean;
  /** Whether a push that changes the line of a thread resolves it. */
  resolveOutdatedThreads: boolean;
}

export interface Project {
  readonly id: number;
  /** e.g. `acme/shop` */
  readonly path: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly repository: Repository;
  readonly createdAt: Date;
  readonly labels: Label[];
  readonly mergeRequests: MergeRequest[];
  readonly pipelines: Pipeline[];
  readonly statuses: CommitStatus[];
  readonly hooks: Hook[];
  readonly protectedBranches: ProtectedBranch[];
  /** The project that this one is a fork of. */
  readonly forkOf: Project | null;
  readonly settings: ProjectSettings;
  /** Last push; later ones wait for it, so that each sees the branches as the one before left them. */
  pushes: Promise<unknown>;
}

export interface ExecutedQuickAction {
  readonly name: string;
  readonly argument: string;
  readonly userId: number;
  readonly project: string;
  readonly mergeRequestIid: number;
  readonly where: "description" | "note";
  /** False when it changed nothing: known to GitLab, but not possible or not played through here. */
  readonly effective: boolean;
}

/** What a finished pipeline looks like. */
export interface PipelineOutcome {
  readonly status: "success" | "failed" | "canceled" | "skipped";
  readonly jobs: readonly {
    readonly name: string;
    readonly status: string;
    readonly stage?: string;
    readonly trace?: string;
    readonly allowFailure?: boolean;
    /** Of a failed job; default `script_failure`. */
    readonly failureReason?: string;
  }[];
}
/** `attempt` counts from 1; every retry of the pipeline or of one of its jobs is another one. */
export type PipelineScript = (
  project: string,
  sha: string,
  files: Readonly<Record<string, string>>,
  run: { readonly ref: string; readonly attempt: number },
) => PipelineOutcome | Promise<PipelineOutcome>;

export interface World {
  /** Address of the instance, relative URL path included; known once the server listens. */
  url: string;
  readonly version: string;
  readonly projects: Project[];
  readonly groups: Group[];
  readonly users: User[];
  /** Push rules and approval rules are Premium. */
  readonly tier: "free" | "premium";
  /** Bytes of a file's difference from which on it is collapsed, and from which on it is left out. */
  readonly diffLimits: { readonly collapse: number; readonly tooLarge: number };
  /** What becomes of a comment on a line that is not in the diff: GitLab does both. */
  readonly misplaced: "plain" | "refused";
  readonly executedQuickActions: ExecutedQuickAction[];
  readonly script: PipelineScript;
  /** Milliseconds between two statuses of a pipeline. */
  readonly tickMs: number;
  /** Whether webhooks that fail are switched off: feature flag `auto_disabling_web_hooks`. */
  readonly autoDisable: boolean;
  /** Work that goes on after an answer: pipelines and hooks. */
  readonly background: Set<Promise<unknown>>;
  /** Aborted when the stand-in closes: hooks under way are given up. */
  readonly closing: AbortController;
  nextId(): number;
  /** Tells of a failure that no answer could carry. */
  report: (failure: string) => void;
}

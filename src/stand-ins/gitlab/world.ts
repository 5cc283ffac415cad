/** Everything the stand-in remembers besides what is in its git repositories. */
import type { Repository } from "./repository.ts";

export interface User {
  readonly id: number;
  readonly username: string;
  readonly name: string;
  readonly token: string;
  readonly email: string;
  /** GitLab access level per project path; absent: no access. */
  readonly accessLevels: Record<string, number>;
  state: "active" | "blocked";
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
  readonly position: Position | null;
  resolvable: boolean;
  resolvedBy: number | null;
  resolvedAt: Date | null;
  readonly createdAt: Date;
  updatedAt: Date;
  readonly awards: Award[];
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
  position: Position | null;
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
  readonly allowFailure: boolean;
  trace: string;
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
  readonly jobs: Job[];
  readonly createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface ProtectedBranch {
  readonly id: number;
  readonly name: string;
  readonly pushLevel: number;
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
  }[];
}
export type PipelineScript = (
  project: string,
  sha: string,
  files: Readonly<Record<string, string>>,
) => PipelineOutcome | Promise<PipelineOutcome>;

export interface World {
  /** Address of the instance, relative URL path included; known once the server listens. */
  url: string;
  readonly version: string;
  readonly projects: Project[];
  readonly users: User[];
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

/** Lets work go on after the answer; `idle()` waits for it. A failure of it is reported, since nobody may be waiting. */
export function inBackground(world: World, work: Promise<unknown>): void {
  const tracked = work
    .catch((error: unknown) => world.report(`background work failed: ${String(error)}`))
    .finally(() => world.background.delete(tracked));
  world.background.add(tracked);
}

export function userOf(world: World, id: number): User {
  const user = world.users.find((candidate) => candidate.id === id);
  if (user === undefined) throw new Error(`the stand-in has no user ${id}`);
  return user;
}

/** GitLab's access level of a user in a project, 0 without membership. */
export function levelOf(user: User, project: Project): number {
  return user.state === "active" ? (user.accessLevels[project.path] ?? 0) : 0;
}

/** The newest diff version. */
export function headOf(mergeRequest: MergeRequest): DiffVersion {
  const version = mergeRequest.versions.at(-1);
  if (version === undefined) throw new Error(`!${mergeRequest.iid} has no version`);
  return version;
}

/** GitLab's rule for draft titles. */
export function isDraft(mergeRequest: MergeRequest): boolean {
  return /^\s*(?:\[draft\]|\(draft\)|draft:)/i.test(mergeRequest.title);
}

/** The label of a name, made when the project has none. */
export function labelOf(world: World, project: Project, name: string): Label {
  const known = project.labels.find((label) => label.name === name);
  if (known !== undefined) return known;
  const label = { id: world.nextId(), name, color: "#6699cc", description: null };
  project.labels.push(label);
  return label;
}

/** Whether GitLab keeps a webhook from being sent, after failures. */
export function isOff({ offUntil }: Hook): boolean {
  return offUntil === "ever" || (offUntil !== null && offUntil.getTime() > Date.now());
}

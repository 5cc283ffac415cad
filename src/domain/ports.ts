/**
 * The interfaces between rooms. Readers and writers are apart: tools and steps are given readers,
 * only `effects/` is given writers. Every method may throw `Retryable` or `Permanent` (see errors.ts).
 */
import type { Root } from "mdast";
import type { BranchPayload, Ensured } from "./effect.ts";
import type { Actor } from "./event.ts";
import type {
  Approvals,
  DiffPosition,
  DiffRefs,
  FileDiff,
  MergeRequestState,
  Person,
  PipelineState,
  RepositoryRules,
  Thread,
} from "./merge-request.ts";
import type { CodeProject, Hook, LabelChange, LabelledTicket, MergeRequest, Page, Standing, Ticket } from "./ticket.ts";

/** A body on its way out: checked, neutralised Markdown as a tree. Adapters turn it into ADF, storage XHTML or text. */
export type Body = Root;

/** Identity of an object we wrote, hidden in it, e.g. `status:SHOP-1`. Stable across runs. */
export type Marker = string;

export interface TicketReader {
  /** The account that our token belongs to. Throws Permanent when the token is dead. */
  whoAmI(): Promise<Actor>;
  readTicket(key: string): Promise<Ticket>;
  /** Names of the project roles and groups that an account is in, for permission checks. Missing account: both empty. */
  readMembership(accountId: string, project: string): Promise<{ roles: string[]; groups: string[] }>;
}

/** Finds work that no webhook told of. */
export interface TicketSearch {
  /**
   * Tickets of these projects that carry at least one of the labels and changed within the last `minutes`. What it sees may be
   * minutes old: look further back than you think you have to, and do not trust the labels.
   */
  findLabelled(input: {
    projects: readonly string[];
    labels: readonly string[];
    minutes: number;
  }): Promise<LabelledTicket[]>;
  /** Every change of a ticket's labels since it was created, oldest first. */
  readLabelChanges(ticket: { readonly key: string; readonly id: string }): Promise<LabelChange[]>;
}

export interface TicketWriter {
  /** One comment per marker (a comment property), edited in place; only our own comments count. */
  ensureComment(input: { ticket: string; marker: Marker; body: Body }): Promise<Ensured>;
  /** Moves the ticket to the named status. Permanent when the workflow offers no way there in one move. */
  ensureTransition(input: { ticket: string; status: string }): Promise<Ensured>;
  ensureLabels(input: { ticket: string; add: readonly string[]; remove: readonly string[] }): Promise<Ensured>;
  ensureRemoteLink(input: {
    ticket: string;
    globalId: string;
    url: string;
    title: string;
    relationship: string;
  }): Promise<Ensured>;
}

export interface CodeReader {
  whoAmI(): Promise<Actor>;
  readProject(path: string): Promise<CodeProject>;
  /** The open merge request of a source branch, or null. */
  findMergeRequest(input: { repository: string; sourceBranch: string }): Promise<MergeRequest | null>;
  /** GitLab access level (0 none, 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner), inherited ones included. */
  readAccessLevel(input: { repository: string; userId: string }): Promise<number>;
}

/** Finds what no webhook told of. */
export interface CodeSearch {
  /** Merge requests of an account that are open, or changed since that moment (ISO 8601). The newest 100 of each. */
  listStandings(input: { repository: string; authorId: string; since: string }): Promise<Standing[]>;
}

interface OneMergeRequest {
  readonly repository: string;
  readonly iid: number;
}

/** Reads merge requests and what is said and done on them. */
export interface ReviewReader {
  readMergeRequest(at: OneMergeRequest): Promise<MergeRequestState>;
  /** Every file of the newest diff. What GitLab collapses is fetched in other ways; what cannot be had is `withheld`. */
  readDiff(at: OneMergeRequest): Promise<FileDiff[]>;
  /** All threads, system notes left out, oldest first. */
  listThreads(at: OneMergeRequest): Promise<Thread[]>;
  readPipeline(input: { repository: string; pipelineId: number }): Promise<PipelineState>;
  /** The newest pipeline of a branch that came to an end green or red; null when there is none. */
  newestPipeline(input: { repository: string; ref: string }): Promise<PipelineState | null>;
  /** The last `maxBytes` of a job's log, without ANSI codes and section marks. Empty when there is none (erased, never started). */
  readTrace(input: { repository: string; jobId: number; maxBytes: number }): Promise<string>;
  /** Level 0 for who is no member. Throws Permanent when there is no such account. */
  readPerson(input: { repository: string; userId: string }): Promise<Person>;
  /** Whether an account is an active member of a group, inherited membership included. False when the group cannot be seen. */
  isInGroup(input: { group: string; userId: string }): Promise<boolean>;
  /** What has to be known before a branch is pushed and a merge request opened. */
  readRules(input: { repository: string; branch: string }): Promise<RepositoryRules>;
  readApprovals(at: OneMergeRequest): Promise<Approvals>;
}

/** Takes part in merge requests. Ours are found by author and marker; nobody else's words are ever changed. */
export interface ReviewWriter {
  /** An emoji on a note, e.g. `eyes`. */
  ensureAward(input: OneMergeRequest & { noteId: number; name: string }): Promise<Ensured>;
  /** One note per marker, edited in place. In a thread, or (null) a thread of its own. `ref.id` is the note's id. */
  ensureNote(input: OneMergeRequest & { discussionId: string | null; marker: Marker; body: Body }): Promise<Ensured>;
  /**
   * A review: one thread per finding (found again by its marker, wherever it is now, and never written twice), published together.
   * A position that GitLab does not take becomes a thread without one, which names file and line. `unchanged` when all are there.
   * Permanent when `refs.head` is not the merge request's newest commit any more.
   */
  ensureReview(
    input: OneMergeRequest & {
      refs: DiffRefs;
      findings: readonly { readonly marker: Marker; readonly position: DiffPosition; readonly body: Body }[];
    },
  ): Promise<Ensured>;
  ensureResolved(input: OneMergeRequest & { discussionId: string }): Promise<Ensured>;
  /** Our block in a description (see `ensureMergeRequest`), whoever opened the merge request. */
  ensureDescription(input: OneMergeRequest & { marker: Marker; body: Body }): Promise<Ensured>;
  /** Takes `Draft:` off the title. Permanent when the newest commit is not `sha`. */
  ensureReady(input: OneMergeRequest & { sha: string }): Promise<Ensured>;
  /** Merges. Permanent when the newest commit is not `sha`, or GitLab does not allow it. */
  ensureMerged(input: OneMergeRequest & { sha: string }): Promise<Ensured>;
  /** Has a failed job run once more. `unchanged` when a newer one of its name is there. */
  ensureRetried(input: { repository: string; pipelineId: number; jobId: number }): Promise<Ensured>;
}

/** Looks after the webhooks of repositories. */
export interface HookKeeper {
  /** A project's own webhooks. Permanent with status 403 when our token may not see them. */
  listHooks(repository: string): Promise<Hook[]>;
  /** Has a sample sent; a 2xx to it switches the webhook on again. Permanent when the sample was answered otherwise. */
  testHook(input: { repository: string; hookId: number }): Promise<void>;
}

export interface CodeWriter {
  /** One open merge request per source branch. Created, or title, body, draft and labels brought up to date. */
  ensureMergeRequest(input: {
    repository: string;
    sourceBranch: string;
    targetBranch: string;
    title: string;
    body: Body;
    draft: boolean;
    labels: readonly string[];
    marker: Marker;
  }): Promise<Ensured>;
}

/** Puts commits on branches. Implemented over git, not over the GitLab API. */
export interface BranchWriter {
  /**
   * Makes the commit that the payload describes and puts the branch there. `created` or `updated` when the branch moved,
   * `unchanged` when it was there already. `ref.id` is the commit id.
   * Permanent when somebody else's commits are on the branch (they are never overwritten) or the patch does not apply.
   */
  ensureBranch(input: BranchPayload): Promise<Ensured>;
}

export interface PageReader {
  /** The page with our marker, or null. */
  findPage(input: { space: string; marker: Marker }): Promise<Page | null>;
  /** Pages of a space whose title contains the text, at most `limit`. */
  searchPages(input: { space: string; text: string; limit: number }): Promise<Page[]>;
}

export interface PageWriter {
  /** One page per marker (a content property). A foreign page with the same title is never touched: ours gets a suffix. */
  ensurePage(input: {
    space: string;
    parentTitle: string | null;
    marker: Marker;
    title: string;
    body: Body;
    labels: readonly string[];
    versionMessage: string;
  }): Promise<Ensured>;
}

// ---- models

export interface ToolCall {
  /** Unique within one conversation; given by us, since some servers repeat or omit theirs. */
  readonly id: string;
  readonly name: string;
  /** As the model wrote it: JSON text that may be broken. */
  readonly arguments: string;
}

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly text: string };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: Record<string, unknown>;
}

export interface ModelRequest {
  /** Which agent asks; chooses model and price, and is written to the transcript. */
  readonly role: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  readonly maxOutputTokens: number;
}

export interface Usage {
  /** Tokens, cached ones included. */
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** True when the server did not report usage and the numbers are our estimate. */
  readonly estimated: boolean;
}

export interface ModelReply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: "stop" | "tool_calls" | "length" | "refusal";
  readonly usage: Usage;
  readonly costUsd: number;
  /** Name of the model that answered. */
  readonly model: string;
}

export interface Model {
  /** One call. Throws Retryable for outages and rate limits, Permanent for refused credentials or requests. */
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
}

// ---- code execution

export interface SandboxStatus {
  /** `process` is no sandbox at all and only the demo may use it, for code that is ours. */
  readonly kind: "bubblewrap" | "container" | "process" | "none";
  /** Why it is so, for people. */
  readonly reason: string;
}

export interface CommandResult {
  readonly argv: readonly string[];
  /** null when the command was killed. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Head and tail, the middle cut when long. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** What it used: processor time of all its processes, and the most memory that was seen (a few looks a second). null: not known. */
  readonly usage?: { readonly cpuMs: number | null; readonly peakBytes: number | null };
  /** What was asked for with `collect` and was there: path -> text. Written by the command, so not to be trusted. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Sandbox {
  status(): Promise<SandboxStatus>;
  /** Runs a command on a copy of `directory`; what it writes there is thrown away. Throws UserError when status is `none`. */
  run(input: {
    directory: string;
    argv: readonly string[];
    timeoutMs: number;
    signal: AbortSignal;
    /** Files to bring back from the copy, relative to it, e.g. `junit.xml`. Links, binary files and those over 4 MiB are left out. */
    collect?: readonly string[];
  }): Promise<CommandResult>;
}

// ---- workspaces

/** A checkout that a run owns: plain files, without a `.git` in it. */
export interface Workspace {
  /** Absolute path of the tree. */
  readonly root: string;
  /** Commit that the tree started from, full id. */
  readonly base: string;
  /** Everything that differs from `base`, as a patch in git's binary format; empty when nothing does. */
  diff(): Promise<string>;
  /** Paths that differ from `base`, with git's status letter (A, M, D, R…). */
  changedFiles(): Promise<{ path: string; status: string }[]>;
  /** Keeps the tree as it is now and returns an id for `restore`. Holds as long as this checkout; ignored files are not in it. */
  snapshot(): Promise<string>;
  /** Brings the tree back to a snapshot. Ignored files stay as they are. */
  restore(snapshot: string): Promise<void>;
}

/** What it comes to when one commit is merged into another. */
export interface Merge {
  /** The commit that is merged, full id. */
  readonly of: string;
  /** The commit that both sides come from, full id; null when they share no history. */
  readonly base: string | null;
  /** Everything of it is there already. */
  readonly upToDate: boolean;
  /** The merge as far as git can make it, as a patch against the commit that it is merged into; conflicts are marked in the files. */
  readonly patch: string;
  /**
   * Files that both sides changed in ways that exclude each other. `contents`: both versions are in the file, between markers;
   * `deleted`: one side deleted what the other changed, and the changed version is there; `other`: nothing that a text shows
   * (binary files, links, submodules, directories).
   */
  readonly conflicts: readonly { readonly path: string; readonly kind: "contents" | "deleted" | "other" }[];
}

export interface Workspaces {
  /**
   * A fresh checkout for a run: `base` (or the head of `branch`, default: the default branch), with `patch` laid over it.
   * An existing one of the same run is replaced.
   */
  open(input: {
    runId: string;
    project: CodeProject;
    branch?: string;
    base?: string;
    patch?: string;
  }): Promise<Workspace>;
  /** Merges the head of `branch` into the commit `into`, without a checkout: nothing of the repository is executed, nothing is written. */
  merge(input: { project: CodeProject; into: string; branch: string }): Promise<Merge>;
  /** How two commits (full ids) differ, as a patch in git's binary format, without renames; empty when they do not. */
  compare(input: { project: CodeProject; from: string; to: string }): Promise<string>;
  /** Text of a plain file at the head of the default branch; null when there is none, or it is larger or no file. */
  readFromDefaultBranch(input: { project: CodeProject; path: string; maxBytes: number }): Promise<string | null>;
  /** Deletes the run's checkout. Nothing happens when there is none. */
  remove(runId: string): Promise<void>;
}

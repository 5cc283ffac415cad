/** What an event on a merge request means for us. Pure: the same event, facts and policy always give the same decision. */
import type { Event } from "../domain/event.ts";
import type { Person } from "../domain/merge-request.ts";
import { changesCode, type InstantAnswer, type Request, type Run, type Target } from "../domain/run.ts";
import { accessLevels, usualLevels } from "../platform/merge-request-policy.ts";
import type { Policy } from "../platform/policy.ts";
import { type CommandName, parseCommand, parseRaise } from "./command.ts";

export type OnMergeRequest = Extract<Event, { type: "mr.commented" | "mr.changed" | "pipeline.changed" }>;
type Comment = Extract<Event, { type: "mr.commented" }>;

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

/** What is known besides the event. Everything is read when it is asked for. */
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

const ignore = (reason: string): MergeRequestDecision => ({ kind: "ignore", reason });

const ownBranch = /^ticketsmith\/([A-Z][A-Z0-9_]+-\d+)$/;
const anyKey = /(?<![A-Za-z0-9])([A-Z][A-Z0-9_]+)-\d+(?!\d)/;

/** Whether a branch is named as ours are. That it is really ours is looked up before anything is done to it. */
export function isOwnBranch(branch: string): boolean {
  return ownBranch.test(branch);
}

/** Where the runs of a merge request belong: its project in the policy, and its ticket. Null: the repository is not in the policy. */
function homeOf(
  policy: Policy,
  repository: string,
  iid: number,
  branch: string,
): Pick<Target, "ticket" | "project" | "repository" | "space" | "parentPage"> | null {
  const here = Object.entries(policy.projects).filter(([, project]) => project.repository === repository);
  const found = anyKey.exec(branch);
  const [first] = here;
  const [key, project] = here.find(([name]) => name === found?.[1]) ?? first ?? [];
  if (key === undefined || project === undefined) return null;
  const ticket = found !== null && found[1] === key ? found[0] : `${repository}!${iid}`;
  const { space, parentPage } = project;
  return { ticket, project: key, repository, space, parentPage };
}

/** The GitLab groups whose members may give a command besides those with the access level. */
export function groupsFor(command: string, policy: Policy): readonly string[] {
  return policy.mergeRequests.commands[command as keyof typeof usualLevels]?.groups ?? [];
}

function mayCommand(command: CommandName, { person, groups }: MergeRequestFacts, policy: Policy): boolean {
  if (person === null || person.bot) return false;
  const who = policy.mergeRequests.commands[command] ?? { level: usualLevels[command], groups: [] };
  if (who.level !== undefined && person.level >= accessLevels[who.level]) return true;
  return who.groups.some((group) => groups.includes(group));
}

/** GitLab ids of those who asked for the work on a merge request; null among them: somebody whose id is not known. */
function requesters(runs: readonly Run[], policy: Policy): (string | null)[] {
  return runs
    .filter(
      ({ target, workflow }) =>
        workflow !== "answer" && (target.request !== undefined || target.mergeRequest === undefined),
    )
    .map(({ requestedBy, target }) =>
      target.request === undefined ? (policy.people.identities[requestedBy] ?? null) : target.request.by.id,
    );
}

/** Commands that are runs of a workflow; the others are answered at once. */
const workflowOf: Readonly<Partial<Record<CommandName, string>>> = {
  review: "review",
  improve: "improve",
  describe: "describe",
  ask: "ask",
  split: "split",
  fix: "change",
  test: "change",
  docs: "change",
  changelog: "change",
  conflicts: "change",
  heal: "heal",
};

const active = ({ state }: Run): boolean => state === "queued" || state === "running" || state === "waiting";

function summary(runs: readonly Run[]): InstantAnswer["runs"] {
  return runs
    .filter(({ workflow }) => workflow !== "answer")
    .slice(0, 5)
    .map(({ id, workflow, state, step, reason, costUsd }) => ({ id, workflow, state, step, reason, costUsd }));
}

/** What is answered at once to a command, and what happens besides. */
function instant(
  command: CommandName,
  argument: string,
  event: Comment,
  facts: MergeRequestFacts,
  policy: Policy,
): { answer: InstantAnswer; alongside?: Alongside } {
  const say = (about: InstantAnswer["about"], detail = ""): InstantAnswer => ({ about, detail, runs: [] });
  const by = event.actor?.id ?? "";
  const work = facts.runs.filter(({ workflow }) => workflow !== "answer");
  switch (command) {
    case "help":
      return { answer: say("help") };
    case "status":
      return { answer: { about: "status", detail: "", runs: summary(facts.runs) } };
    case "stop": {
      const going = work.filter(active);
      if (going.length === 0) return { answer: say("nothing_to_stop") };
      const reason = `${event.actor?.name} asked to stop`;
      return {
        answer: { about: "stopped", detail: "", runs: summary(going) },
        alongside: { kind: "cancel", runIds: going.map(({ id }) => id), reason },
      };
    }
    case "budget": {
      const usd = parseRaise(argument);
      const most = policy.budgets.raiseUsd;
      const run = work.find(active);
      if (usd === null) return { answer: say("not_raised", "how_much") };
      if (usd > most) return { answer: say("not_raised", `most ${most}`) };
      if (run === undefined) return { answer: say("not_raised", "no_run") };
      return {
        answer: say("raised", String(usd)),
        alongside: { kind: "raise", runId: run.id, usd, by, cause: `gitlab:note:${event.noteId}` },
      };
    }
    case "retry": {
      const last = work[0];
      const stopped = ["failed", "needs_human", "timed_out", "over_budget"];
      if (last === undefined || !stopped.includes(last.state)) return { answer: say("nothing_to_retry") };
      return {
        answer: { about: "retried", detail: "", runs: summary([last]) },
        alongside: { kind: "retry", run: last, by },
      };
    }
    default:
      return settleChange(command, event, policy, work);
  }
}

/** `approve`, `reject`, `merge`: what a person decides about a change of the bot. */
function settleChange(
  command: CommandName,
  event: Comment,
  policy: Policy,
  work: readonly Run[],
): { answer: InstantAnswer; alongside?: Alongside } {
  const say = (about: InstantAnswer["about"], detail = ""): InstantAnswer => ({ about, detail, runs: [] });
  if (!isOwnBranch(event.sourceBranch)) return { answer: say("not_ours", command) };
  if (command === "reject") {
    const going = work.filter(active).map(({ id }) => id);
    const reason = `${event.actor?.name} rejected the change`;
    return {
      answer: say("rejected"),
      ...(going.length === 0 ? {} : { alongside: { kind: "cancel" as const, runIds: going, reason } }),
    };
  }
  if (command === "merge" && !policy.mergeRequests.merge) return { answer: say("not_allowed", "merge") };
  if (!policy.mergeRequests.requesterMayApprove) {
    const asked = requesters(work, policy);
    if (asked.includes(event.actor?.id ?? "")) return { answer: say("not_allowed", "requester") };
    // Who cannot be told apart from the requester may be the requester.
    if (asked.includes(null)) return { answer: say("not_allowed", "unknown_requester") };
  }
  if (event.sha === null) return { answer: say("not_allowed", "no_commit") };
  return { answer: say(command === "merge" ? "merged" : "approved", event.sha) };
}

function answerRun(
  event: Comment,
  home: NonNullable<ReturnType<typeof homeOf>>,
  request: Request,
  { answer, alongside }: { answer: InstantAnswer; alongside?: Alongside },
): MergeRequestDecision {
  const { iid, sourceBranch, noteId } = event;
  return {
    kind: "start",
    workflow: "answer",
    target: { ...home, mergeRequest: { iid, sourceBranch }, request, answer },
    requestedBy: request.by.id,
    cause: `gitlab:note:${noteId}`,
    ...(alongside === undefined ? {} : { alongside }),
  };
}

function routeComment(event: Comment, facts: MergeRequestFacts, policy: Policy): MergeRequestDecision {
  const { repository, iid, sourceBranch, noteId, discussionId, actor } = event;
  const command = parseCommand(event.body, { aliases: policy.mergeRequests.aliases });
  const isFeedback = command === null && event.thread && policy.mergeRequests.address && isOwnBranch(sourceBranch);
  if (command === null && !isFeedback) return ignore("nothing to do for mr.commented: it is no command");
  const home = homeOf(policy, repository, iid, sourceBranch);
  if (home === null) return ignore(`repository ${repository} is not in the configuration`);
  if (actor === null) return ignore("nobody is named as the author of the note");
  if (facts.startedRun !== null) return ignore(`this note started run ${facts.startedRun} already`);
  const { person } = facts;
  if (person === null) return ignore(`${actor.name} (${actor.id}) is not known to GitLab`);
  if (person.bot) return ignore(`${actor.name} (${actor.id}) is a bot: bots are not answered`);
  const request: Request = {
    ...(command !== null && "name" in command ? { command: command.name } : {}),
    argument: command !== null && "name" in command ? command.argument : "",
    noteId,
    discussionId,
    by: actor,
  };
  const mergeRequest = { iid, sourceBranch };
  const { thread, hour } = policy.mergeRequests.replies;
  const over = facts.answers.thread > thread || facts.answers.hour > hour;
  if (over) return ignore("the limit of answers is reached (mergeRequests.replies)");
  const atLimit = facts.answers.thread === thread || facts.answers.hour === hour;
  const limited = (): MergeRequestDecision =>
    answerRun(event, home, request, { answer: { about: "limit", detail: "", runs: [] } });
  if (command === null) {
    if (person.level < accessLevels.developer) return ignore(`${actor.name} may not have threads worked off`);
    if (facts.busy !== null) {
      return facts.busy.workflow === "address" && facts.busy.epoch === 0
        ? ignore(`run ${facts.busy.id} is about to look at all threads`)
        : { kind: "later", reason: `run ${facts.busy.id} is at the branch` };
    }
    if (atLimit) return limited();
    return {
      kind: "start",
      workflow: "address",
      target: { ...home, mergeRequest, request },
      requestedBy: actor.id,
      cause: `gitlab:note:${noteId}`,
      delayMs: policy.mergeRequests.quietSeconds * 1000,
    };
  }
  // Somebody without any access to the project is told nothing: an answer would be an invitation.
  if (person.level === 0 && facts.groups.length === 0) return ignore(`${actor.name} (${actor.id}) is no member`);
  if (atLimit) return limited();
  if ("unknown" in command) {
    const detail = command.nearest ?? "";
    return answerRun(event, home, request, { answer: { about: "unknown", detail, runs: [] } });
  }
  if (!mayCommand(command.name, facts, policy)) {
    return answerRun(event, home, request, { answer: { about: "refused", detail: command.name, runs: [] } });
  }
  const workflow = workflowOf[command.name];
  if (workflow === undefined) {
    return answerRun(event, home, request, instant(command.name, command.argument, event, facts, policy));
  }
  if (changesCode(workflow) && facts.busy !== null) {
    return { kind: "later", reason: `run ${facts.busy.id} is at the branch` };
  }
  return {
    kind: "start",
    workflow,
    target: { ...home, mergeRequest, request },
    requestedBy: actor.id,
    cause: `gitlab:note:${noteId}`,
  };
}

function routeChange(
  event: Extract<Event, { type: "mr.changed" }>,
  facts: MergeRequestFacts,
  policy: Policy,
): MergeRequestDecision {
  const { repository, iid, action, sourceBranch, sha, pushed, actor } = event;
  const home = homeOf(policy, repository, iid, sourceBranch);
  if (home === null) return ignore(`repository ${repository} is not in the configuration`);
  if (action === "close" || action === "merge") {
    const { busy } = facts;
    return busy === null
      ? ignore("no run at work on the merge request")
      : { kind: "cancel", runId: busy.id, reason: `the merge request was ${action === "merge" ? "merged" : "closed"}` };
  }
  if (!pushed && action !== "open") return ignore(`nothing to do for mr.changed: ${action} without new commits`);
  if (actor?.id === facts.self) return ignore("the bot's own doing");
  const { on } = policy.mergeRequests.review;
  const wanted = on === "all" || (on === "own" && isOwnBranch(sourceBranch)) || facts.reviewed;
  if (!wanted || sha === null) return ignore("reviews of pushes are not wanted here (mergeRequests.review.on)");
  return {
    kind: "start",
    workflow: "review",
    target: { ...home, mergeRequest: { iid, sourceBranch }, sha },
    requestedBy: actor?.id ?? facts.self,
    cause: `gitlab:push:${repository}!${iid}@${sha}`,
  };
}

function routePipeline(
  event: Extract<Event, { type: "pipeline.changed" }>,
  facts: MergeRequestFacts,
  policy: Policy,
): MergeRequestDecision {
  const { repository, ref, sha, status, pipelineId } = event;
  if (status !== "failed" && status !== "success") return ignore(`nothing to do for a pipeline that is ${status}`);
  if (policy.mergeRequests.heal.on !== "own" || !isOwnBranch(ref)) {
    return ignore("pipelines of this branch are looked into by command only (mergeRequests.heal.on)");
  }
  const iid = event.iid ?? facts.openRequest;
  if (iid === null) return ignore("there is no open merge request of the branch");
  const home = homeOf(policy, repository, iid, ref);
  if (home === null) return ignore(`repository ${repository} is not in the configuration`);
  if (status === "success" && facts.repairs === 0 && !policy.mergeRequests.undraft) {
    return ignore("nothing was repaired before this pipeline");
  }
  if (facts.busy !== null) return { kind: "later", reason: `run ${facts.busy.id} is at the branch` };
  return {
    kind: "start",
    workflow: "heal",
    target: { ...home, mergeRequest: { iid, sourceBranch: ref }, sha, pipelineId },
    requestedBy: facts.self,
  };
}

/** Decides what to do about an event on a merge request. */
export function routeMergeRequest(
  event: OnMergeRequest,
  facts: MergeRequestFacts,
  policy: Policy,
): MergeRequestDecision {
  switch (event.type) {
    case "mr.commented":
      if (event.actor?.id === facts.self) return ignore("the bot's own doing");
      return routeComment(event, facts, policy);
    case "mr.changed":
      return routeChange(event, facts, policy);
    case "pipeline.changed":
      return routePipeline(event, facts, policy);
  }
}

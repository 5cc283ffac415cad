/** What an event on a merge request means for us. Pure: the same event, facts and policy always give the same decision. */
import type { Event } from "../domain/event.ts";
import { changesCode, type InstantAnswer, type Request, type Target } from "../domain/run.ts";
import { accessLevels } from "../platform/merge-request-policy.ts";
import type { Policy } from "../platform/policy.ts";
import { type CommandName, parseCommand } from "./command.ts";
import { instant } from "./instant.ts";
import {
  type Alongside,
  type Comment,
  isOwnBranch,
  type MergeRequestDecision,
  type MergeRequestFacts,
  type OnMergeRequest,
} from "./merge-request-facts.ts";
import { mayCommand } from "./who-may.ts";

const ignore = (reason: string): MergeRequestDecision => ({ kind: "ignore", reason });

const anyKey = /(?<![A-Za-z0-9])([A-Z][A-Z0-9_]+)-\d+(?!\d)/;

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

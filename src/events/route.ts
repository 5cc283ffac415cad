/** What an event means for us. Pure: the same event, facts and policy always give the same decision. */
import type { Event } from "../domain/event.ts";
import type { Run, Target } from "../domain/run.ts";
import type { Policy } from "../platform/policy.ts";
import { parseCommand, parseRaise } from "./command.ts";
import type { OnMergeRequest } from "./merge-request-facts.ts";

/** Events that are not about a merge request; the others are for `routeMergeRequest`. */
export type OnTicket = Exclude<Event, OnMergeRequest>;

export type Decision =
  | {
      readonly kind: "start";
      readonly workflow: string;
      readonly target: Target;
      readonly requestedBy: string;
      /** What asked for it, see `causeOf`. */
      readonly cause?: string;
    }
  | { readonly kind: "cancel"; readonly runId: string; readonly reason: string }
  | {
      readonly kind: "raise";
      readonly runId: string;
      /** US dollars. */
      readonly usd: number;
      /** Account id of who allows it. */
      readonly by: string;
      /** Names the comment for ever: told of twice, it raises once. */
      readonly cause: string;
    }
  | { readonly kind: "ignore"; readonly reason: string }
  /** The decision depends on who the actor is: ask for the membership and route again. */
  | { readonly kind: "ask"; readonly account: string; readonly project: string };

export interface Facts {
  /** Account ids of the bot itself. */
  readonly self: { readonly jira: string; readonly gitlab: string };
  /** The ticket's active run. */
  readonly activeRun: Run | null;
  /** Id of the run that the very same change has started: senders repeat themselves, and two webhooks may tell of one change. */
  readonly startedRun: string | null;
  /** Roles and groups of the actor; undefined until they were asked for. */
  readonly membership: { readonly roles: readonly string[]; readonly groups: readonly string[] } | undefined;
}

const ignore = (reason: string): Decision => ({ kind: "ignore", reason });

function isSelf(event: Event, facts: Facts): boolean {
  const self = event.type.startsWith("ticket.") ? facts.self.jira : facts.self.gitlab;
  return event.actor !== null && event.actor.id === self;
}

/** Name for ever of what an event asks for; null when its sender gives it none. */
export function causeOf(event: Event): string | null {
  return "changeId" in event && event.changeId !== undefined ? `jira:${event.changeId}` : null;
}

/** The one label among several that starts something: the first in the order of the policy. */
function triggerOf(labels: readonly string[], policy: Policy): { label: string; workflow: string } | null {
  for (const [label, workflow] of Object.entries(policy.triggers.labels)) {
    if (labels.includes(label)) return { label, workflow };
  }
  return null;
}

function mayStart(account: string, membership: NonNullable<Facts["membership"]>, policy: Policy): boolean {
  const { roles, groups, accounts } = policy.people.start;
  return (
    accounts.includes(account) ||
    membership.roles.some((role) => roles.includes(role)) ||
    membership.groups.some((group) => groups.includes(group))
  );
}

function routeLabels(
  event: Event & { ticket: string; project: string },
  labels: readonly string[],
  facts: Facts,
  policy: Policy,
): Decision {
  const project = policy.projects[event.project];
  if (project === undefined) return ignore(`project ${event.project} is not in the configuration`);
  const trigger = triggerOf(labels, policy);
  if (trigger === null)
    return ignore(labels.length === 0 ? "no labels" : `no trigger among the labels: ${labels.join(", ")}`);
  if (facts.startedRun !== null) return ignore(`this change started run ${facts.startedRun} already`);
  if (facts.activeRun !== null) return ignore(`run ${facts.activeRun.id} is at work on ${event.ticket} already`);
  if (event.actor === null) return ignore("nobody is named as the one who added the label");
  if (facts.membership === undefined) return { kind: "ask", account: event.actor.id, project: event.project };
  if (!mayStart(event.actor.id, facts.membership, policy)) {
    return ignore(`${event.actor.name} (${event.actor.id}) may not start runs`);
  }
  const { repository, targetBranch, space, parentPage } = project;
  const cause = causeOf(event);
  return {
    kind: "start",
    workflow: project.workflow ?? trigger.workflow,
    requestedBy: event.actor.id,
    ...(cause === null ? {} : { cause }),
    target: { ticket: event.ticket, project: event.project, repository, targetBranch, space, parentPage },
  };
}

/** What may be said on a ticket: what it asks for, or why it is ignored whoever says it. */
function wishOf(body: string, policy: Policy): { readonly stop: true } | { readonly usd: number } | string {
  const command = parseCommand(body);
  if (command === null) return "nothing to do for ticket.commented: it is no command";
  if ("unknown" in command) {
    const hint = command.nearest === null ? "" : `, did you mean ${command.nearest}?`;
    return `command "${command.unknown.slice(0, 40)}" is not known${hint}`;
  }
  switch (command.name) {
    case "stop":
      return { stop: true };
    case "budget": {
      const usd = parseRaise(command.argument);
      if (usd === null) return "command budget needs to know how much more, e.g. budget +2";
      const most = policy.budgets.raiseUsd;
      return usd <= most ? { usd } : `one comment may add $${most} at most (budgets.raiseUsd)`;
    }
    default:
      return `command ${command.name} is not known on tickets`;
  }
}

function routeComment(event: Extract<Event, { type: "ticket.commented" }>, facts: Facts, policy: Policy): Decision {
  const wish = wishOf(event.body, policy);
  if (typeof wish === "string") return ignore(wish);
  if (policy.projects[event.project] === undefined) {
    return ignore(`project ${event.project} is not in the configuration`);
  }
  const { activeRun, membership } = facts;
  if (activeRun === null) return ignore(`no run at work on ${event.ticket}`);
  if (event.actor === null) return ignore("nobody is named as the author of the comment");
  const { id, name } = event.actor;
  if (membership === undefined) return { kind: "ask", account: id, project: event.project };
  if (!mayStart(id, membership, policy)) return ignore(`${name} (${id}) may not start runs, nor steer them`);
  if ("stop" in wish) return { kind: "cancel", runId: activeRun.id, reason: `${name} asked to stop` };
  return { kind: "raise", runId: activeRun.id, usd: wish.usd, by: id, cause: `jira:comment:${event.commentId}` };
}

/** Decides what to do about an event that is not about a merge request. */
export function route(event: OnTicket, facts: Facts, policy: Policy): Decision {
  if (isSelf(event, facts)) return ignore("the bot's own doing");
  switch (event.type) {
    case "ticket.labelled":
      return routeLabels(event, event.added, facts, policy);
    case "ticket.created":
      return routeLabels(event, event.labels, facts, policy);
    case "ticket.unlabelled": {
      const trigger = triggerOf(event.removed, policy);
      if (trigger === null || facts.activeRun === null) return ignore("no trigger label of a run at work was removed");
      return { kind: "cancel", runId: facts.activeRun.id, reason: `label ${trigger.label} was removed` };
    }
    case "ticket.deleted":
      if (facts.activeRun === null) return ignore("no run at work on the ticket");
      return { kind: "cancel", runId: facts.activeRun.id, reason: "the ticket was deleted" };
    case "ticket.commented":
      return routeComment(event, facts, policy);
    case "ticket.transitioned":
    case "ticket.assigned":
    case "ticket.edited":
    case "branch.pushed":
      return ignore(`nothing to do for ${event.type}`);
  }
}

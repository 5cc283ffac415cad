/** What an event means for us. Pure: the same event, facts and policy always give the same decision. */
import type { Event } from "../domain/event.ts";
import type { Run, Target } from "../domain/run.ts";
import type { Policy } from "../platform/policy.ts";

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

/** Decides what to do about an event. */
export function route(event: Event, facts: Facts, policy: Policy): Decision {
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
    case "ticket.transitioned":
    case "ticket.assigned":
    case "ticket.edited":
    case "ticket.commented":
    case "mr.commented":
    case "mr.changed":
    case "pipeline.changed":
    case "branch.pushed":
      return ignore(`nothing to do for ${event.type}`);
  }
}

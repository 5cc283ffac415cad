/** What was done to a ticket, as its webhooks would have told. Pure. */
import type { Event } from "../domain/event.ts";
import type { LabelChange, LabelledTicket, Ticket } from "../domain/ticket.ts";
import { parseCommand } from "./command.ts";

/** A change that put a trigger label on a ticket or took it off, as the event that its webhook would have been. */
export interface Labelling {
  readonly changeId: string;
  readonly at: Date;
  readonly event: Event;
}

/**
 * The changes by which the trigger labels came to be on a ticket: for each label the last one, and one for several that came
 * together. Labels that no change has added were there from the creation. What was taken off again is not asked for any more.
 * @param changes all of them, oldest first: they count, since the labels that a search shows may be old
 */
export function listLabellings(
  ticket: LabelledTicket,
  changes: readonly LabelChange[],
  triggers: readonly string[],
): Labelling[] {
  const wanted = ticket.labels.filter((label) => triggers.includes(label));
  const lastChanges = wanted.map((label) => ({
    label,
    change: changes.findLast(({ added, removed }) => added.includes(label) || removed.includes(label)),
  }));
  const about = { ticket: ticket.key, project: ticket.project };
  const created = lastChanges.filter(({ change }) => change === undefined).map(({ label }) => label);
  const adding = new Set(
    lastChanges.flatMap(({ label, change }) => (change?.added.includes(label) === true ? [change] : [])),
  );
  const fromCreation = (labels: readonly string[]): Labelling => {
    const changeId = `created:${ticket.id}`;
    const event = { type: "ticket.created" as const, ...about, actor: ticket.creator, changeId, labels: [...labels] };
    return { changeId, at: new Date(ticket.createdAt), event };
  };
  return [
    ...(created.length > 0 ? [fromCreation(created)] : []),
    ...[...adding].map(({ id, at, actor, added }) => ({
      changeId: id,
      at: new Date(at),
      event: { type: "ticket.labelled" as const, ...about, actor, changeId: id, added: [...added] },
    })),
  ];
}

/**
 * When, by the tracker's clock, what concerns a run began: with the change that asked for it. Ours, which may be another, for a run
 * that was asked for elsewhere.
 * @param changes all of the ticket's
 */
export function startOf(
  run: { readonly changeId: string | null; readonly createdAt: Date },
  changes: readonly LabelChange[],
): Date {
  if (run.changeId?.startsWith("created:")) return new Date(0);
  const asking = changes.find(({ id }) => id === run.changeId);
  return asking === undefined ? run.createdAt : new Date(asking.at);
}

/** The last change after `from` that took a trigger label off, as the event that its webhook would have been; null when there is none. */
export function findUnlabelling(
  ticket: Pick<Ticket, "key" | "project">,
  changes: readonly LabelChange[],
  triggers: readonly string[],
  from: Date,
): Labelling | null {
  const found = changes.findLast(
    ({ at, removed }) => new Date(at) > from && removed.some((label) => triggers.includes(label)),
  );
  if (found === undefined) return null;
  const { id, at, actor, removed } = found;
  const about = { ticket: ticket.key, project: ticket.project };
  return {
    changeId: id,
    at: new Date(at),
    event: { type: "ticket.unlabelled", ...about, actor, removed: [...removed] },
  };
}

/** A comment that says something to the bot, as the event that its webhook would have been. */
export interface Commanding {
  readonly commentId: string;
  readonly at: Date;
  readonly event: Event;
}

/** The comments of a ticket that are commands, oldest first, understood or not. */
export function listCommands(ticket: Pick<Ticket, "key" | "project" | "comments">): Commanding[] {
  return ticket.comments
    .filter(({ body }) => parseCommand(body) !== null)
    .map(({ id, author, body, createdAt }) => ({
      commentId: id,
      at: new Date(createdAt),
      event: {
        type: "ticket.commented",
        ticket: ticket.key,
        project: ticket.project,
        actor: author,
        commentId: id,
        body,
        self: "",
      },
    }));
}

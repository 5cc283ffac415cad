/** Which labels on a ticket nobody told us of. Pure. */
import type { Event } from "../domain/event.ts";
import type { LabelChange, LabelledTicket } from "../domain/ticket.ts";

/** A change that put a trigger label on a ticket, as the event that its webhook would have been. */
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

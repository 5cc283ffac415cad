/** Moving a ticket through its workflow. */
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, Retryable } from "../../domain/errors.ts";
import { IssueStatus, Nothing, type Transition, Transitions } from "./answers.ts";
import { checkedKey, type Site } from "./site.ts";

async function readStatus(site: Site, ticket: string): Promise<string> {
  const issue = await site.call(`read status of ${ticket}`, IssueStatus, () =>
    site.jira.issues.getIssue({ issueIdOrKey: ticket, fields: ["status"] }),
  );
  return issue.fields.status.name;
}

function isSameStatus(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

/** Names of the fields that a person would have to fill in. */
function demanded(transition: Transition): string[] {
  return Object.entries(transition.fields ?? {})
    .filter(([, field]) => field.required === true && field.hasDefaultValue !== true)
    .map(([id, field]) => field.name ?? id);
}

/** Decides which transition leads to the status. Throws Permanent when none does without questions. */
export function chooseTransition(ticket: string, from: string, to: string, offered: readonly Transition[]): Transition {
  const usable = offered.filter((transition) => transition.isAvailable !== false);
  const leading = usable.filter((transition) => isSameStatus(transition.to.name, to));
  const chosen = leading.find((transition) => demanded(transition).length === 0);
  if (chosen !== undefined) return chosen;
  const first = leading[0];
  if (first !== undefined) {
    throw new Permanent(
      `${ticket} cannot be moved to "${to}" by a program: the transition "${first.name}" asks for ${demanded(first).join(", ")}`,
    );
  }
  const names = [...new Set(usable.map((transition) => `"${transition.to.name}"`))];
  const way =
    names.length === 0 ? "it offers no transitions to the bot" : `from there it can go to ${names.join(", ")}`;
  throw new Permanent(`${ticket} is in "${from}" and cannot be moved to "${to}": ${way}`);
}

/**
 * Puts the ticket into the named status (upper and lower case do not matter).
 * Throws Permanent when no single transition leads there, Retryable when somebody else is moving the ticket (409).
 */
export async function ensureTransition(site: Site, input: { ticket: string; status: string }): Promise<Ensured> {
  const ticket = checkedKey(input.ticket);
  const ref = { id: ticket, url: await site.browse(ticket) };
  const from = await readStatus(site, ticket);
  if (isSameStatus(from, input.status)) return { outcome: "unchanged", ref };
  const { transitions } = await site.call(`read transitions of ${ticket}`, Transitions, () =>
    site.jira.issues.getTransitions({ issueIdOrKey: ticket, expand: "transitions.fields" }),
  );
  const { id } = chooseTransition(ticket, from, input.status, transitions);
  try {
    await site.write(ticket, `move ${ticket} to ${input.status}`, Nothing, () =>
      site.jira.issues.doTransition({ issueIdOrKey: ticket, transition: { id } }),
    );
  } catch (error) {
    // 400 is also what one gets when the ticket was moved since we looked.
    if (error instanceof Permanent && error.status === 400 && !isSameStatus(await readStatus(site, ticket), from)) {
      throw new Retryable(`${ticket} was moved meanwhile`, { cause: error });
    }
    throw error;
  }
  // jira.js takes any 2xx for a success here, a proxy's page included. (Not "is it there now": a rule may have moved it on.)
  if (isSameStatus(await readStatus(site, ticket), from)) {
    throw new Retryable(`Jira accepted to move ${ticket} to "${input.status}", but it is still in "${from}"`);
  }
  return { outcome: "updated", ref };
}

/** The review threads on our own merge request that wait for an answer of ours. */
import { capped } from "../../agents/data.ts";
import { Permanent } from "../../domain/errors.ts";
import type { Thread, ThreadNote } from "../../domain/merge-request.ts";
import { accessLevels } from "../../platform/merge-request-policy.ts";
import { looked } from "../conversation/outputs.ts";
import type { StepContext } from "../step.ts";

/** What has a run of its own, or is not meant for us. */
const isCommand = /^\s*[@/]ticketsmith\b/i;
const mostText = 4_000;

export interface OpenThread {
  readonly thread: Thread;
  /** Its newest note. */
  readonly last: ThreadNote;
}

/** Whether an account may tell us what to change. Nobody whom GitLab does not know. */
async function mayDirect(context: StepContext, userId: string): Promise<boolean> {
  const { repository } = context.run.target;
  try {
    const person = await context.services.reviews.readPerson({ repository, userId });
    return !person.bot && person.level >= accessLevels.developer;
  } catch (error) {
    if (error instanceof Permanent) return false;
    throw error;
  }
}

/**
 * Threads that nobody has resolved and in which somebody who may direct us had the last word; that of the run's request first, then the
 * oldest. Notes of others are left out of what they say.
 */
export async function openThreads(context: StepContext): Promise<OpenThread[]> {
  const { repository, request } = context.run.target;
  const { iid } = context.output(looked).mergeRequest;
  const known = new Map<string, Promise<boolean>>();
  const may = (note: ThreadNote): Promise<boolean> => {
    const found = known.get(note.author.id) ?? mayDirect(context, note.author.id);
    known.set(note.author.id, found);
    return found;
  };
  const found: OpenThread[] = [];
  for (const thread of await context.services.reviews.listThreads({ repository, iid })) {
    const last = thread.notes.at(-1);
    if (!thread.resolvable || thread.resolved || last === undefined || last.marker !== null) continue;
    if (isCommand.test(last.body) && thread.id !== request?.discussionId) continue;
    if (!(await may(last))) continue;
    const notes: ThreadNote[] = [];
    for (const note of thread.notes) if (note.marker !== null || (await may(note))) notes.push(note);
    found.push({ thread: { ...thread, notes }, last });
  }
  const isFirst = ({ thread }: OpenThread): boolean => thread.id === request?.discussionId;
  return [...found.filter(isFirst), ...found.filter((one) => !isFirst(one))];
}

/** What a thread says, for the developer. */
export function threadText({ thread }: OpenThread): string {
  return capped(thread.notes.map(({ author, body }) => `${author.name}:\n${body}`).join("\n\n"), mostText);
}

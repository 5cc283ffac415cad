/**
 * Finds what no webhook told of our merge requests: that one was merged, closed or opened again, how its pipeline ended, and what people
 * said on it. GitLab sends a webhook once, whether it arrives or not. What is found goes through the inbox like everything else.
 */
import type { Event } from "../domain/event.ts";
import type { CodeSearch, ReviewReader } from "../domain/ports.ts";
import type { Standing } from "../domain/ticket.ts";
import type { Log } from "../platform/log.ts";
import { finishLook, takeLook } from "../store/looks.ts";
import type { Database } from "../store/queryable.ts";
import { isPipelineTold, lastToldAction, listToldNotes } from "../store/told.ts";
import type { Inbox } from "./accept.ts";

const minuteMs = 60_000;

/** What lies this far back is looked at again: GitLab's clock is not ours. */
const overlapMs = 15 * minuteMs;

/** GitLab sends at once, or after its queue is worked off. */
const usualGraceMs = minuteMs;

/** Statuses in which a pipeline stays, until somebody starts it again. */
const ends: readonly string[] = ["success", "failed", "canceled", "skipped"];

/** The action of a webhook that leads to a state, and what to believe before any came. */
const actionOf = { opened: "reopen", merged: "merge", closed: "close", locked: null } as const;

export interface CodeReconciler {
  readonly database: Database;
  readonly inbox: Inbox;
  readonly code: CodeSearch & Pick<ReviewReader, "listThreads">;
  readonly repositories: readonly string[];
  /** Our own account: the merge requests of others are not our business. */
  readonly authorId: string;
  /** Which GitLab it is. */
  readonly site: string;
  readonly log: Log;
  readonly everyMs: number;
  readonly graceMs?: number;
}

interface Missed {
  readonly key: string;
  readonly event: Event;
}

async function missedState({ database }: CodeReconciler, repository: string, standing: Standing): Promise<Missed[]> {
  const { iid, state, sourceBranch, sha, updatedAt } = standing;
  const action = actionOf[state];
  if (action === null || ((await lastToldAction(database, repository, iid)) ?? "reopen") === action) return [];
  const event = { type: "mr.changed" as const, repository, iid, actor: null, action, sourceBranch, sha, pushed: false };
  return [{ key: `${repository}!${iid}:${action}:${updatedAt}`, event }];
}

async function missedPipeline({ database }: CodeReconciler, repository: string, standing: Standing): Promise<Missed[]> {
  const { pipeline, iid } = standing;
  if (pipeline === null || !ends.includes(pipeline.status)) return [];
  const { id, status, ref, sha } = pipeline;
  if (await isPipelineTold(database, id, status)) return [];
  const event = { type: "pipeline.changed" as const, repository, actor: null, pipelineId: id, status, ref, sha, iid };
  return [{ key: `pipeline:${id}:${status}`, event }];
}

/** What people said between two moments on one that is open. A note makes its merge request a changed one. */
async function missedNotes(
  { database, code, authorId }: CodeReconciler,
  repository: string,
  { iid, state, sourceBranch, sha, updatedAt }: Standing,
  { since, until }: { readonly since: number; readonly until: number },
): Promise<Missed[]> {
  if (state !== "opened" || Date.parse(updatedAt) < since) return [];
  const threads = await code.listThreads({ repository, iid });
  const said = threads.flatMap((thread) => thread.notes.map((note) => ({ thread, note })));
  const recent = said.filter(({ note }) => {
    const at = Date.parse(note.createdAt);
    return note.author.id !== authorId && at >= since && at <= until;
  });
  const known = await listToldNotes(
    database,
    recent.map(({ note }) => note.id),
  );
  return recent
    .filter(({ note }) => !known.has(note.id))
    .map(({ thread, note: { id: noteId, author: actor, body } }) => {
      const where = { repository, iid, sourceBranch, sha, noteId, discussionId: thread.id, thread: thread.resolvable };
      return { key: `note:${noteId}`, event: { type: "mr.commented" as const, actor, body, ...where } };
    });
}

async function lookAt(reconciler: CodeReconciler, repository: string, since: Date, until: number): Promise<number> {
  const { code, authorId, inbox, site, log } = reconciler;
  const isOld = (at: string): boolean => Date.parse(at) <= until;
  let count = 0;
  for (const standing of await code.listStandings({ repository, authorId, since: since.toISOString() })) {
    const missed = [
      ...(isOld(standing.updatedAt) ? await missedState(reconciler, repository, standing) : []),
      ...(standing.pipeline && isOld(standing.pipeline.updatedAt)
        ? await missedPipeline(reconciler, repository, standing)
        : []),
      ...(await missedNotes(reconciler, repository, standing, { since: since.getTime(), until })),
    ];
    for (const { key, event } of missed) {
      const { duplicate } = await inbox.accept({
        sender: "gitlab",
        key: `gitlab:reconciled:${site}:${key}`,
        kind: "reconciled",
        body: JSON.stringify(standing),
        parsed: { event },
      });
      if (duplicate) continue;
      count += 1;
      log.info("a webhook of GitLab was missed, what it would have told was found by asking", { repository, key });
    }
  }
  return count;
}

/**
 * Takes a look at the merge requests of our own account, unless it is too early for one.
 * @returns how many messages were missed; null when it was too early
 * @throws Retryable, Permanent: nothing is forgotten, the next look begins where this one began
 */
export async function reconcileCode(reconciler: CodeReconciler): Promise<number | null> {
  const { database, site, repositories, everyMs, graceMs = usualGraceMs } = reconciler;
  const name = `gitlab:${site}`;
  const look = await takeLook(database, name, everyMs);
  if (look === null) return null;
  const since = new Date((look.seenUntil ?? look.takenAt).getTime() - overlapMs);
  const until = look.takenAt.getTime() - graceMs;
  let count = 0;
  for (const repository of new Set(repositories)) count += await lookAt(reconciler, repository, since, until);
  await finishLook(database, name, new Date(until));
  return count;
}

/** What of a ticket's changes has reached us, or was acted on. */
import type { Queryable } from "./queryable.ts";

/** Which of these changes (`changeId` of an event) a delivery has told of, whatever became of it. */
export async function listTold(db: Queryable, changeIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    // `is not null` says that the index will do.
    `select distinct event ->> 'changeId' as id from ticketsmith.deliveries
     where event ->> 'changeId' = any($1::text[]) and event ->> 'changeId' is not null`,
    [changeIds],
  );
  return new Set(rows.map((row) => row.id));
}

/** Whether a run of the ticket was started at that moment or later. */
export async function hasRunSince(db: Queryable, ticket: string, at: Date): Promise<boolean> {
  const { rows } = await db.query(`select 1 from ticketsmith.runs where subject = $1 and created_at >= $2 limit 1`, [
    ticket,
    at,
  ]);
  return rows.length > 0;
}

/** What the newest message about a merge request's state was: merge, close or reopen; null when there was none. */
export async function lastToldAction(db: Queryable, repository: string, iid: number): Promise<string | null> {
  const { rows } = await db.query<{ action: string }>(
    `select event ->> 'action' as action from ticketsmith.deliveries
     where event ->> 'type' = 'mr.changed' and event ->> 'repository' = $1 and event ->> 'iid' = $2::text
       and event ->> 'action' in ('merge', 'close', 'reopen')
     order by id desc limit 1`,
    [repository, String(iid)],
  );
  return rows[0]?.action ?? null;
}

/** Whether we were told that a pipeline reached a status. */
export async function isPipelineTold(db: Queryable, pipelineId: number, status: string): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from ticketsmith.deliveries
     where event ->> 'type' = 'pipeline.changed' and event ->> 'pipelineId' = $1::text and event ->> 'status' = $2 limit 1`,
    [String(pipelineId), status],
  );
  return rows.length > 0;
}

/** Which of these notes on merge requests a delivery has told of, whatever became of it. */
export async function listToldNotes(db: Queryable, noteIds: readonly number[]): Promise<Set<number>> {
  if (noteIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>(
    `select distinct event ->> 'noteId' as id from ticketsmith.deliveries
     where event ->> 'type' = 'mr.commented' and event ->> 'noteId' = any($1::text[])`,
    [noteIds.map(String)],
  );
  return new Set(rows.map((row) => Number(row.id)));
}

/** Which of these comments of tickets a delivery has told of, whatever became of it. */
export async function listToldComments(db: Queryable, commentIds: readonly string[]): Promise<Set<string>> {
  if (commentIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>(
    `select distinct event ->> 'commentId' as id from ticketsmith.deliveries
     where event ->> 'type' = 'ticket.commented' and event ->> 'commentId' = any($1::text[])`,
    [commentIds],
  );
  return new Set(rows.map((row) => row.id));
}

/** Whether what a comment of a ticket says was done. */
export async function isCommentHandled(db: Queryable, commentId: string): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from ticketsmith.deliveries
     where event ->> 'type' = 'ticket.commented' and event ->> 'commentId' = $1 and verdict = 'handled' limit 1`,
    [commentId],
  );
  return rows.length > 0;
}

/** A run at work whose ticket people steer it on. */
export interface WatchedRun {
  readonly id: string;
  readonly ticket: string;
  readonly project: string;
  /** The change of the ticket that asked for it (`changeId` of its event), or null. */
  readonly changeId: string | null;
  readonly createdAt: Date;
}

/** Every run about a ticket that has not ended and that nobody has stopped yet, oldest first. */
export async function listWatched(db: Queryable): Promise<WatchedRun[]> {
  const { rows } = await db.query<WatchedRun>(
    `select id, ticket, target ->> 'project' as project, substring(cause from '^jira:(.*)$') as "changeId", created_at as "createdAt"
     from ticketsmith.runs
     where state in ('queued', 'running', 'waiting') and not cancel_requested and subject = ticket and ticket not like '%!%'
     order by created_at`,
  );
  return rows;
}

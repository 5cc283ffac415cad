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
  const { rows } = await db.query(`select 1 from ticketsmith.runs where ticket = $1 and created_at >= $2 limit 1`, [
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

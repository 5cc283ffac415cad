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

/** SQL of leftovers: ledger rows that are still `sent` although nobody works on their run any more. */
import { Effect, type LedgerRow } from "../domain/effect.ts";
import { redact } from "../platform/redact.ts";
import { toText } from "./json.ts";
import type { Queryable } from "./queryable.ts";

export interface Leftover extends Pick<LedgerRow, "key" | "runId" | "step" | "name" | "effect" | "attempts"> {
  /** Milliseconds since the effect was planned. */
  readonly ageMs: number;
  /** A younger run with the same subject has begun: what this one left is no longer ours to bring about. */
  readonly overtaken: boolean;
}

/**
 * Takes rows that have been `sent` for this long while their run is neither queued nor running. Nobody gets the same rows again
 * before that time has passed once more.
 */
export async function takeLeftovers(db: Queryable, olderThanMs: number, limit: number): Promise<Leftover[]> {
  const { rows } = await db.query<Leftover>(
    `with old as (
       select effects.key, runs.subject, runs.created_at
       from ticketsmith.effects join ticketsmith.runs on runs.id = effects.run_id
       where effects.state = 'sent' and effects.sent_at < now() - $1::float8 * interval '1 millisecond'
         and runs.state not in ('queued', 'running')
       order by effects.sent_at limit $2
       for update of effects skip locked)
     update ticketsmith.effects set sent_at = now(), attempts = attempts + 1
     from old where effects.key = old.key
     returning effects.key, run_id as "runId", step, name, effect, attempts,
       (extract(epoch from now() - planned_at) * 1000)::float8 as "ageMs",
       exists (select 1 from ticketsmith.runs newer
               where newer.subject = old.subject and newer.created_at > old.created_at) as overtaken`,
    [olderThanMs, limit],
  );
  return rows.map((row) => ({ ...row, effect: Effect.parse(row.effect) }));
}

/**
 * Notes why a leftover could not be settled; `forGood` when nobody looks again. Nothing changes when somebody has been at the row since
 * it was taken: its run waited and goes on by now, or another process took it.
 */
export async function noteUnsettled(db: Queryable, row: Leftover, message: string, forGood: boolean): Promise<void> {
  await db.query(
    `update ticketsmith.effects set error = $3, state = case when $4 then 'failed' else state end
     where key = $1 and attempts = $2 and state = 'sent'`,
    [row.key, row.attempts, toText(redact(message)), forGood],
  );
}

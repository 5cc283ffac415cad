/** SQL of `ticketsmith.looks`: what is looked for now and then, by whichever process comes first. */
import type { Queryable } from "./queryable.ts";

export interface Look {
  /** Everything before this has been seen; null before the first look that was finished. */
  readonly seenUntil: Date | null;
  /** When this look began, by the clock of the database. */
  readonly takenAt: Date;
}

/** Takes a look unless somebody did within the last `everyMs`: then null. */
export async function takeLook(db: Queryable, name: string, everyMs: number): Promise<Look | null> {
  const { rows } = await db.query<Look>(
    `insert into ticketsmith.looks as look (name, taken_at) values ($1, now())
     on conflict (name) do update set taken_at = now()
       where look.taken_at <= now() - $2::float8 * interval '1 millisecond'
     returning seen_until as "seenUntil", taken_at as "takenAt"`,
    [name, everyMs],
  );
  return rows[0] ?? null;
}

/** Notes that everything before `until` has been seen. */
export async function finishLook(db: Queryable, name: string, until: Date): Promise<void> {
  await db.query(`update ticketsmith.looks set seen_until = greatest(seen_until, $2) where name = $1`, [name, until]);
}

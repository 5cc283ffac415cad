/** SQL of `ticketsmith.outside`: what our processes have found about the systems outside, for whoever looks at any of them. */
import { redact } from "../platform/redact.ts";
import { toText } from "./json.ts";
import type { Queryable } from "./queryable.ts";

export interface Finding {
  /** The system, e.g. `GitLab`, or the repository of a webhook. */
  readonly name: string;
  readonly state: string;
  /** For people; empty when there is nothing to say. */
  readonly reason: string;
  readonly since: Date | null;
}

export interface FindingRow extends Finding {
  readonly kind: "system" | "webhook";
  readonly foundAt: Date;
}

async function upsert(
  db: Queryable,
  kind: FindingRow["kind"],
  finder: string,
  found: readonly Finding[],
): Promise<void> {
  for (const { name, state, reason, since } of found) {
    await db.query(
      `insert into ticketsmith.outside as old (kind, name, finder, state, reason, since, found_at)
       values ($1, $2, $3, $4, $5, coalesce($6, now()), now())
       on conflict (kind, name, finder) do update
       set state = excluded.state, reason = excluded.reason, found_at = now(),
           since = case when $6::timestamptz is null and old.state = excluded.state then old.since else excluded.since end`,
      [kind, name, finder, state, toText(redact(reason)), since],
    );
  }
}

/** Notes which systems do not answer a process; all others do. Rows of processes that are gone go with it. */
export async function noteAway(db: Queryable, finder: string, found: readonly Finding[]): Promise<void> {
  await db.query(
    `delete from ticketsmith.outside
     where kind = 'system' and ((finder = $1 and not name = any($2::text[])) or found_at < now() - interval '1 hour')`,
    [finder, found.map(({ name }) => name)],
  );
  await upsert(db, "system", finder, found);
}

/** Notes how the webhooks of repositories are. `since` null: since the state was first noted. */
export async function noteWebhooks(db: Queryable, found: readonly Finding[]): Promise<void> {
  await upsert(db, "webhook", "", found);
}

/** What was found: of systems within the last `freshMs`, since a process that is gone corrects nothing; of webhooks, the last of each. */
export async function listFindings(db: Queryable, freshMs: number): Promise<FindingRow[]> {
  const { rows } = await db.query<FindingRow>(
    `select kind, name, state, reason, since, found_at as "foundAt" from ticketsmith.outside
     where kind = 'webhook' or found_at > now() - $1::float8 * interval '1 millisecond'
     order by kind, name, since`,
    [freshMs],
  );
  return rows;
}

/** The inbox: SQL of `ticketsmith.deliveries`. */
import { Event, type IncomingDelivery, type Sender, type Verdict } from "../domain/event.ts";
import { redact } from "../platform/redact.ts";
import { toJson, toText } from "./json.ts";
import type { Database, Queryable } from "./queryable.ts";

export interface DeliveryRow {
  readonly id: string;
  readonly key: string;
  readonly sender: Sender;
  readonly kind: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly runId: string | null;
  readonly receivedAt: Date;
}

const columns = `id, key, sender, kind, verdict, reason, run_id as "runId", received_at as "receivedAt"`;

/** `foregone` is why the event is ignored, where that needs no facts. */
export type NewDelivery = IncomingDelivery & { readonly foregone?: string | null };

/** The verdict that a delivery comes with. */
function firstVerdict({ parsed, foregone = null }: NewDelivery): { verdict: Verdict; reason: string } {
  if ("unsupported" in parsed) return { verdict: "unsupported", reason: toText(redact(parsed.unsupported)) };
  if ("ignored" in parsed) return { verdict: "ignored", reason: toText(redact(parsed.ignored)) };
  return foregone === null
    ? { verdict: "pending", reason: "" }
    : { verdict: "ignored", reason: toText(redact(foregone)) };
}

/**
 * Commits a batch in one statement. What is known to come to nothing has its verdict at once; the others are pending.
 * Bodies travel as bytes in one piece: as an array of texts each would be escaped here and parsed there, which costs more
 * than to store them.
 * @returns keys that were new; the rest are duplicates and change nothing
 */
export async function insertDeliveries(db: Database, batch: readonly NewDelivery[]): Promise<Set<string>> {
  const bodies = batch.map((delivery) => toText(delivery.body));
  const lengths = bodies.map((body) => Buffer.byteLength(body));
  let at = 1;
  const starts = lengths.map((length) => {
    const start = at;
    at += length;
    return start;
  });
  const decided = batch.map(firstVerdict);
  const inserted = await db.prepared<{ key: string }>(
    "insert-deliveries",
    `insert into ticketsmith.deliveries (key, sender, kind, body, event, verdict, reason, decided_at)
     select key, sender, kind, convert_from(substring($1::bytea from start for length), 'UTF8'), event::jsonb, verdict, reason,
            case when verdict = 'pending' then null else now() end
     from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
       as batch (start, length, key, sender, kind, event, verdict, reason)
     on conflict (key) do nothing
     returning key`,
    [
      Buffer.from(bodies.join("")),
      starts,
      lengths,
      batch.map(({ key }) => toText(key)),
      batch.map(({ sender }) => sender),
      batch.map(({ kind }) => toText(kind)),
      batch.map(({ parsed }) => ("event" in parsed ? toJson(parsed.event) : null)),
      decided.map(({ verdict }) => verdict),
      decided.map(({ reason }) => reason),
    ],
  );
  return new Set(inserted.rows.map((row) => row.key));
}

/** Deliveries without a verdict, oldest first, after a given id. */
export async function listPending(
  db: Queryable,
  afterId: string,
  limit: number,
): Promise<{ id: string; event: Event }[]> {
  const { rows } = await db.query<{ id: string; event: unknown }>(
    `select id, event from ticketsmith.deliveries where verdict = 'pending' and id > $1 order by id limit $2`,
    [afterId, limit],
  );
  return rows.map((row) => ({ id: row.id, event: Event.parse(row.event) }));
}

/** Locks a delivery for this transaction. False when it has its verdict by now. */
export async function lockPending(tx: Queryable, id: string): Promise<boolean> {
  const { rows } = await tx.query(
    `select 1 from ticketsmith.deliveries where id = $1 and verdict = 'pending' for update`,
    [id],
  );
  return rows.length > 0;
}

/** Gives a delivery its verdict. */
export async function decideDelivery(
  tx: Queryable,
  id: string,
  decision: { verdict: Exclude<Verdict, "pending">; reason: string; runId?: string | undefined },
): Promise<void> {
  await tx.query(
    `update ticketsmith.deliveries set verdict = $2, reason = $3, run_id = $4, decided_at = now() where id = $1`,
    [id, decision.verdict, toText(redact(decision.reason)), decision.runId ?? null],
  );
}

/** The newest deliveries, newest first; of one verdict where that is given. */
export async function listDeliveries(db: Queryable, limit: number, verdict?: Verdict): Promise<DeliveryRow[]> {
  const { rows } = await db.query<DeliveryRow>(
    `select ${columns} from ticketsmith.deliveries where $2::text is null or verdict = $2 order by id desc limit $1`,
    [limit, verdict ?? null],
  );
  return rows;
}

/** A delivery with what it brought. */
export interface StoredDelivery extends DeliveryRow {
  readonly body: string;
  /** What it means; null when it was ignored or not understood on arrival. */
  readonly event: Event | null;
}

/** A delivery by its id, or null. */
export async function findDelivery(db: Queryable, id: string): Promise<StoredDelivery | null> {
  if (!/^\d{1,18}$/.test(id)) return null;
  const { rows } = await db.query<DeliveryRow & { body: string; event: unknown }>(
    `select ${columns}, body, event from ticketsmith.deliveries where id = $1`,
    [id],
  );
  const row = rows[0];
  return row === undefined ? null : { ...row, event: row.event === null ? null : Event.parse(row.event) };
}

/** A delivery by its key, or null. */
export async function findDeliveryByKey(db: Queryable, key: string): Promise<DeliveryRow | null> {
  const { rows } = await db.query<DeliveryRow>(`select ${columns} from ticketsmith.deliveries where key = $1`, [
    toText(key),
  ]);
  return rows[0] ?? null;
}

/** How many deliveries have a key that begins so. */
export async function countDeliveries(db: Queryable, keyStart: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from ticketsmith.deliveries where starts_with(key, $1)`,
    [toText(keyStart)],
  );
  return rows[0]?.count ?? 0;
}

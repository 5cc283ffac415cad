/** The inbox: SQL of `ticketsmith.deliveries`. */
import { Event, type IncomingDelivery, type Sender, type Verdict } from "../domain/event.ts";
import { toJson, toText } from "./json.ts";
import type { Queryable } from "./queryable.ts";

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

/**
 * Commits a batch in one statement. Deliveries without an event have their verdict at once; the others are pending.
 * @returns keys that were new; the rest are duplicates and change nothing
 */
export async function insertDeliveries(db: Queryable, batch: readonly IncomingDelivery[]): Promise<Set<string>> {
  const rows = batch.map((delivery) => ({
    key: toText(delivery.key),
    sender: delivery.sender,
    kind: toText(delivery.kind),
    body: toText(delivery.body),
    event: "event" in delivery.parsed ? toJson(delivery.parsed.event) : null,
    verdict: "event" in delivery.parsed ? "pending" : "ignored" in delivery.parsed ? "ignored" : "unsupported",
    reason:
      "event" in delivery.parsed
        ? ""
        : toText("ignored" in delivery.parsed ? delivery.parsed.ignored : delivery.parsed.unsupported),
  }));
  const column = (name: keyof (typeof rows)[number]): (string | null)[] => rows.map((row) => row[name]);
  const inserted = await db.query<{ key: string }>(
    `insert into ticketsmith.deliveries (key, sender, kind, body, event, verdict, reason, decided_at)
     select key, sender, kind, body, event::jsonb, verdict, reason, case when verdict = 'pending' then null else now() end
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as batch (key, sender, kind, body, event, verdict, reason)
     on conflict (key) do nothing
     returning key`,
    [
      column("key"),
      column("sender"),
      column("kind"),
      column("body"),
      column("event"),
      column("verdict"),
      column("reason"),
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
    [id, decision.verdict, toText(decision.reason), decision.runId ?? null],
  );
}

/** The newest deliveries, newest first. */
export async function listDeliveries(db: Queryable, limit: number): Promise<DeliveryRow[]> {
  const { rows } = await db.query<DeliveryRow>(
    `select ${columns} from ticketsmith.deliveries order by id desc limit $1`,
    [limit],
  );
  return rows;
}

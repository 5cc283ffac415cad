/** Deciding a delivery again, say after the configuration was mended. The old one keeps its verdict: the new one has its own row. */
import { createHash } from "node:crypto";
import type { IncomingDelivery, Parsed, Sender } from "../domain/event.ts";
import { countDeliveries, type DeliveryRow, findDelivery, findDeliveryByKey } from "../store/deliveries.ts";
import type { Database } from "../store/queryable.ts";
import type { Inbox } from "./accept.ts";

/** Where deliveries are taken in and decided. */
export interface Desk {
  readonly database: Database;
  readonly inbox: Inbox;
  /** Decides all that is pending. */
  decidePending(): Promise<void>;
}

/** What a body means; from `webhooks/`. */
export type ReadBody = (sender: Sender, body: string) => { readonly kind: string; readonly parsed: Parsed };

/** A replay of a replay is one of the first delivery. */
const replayed = /#replay-\d+$/;

async function take(desk: Desk, delivery: IncomingDelivery): Promise<DeliveryRow> {
  const start = `${delivery.key.replace(replayed, "")}#replay-`;
  for (let count = (await countDeliveries(desk.database, start)) + 1; ; count += 1) {
    const key = `${start}${count}`;
    const { duplicate } = await desk.inbox.accept({ ...delivery, key });
    // Somebody else replays the same one just now.
    if (duplicate) continue;
    await desk.decidePending();
    const row = await findDeliveryByKey(desk.database, key);
    if (row === null) throw new Error(`delivery ${key} was committed and is gone`);
    return row;
  }
}

/**
 * Decides a stored delivery again. What it meant on arrival, it means still; one that was ignored or not understood then is read
 * anew. A change that has started a run starts no other.
 * @returns the new delivery (`pending` when the facts cannot be read just now), null when there is none with that id
 */
export async function replayDelivery(desk: Desk, id: string, readBody: ReadBody): Promise<DeliveryRow | null> {
  const stored = await findDelivery(desk.database, id);
  if (stored === null) return null;
  const { key, sender, kind, body, event } = stored;
  const parsed = event === null ? readBody(sender, body).parsed : { event };
  return take(desk, { key, sender, kind, body, parsed });
}

/** Decides a body that never came as a webhook, in the name of whoever keeps this machine. */
export async function replayBody(desk: Desk, sender: Sender, body: string, readBody: ReadBody): Promise<DeliveryRow> {
  const key = `${sender}:file:${createHash("sha256").update(body).digest("hex")}`;
  return take(desk, { key, sender, body, ...readBody(sender, body) });
}

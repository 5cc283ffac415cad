/**
 * The inbox. A delivery is accepted once it is committed: only then its sender hears 202. Deliveries that arrive together
 * are committed together, in one statement.
 */
import type { IncomingDelivery } from "../domain/event.ts";
import { insertDeliveries } from "../store/deliveries.ts";
import type { Database } from "../store/queryable.ts";

/** Most deliveries in one commit. */
const maxBatch = 200;

interface Waiting {
  readonly delivery: IncomingDelivery;
  resolve(answer: { duplicate: boolean }): void;
  reject(error: unknown): void;
}

export interface Inbox {
  /** Commits a delivery. @returns whether its key was known already @throws when the database does not take it */
  accept(delivery: IncomingDelivery): Promise<{ duplicate: boolean }>;
}

/**
 * @param options.onCommitted called after every commit that brought something new
 */
export function createInbox(options: { database: Database; onCommitted: () => void }): Inbox {
  let waiting: Waiting[] = [];
  let flushing = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      try {
        const inserted = await insertDeliveries(
          options.database,
          // Twice the same key in one statement would be refused by it as a whole.
          [...new Map(batch.map(({ delivery }) => [delivery.key, delivery])).values()],
        );
        for (const { delivery, resolve } of batch) {
          resolve({ duplicate: !inserted.delete(delivery.key) });
        }
        options.onCommitted();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return {
    accept(delivery) {
      return new Promise((resolve, reject) => {
        waiting.push({ delivery, resolve, reject });
        if (flushing) return;
        flushing = true;
        // A turn of the event loop later, so that requests which arrived together share the commit.
        setImmediate(() => {
          void flush().finally(() => {
            flushing = false;
          });
        });
      });
    },
  };
}

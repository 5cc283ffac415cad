/**
 * The inbox. A delivery is accepted once it is committed: only then its sender hears 202. Deliveries that arrive together
 * are committed together, in one statement.
 */
import type { Event, IncomingDelivery } from "../domain/event.ts";
import { insertDeliveries, type NewDelivery } from "../store/deliveries.ts";
import type { Database } from "../store/queryable.ts";

/** Most deliveries in one commit. */
const maxBatch = 200;

/** A commit takes no more deliveries once their bodies have this many characters: Postgres refuses statements beyond 1 GB. */
const maxBatchLength = 8 * 1024 * 1024;

interface Waiting {
  readonly delivery: NewDelivery;
  resolve(answer: { duplicate: boolean }): void;
  reject(error: unknown): void;
}

export interface Inbox {
  /** Commits a delivery. @returns whether its key was known already @throws when the database does not take it */
  accept(delivery: IncomingDelivery): Promise<{ duplicate: boolean }>;
}

/** How many of the waiting fit into one commit: at least one, however long it is. */
function batchSize(waiting: readonly Waiting[]): number {
  let length = 0;
  const end = waiting.findIndex(({ delivery }, index) => {
    length += delivery.body.length;
    return index === maxBatch || (index > 0 && length > maxBatchLength);
  });
  return end < 0 ? waiting.length : end;
}

/**
 * @param options.foregone why an event is ignored whatever the facts are: its delivery is committed together with that verdict
 * @param options.onCommitted called after every commit that brought something to decide
 */
export function createInbox(options: {
  database: Database;
  foregone?: (event: Event) => string | null;
  onCommitted: () => void;
}): Inbox {
  const waiting: Waiting[] = [];
  let flushing = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize(waiting));
      try {
        const inserted = await insertDeliveries(
          options.database,
          // Twice the same key in one statement would be refused by it as a whole.
          [...new Map(batch.map(({ delivery }) => [delivery.key, delivery])).values()],
        );
        let undecided = false;
        for (const { delivery, resolve } of batch) {
          const isNew = inserted.delete(delivery.key);
          undecided ||= isNew && "event" in delivery.parsed && delivery.foregone === null;
          resolve({ duplicate: !isNew });
        }
        if (undecided) options.onCommitted();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    // In the same turn in which nothing was found waiting: who comes a moment later must start anew.
    flushing = false;
  }

  function foregoneReason({ parsed }: IncomingDelivery): string | null {
    try {
      return "event" in parsed ? (options.foregone?.(parsed.event) ?? null) : null;
    } catch {
      // Ours to mend, but no reason to turn a delivery away: whoever decides on it will meet the same bug, and tell of it.
      return null;
    }
  }

  return {
    accept(delivery) {
      const foregone = foregoneReason(delivery);
      return new Promise((resolve, reject) => {
        waiting.push({ delivery: { ...delivery, foregone }, resolve, reject });
        if (flushing) return;
        flushing = true;
        // A turn of the event loop later, so that requests which arrived together share the commit.
        setImmediate(() => void flush());
      });
    },
  };
}

/** The connections of the queue to Redis: they come back by themselves, and an outage is one line in the log. */
import { EventEmitter, once } from "node:events";
import { Redis } from "ioredis";
import type { Log } from "../platform/log.ts";

export interface RedisLink {
  /**
   * Opens a connection.
   * @param maxRetries how often a command is repeated after the connection was lost; null: until it is back
   */
  connect(maxRetries: number | null): Redis;
  /** Whether Redis is away just now. */
  isDown(): boolean;
  /** Resolves when Redis is away, now or later. */
  lost(): Promise<unknown>;
  /** Lets go of all connections, those included that were made after the model of ours. */
  close(): void;
}

/** Opens nothing yet. */
export function createRedisLink(url: string, log: Log): RedisLink {
  const connections: Redis[] = [];
  const outages = new EventEmitter();
  let isDown = false;
  let isClosing = false;
  const retryStrategy = (times: number): number | null => (isClosing ? null : Math.min(times * 50, 2000));
  return {
    connect(maxRetriesPerRequest) {
      const connection = new Redis(url, { maxRetriesPerRequest, retryStrategy });
      connection.on("error", (error) => log.debug("a connection to Redis failed", { error }));
      connection.on("close", () => {
        // Once for an outage, not for every try to end it.
        if (!isDown && !isClosing) log.warn("the connection to Redis is lost; runs go on when it is back");
        isDown = true;
        outages.emit("down");
      });
      connection.on("ready", () => {
        if (isDown) log.info("the connection to Redis is back");
        isDown = false;
      });
      connections.push(connection);
      return connection;
    },
    isDown: () => isDown,
    lost: () => (isDown ? Promise.resolve() : once(outages, "down")),
    close() {
      isClosing = true;
      for (const connection of connections) connection.disconnect();
    },
  };
}

/** The faces of a database: what a query, a connection, a pool and the whole look like, whoever stands behind them. */

/** Rows as node-postgres returns them: bigint as string, timestamps as Date, json parsed. */
export interface Rows<R> {
  readonly rows: R[];
  readonly rowCount: number | null;
}

export interface Queryable {
  query<R = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Rows<R>>;
}

/** What BullMQ and we need of a `pg.Pool`. */
export interface Pool extends Queryable {
  connect(): Promise<PoolClient>;
  on(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

export interface PoolClient extends Queryable {
  release(destroy?: boolean | Error): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  removeAllListeners(event?: string): unknown;
}

export interface Database extends Queryable {
  /** As `query`, for a statement that is asked all the time: a server keeps it under `name`, parsed and planned. */
  prepared<R = Record<string, unknown>>(name: string, sql: string, params: readonly unknown[]): Promise<Rows<R>>;
  /** Runs `work` between BEGIN and COMMIT on one connection; rolls back when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** The pool that the queue may use: its connections look in schema `bullmq` first. */
  readonly queuePool: Pool;
  /** Which of the two it is, for people. */
  readonly kind: "postgres" | "pglite";
  close(): Promise<void>;
}

/**
 * A worker's hold on a run: renewed while it works, and looked at before every request that leaves. A worker that was paused
 * (a stopped process, a sleeping machine, a blocked event loop) finds out here that others may have gone on without it.
 */
import type { Run } from "../domain/run.ts";
import type { Log } from "../platform/log.ts";
import type { Database } from "../store/queryable.ts";
import { LeaseLost, renewLease } from "../store/runs.ts";

export interface Lease {
  /** Aborted when the lease is lost (LeaseLost) or somebody wants the run cancelled (what `cancelled` makes of the reason). */
  readonly signal: AbortSignal;
  /**
   * Resolves when at least half of the lease is left, which is renewed for that if need be.
   * @throws LeaseLost when the run has gone to another worker
   */
  confirm(): Promise<void>;
  /** Ends the renewing. The lease itself is given back by `handOver`. */
  end(): void;
}

/**
 * A moment on two clocks: the steady one knows nothing of a machine that sleeps, the other one may be set. What has passed is
 * never more than the larger of the two says.
 */
interface Moment {
  readonly steady: number;
  readonly wall: number;
}

/** The moment at hand. */
export function momentNow(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

function passedSince(moment: Moment): number {
  return Math.max(performance.now() - moment.steady, Date.now() - moment.wall);
}

/**
 * Keeps the lease that was taken by `claimRun`.
 * @param options.since the moment before the lease was asked for: it holds at least until `leaseMs` after that
 */
export function keepLease(options: {
  database: Database;
  run: Run;
  leaseMs: number;
  since: Moment;
  cancelled: (reason: string) => Error;
  log: Log;
}): Lease {
  const { database, run, leaseMs, log } = options;
  const controller = new AbortController();
  let held = options.since;

  async function renew(): Promise<void> {
    const asked = momentNow();
    const { cancelRequested, reason } = await renewLease(database, run, leaseMs);
    held = asked;
    if (cancelRequested) controller.abort(options.cancelled(reason ?? "a person asked to stop"));
  }

  const heartbeat = setInterval(() => {
    renew().catch((error: unknown) => {
      if (error instanceof LeaseLost) controller.abort(error);
      else log.warn("lease could not be renewed", { run: run.id, error });
    });
  }, leaseMs / 4);

  return {
    signal: controller.signal,
    async confirm() {
      // Asked again after the answer, since the pause may fall between the answer and us.
      while (passedSince(held) >= leaseMs / 2) await renew();
    },
    end: () => clearInterval(heartbeat),
  };
}

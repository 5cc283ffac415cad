/** The reconciler: rings again for runs whose job was lost. It does nothing that a normal job could not do. */
import type { Log } from "../platform/log.ts";
import { releaseReservations } from "../store/pots.ts";
import type { Database } from "../store/queryable.ts";
import { listDue, wakeRuns } from "../store/runs.ts";
import type { Bell } from "./queue.ts";

/** A due run that nobody has touched for this long has lost its job. */
const quietMs = 10_000;

/**
 * Rings for every run that is due and that nobody works on, wakes those whose gate has had its time, and gives back what dead workers
 * held of the budget.
 * @returns for how many it rang
 */
export async function sweepRuns(options: {
  database: Database;
  bell: Bell;
  log: Log;
  quietMs?: number;
}): Promise<number> {
  const { database } = options;
  await releaseReservations(database);
  const woken = await wakeRuns(database);
  for (const runId of woken) await options.bell.ring(runId);
  const due = await listDue(database, options.quietMs ?? quietMs);
  for (const runId of due) {
    options.log.info("run rung again by the sweeper", { run: runId });
    await options.bell.ring(runId);
  }
  return woken.length + due.length;
}

/**
 * Runs that were at work when a worker died, more than once in the same step, are under suspicion: one of them may be what kills it.
 * A worker takes such runs one at a time, so that the guilty one falls alone and the others clear themselves by finishing a step.
 */
import type { Run } from "../domain/run.ts";
import type { Queryable } from "../store/queryable.ts";
import { claimRun } from "../store/runs.ts";

/** Deaths in the same step from which on a run is under suspicion. One may be a restart of the machine. */
const suspectAfter = 2;

export interface Quarantine {
  /** Takes the lease of a run that is due. Null when it is not, somebody has it, or a suspect has to wait for another one. */
  claim(db: Queryable, runId: string, leaseMs: number): Promise<Run | null>;
  /** To be called when the worker lets go of a run that it has claimed. */
  leave(run: Run): void;
}

/** Makes the quarantine of one worker. */
export function createQuarantine(): Quarantine {
  /** Id of the suspect at work; empty while one is being looked for. */
  let inside: string | null = null;
  return {
    async claim(db, runId, leaseMs) {
      const innocent = await claimRun(db, runId, leaseMs, suspectAfter - 1);
      if (innocent !== null || inside !== null) return innocent;
      inside = "";
      try {
        const suspect = await claimRun(db, runId, leaseMs);
        inside = suspect?.id ?? null;
        return suspect;
      } catch (error) {
        inside = null;
        throw error;
      }
    },
    leave(run) {
      if (inside === run.id) inside = null;
    },
  };
}

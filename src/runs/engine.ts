/** What a run is advanced with. */
import type { Door } from "../effects/door.ts";
import type { Log } from "../platform/log.ts";
import type { Services } from "../steps/step.ts";
import type { Database } from "../store/queryable.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Bell } from "./queue.ts";
import type { Workflows } from "./workflow.ts";

export interface Engine {
  readonly database: Database;
  readonly bell: Bell;
  readonly workflows: Workflows;
  readonly services: Services;
  readonly door: Door;
  readonly log: Log;
  /** Aborted when the process is to stop: runs are handed back at once. */
  readonly stopping: AbortSignal;
  /** How long a lease lasts without being renewed. */
  readonly leaseMs: number;
  /** First pause after a passing fault, milliseconds; the longest is 150 times that. Default 2 s. */
  readonly retryBaseMs?: number;
  /** Where runs go that may be what brings workers down. */
  readonly quarantine: Quarantine;
}

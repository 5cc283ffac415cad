/** What a bot is started with. */
import type { SandboxStatus } from "./domain/ports.ts";
import type { OutsideOptions } from "./outside.ts";

/** `api` takes deliveries and shows the dashboard, `worker` advances runs. */
export type Role = "api" | "worker" | "all";

export interface BotOptions extends OutsideOptions {
  readonly role: Role;
  /** Told once how code of repositories is executed, or that it is not. */
  readonly onSandbox?: (status: SandboxStatus) => void;
  /** How long a worker may be silent before another takes its run over. */
  readonly leaseMs?: number;
  /** Pause between two sweeps. */
  readonly sweepMs?: number;
  /** How long a due run is left alone before the sweeper concludes that its job was lost. */
  readonly quietMs?: number;
  /** Runs that one worker advances at the same time. */
  readonly concurrency?: number;
  /** How often is asked for what no webhook told of, instead of the policy's pause, and how long a webhook is given to arrive. */
  readonly reconcile?: { readonly everyMs: number; readonly graceMs: number };
}

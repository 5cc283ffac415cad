/** The eye on the other side: now and then asks for what no webhook told of, and whether webhooks are sent at all. */
import type { CodeSearch, HookKeeper, ReviewReader } from "../domain/ports.ts";
import { takeLook } from "../store/looks.ts";
import { noteWebhooks } from "../store/outside.ts";
import { createHookWatch } from "./hook-watch.ts";
import { type Reconciler, reconcileTickets } from "./reconcile.ts";
import { reconcileCode } from "./reconcile-code.ts";
import { type RunReconciler, reconcileRuns } from "./reconcile-runs.ts";

export interface WatchOptions extends Reconciler {
  readonly tickets: Reconciler["tickets"] & RunReconciler["tickets"];
  readonly code: CodeSearch & HookKeeper & Pick<ReviewReader, "listThreads">;
  /** Which GitLab it is, and who we are there. */
  readonly gitlab: { readonly site: string; readonly authorId: string };
  /** Address under which GitLab reaches us; without it nobody can tell which webhook is ours. */
  readonly publicUrl: string | undefined;
  /** Look, but switch no webhook on. */
  readonly dryRun: boolean;
}

/**
 * Makes the watch. Call it as often as you like: each of its looks is taken once in `everyMs`, by whichever process comes first.
 * A look that fails is logged and taken again next time.
 */
export function createWatch(options: WatchOptions): () => Promise<void> {
  const { database, log, everyMs, policy, code, gitlab, publicUrl, dryRun } = options;
  const repositories = Object.values(policy.projects).map(({ repository }) => repository);
  const hookWatch =
    publicUrl === undefined ? null : createHookWatch({ hooks: code, repositories, publicUrl, dryRun, log });

  async function look(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.warn("a look at the other side failed, the next one will see as much", { what, error });
    }
  }

  return async () => {
    await look("labels", () => reconcileTickets(options));
    await look("runs at work", () => reconcileRuns(options));
    await look("merge requests", () => reconcileCode({ ...options, ...gitlab, repositories }));
    await look("webhooks", async () => {
      if (hookWatch !== null && (await takeLook(database, `hooks:${publicUrl}`, everyMs)) !== null) {
        await hookWatch.look();
        const found = [...hookWatch.health()].map(([name, state]) => ({ name, state, reason: "", since: null }));
        await noteWebhooks(database, found);
      }
    });
  };
}

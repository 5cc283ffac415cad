/** What people are to see beside the effects of a step: it is written to the ledger under a name of its own, once, and performed. */
import type { EffectDraft } from "../domain/effect.ts";
import type { Run } from "../domain/run.ts";
import { performEffects } from "../effects/perform.ts";
import { listEffects, planEffects } from "../store/ledger.ts";
import { holdLease } from "../store/runs.ts";
import type { Engine } from "./engine.ts";

/**
 * Performs what people are to see now. Planned by an earlier worker, it still holds and `draft` is not asked.
 * @param under the name in the ledger that the effects are planned under
 * @throws as `performEffects`
 */
export async function announce(
  engine: Engine,
  run: Run,
  under: string,
  draft: () => Promise<readonly EffectDraft[]>,
  signal: AbortSignal,
): Promise<void> {
  const { database, door } = engine;
  const planned = await listEffects(database, run.id);
  if (!planned.some((row) => row.step === under)) {
    const drafts = await draft();
    await database.transaction(async (tx) => {
      await holdLease(tx, run);
      await planEffects(tx, run, under, drafts);
    });
  }
  await performEffects(door, run, under, signal);
}

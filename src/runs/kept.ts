/** What runs have kept, for later steps and later runs to read. */
import type { LedgerRow } from "../domain/effect.ts";
import type { Run } from "../domain/run.ts";
import type { EarlierRun, Kept, StepContext } from "../steps/step.ts";
import { listEarlierRuns } from "../store/conversations.ts";
import { isCommitOf, listEffects } from "../store/ledger.ts";
import type { Queryable } from "../store/queryable.ts";
import { listSteps, type StepRow } from "../store/steps.ts";

/** Reads outputs and references from the rows of one run. */
export function keptIn(steps: readonly StepRow[], effects: readonly LedgerRow[]): Kept {
  return {
    has: (step) => steps.some((row) => row.step === step.name && row.state !== "started"),
    output(step) {
      const row = steps.find((candidate) => candidate.step === step.name);
      if (row === undefined || row.state === "started") throw new Error(`step ${step.name} has not run yet`);
      return step.output.parse(row.output);
    },
    ref(step, name) {
      const row = effects.find((candidate) => candidate.step === step && candidate.name === name);
      return row?.state === "settled" && row.outcome !== "dry_run" ? row.ref : null;
    },
  };
}

/** How a run sees what was done before it on the same merge request. Every question reads the database. */
export function createHindsight(db: Queryable, run: Run): Pick<StepContext, "earlier" | "isOurs"> {
  return {
    async earlier(workflow) {
      const earlier: EarlierRun[] = [];
      for (const one of await listEarlierRuns(db, run, workflow)) {
        earlier.push({ run: one, ...keptIn(await listSteps(db, one.id), await listEffects(db, one.id)) });
      }
      return earlier;
    },
    isOurs: (commit) => isCommitOf(db, { repository: run.target.repository, ...commit }),
  };
}

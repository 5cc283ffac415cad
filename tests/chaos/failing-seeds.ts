/** Seeds with which something did not hold: kept in a file beside this one (not in git), and tried first in every later run. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Case } from "./battery/case.ts";

export const failingSeedsFile = path.join(import.meta.dirname, "failing-seeds.json");

const Kept = z.record(z.string(), z.array(z.number().int().positive()));

export interface FailingSeeds {
  /** The seeds to try with a part: those that failed before, then the wanted ones. */
  first(part: string, wanted: readonly number[]): number[];
  /**
   * Notes the seeds of a part that failed, at once: the next part may be cut off.
   * A case without a seed of its own (0) speaks against all that were `tried`.
   * @returns them
   */
  keep(part: string, cases: readonly Case[], tried: readonly number[]): number[];
}

/** Opens the file; there need not be one. @throws when it does not hold what this program writes */
export function openFailingSeeds(file = failingSeedsFile): FailingSeeds {
  const kept = existsSync(file) ? Kept.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
  return {
    first: (part, wanted) => [...new Set([...(kept[part] ?? []), ...wanted])],
    keep(part, cases, tried) {
      const failed = cases.filter(({ wrong }) => wrong.length > 0).flatMap(({ seed }) => (seed > 0 ? [seed] : tried));
      if (failed.length === 0) return [];
      kept[part] = [...new Set([...(kept[part] ?? []), ...failed])];
      writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
      return [...new Set(failed)];
    },
  };
}

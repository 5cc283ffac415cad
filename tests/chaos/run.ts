/**
 * The chaos battery: `npm run chaos [-- <pattern> --seeds <n>]`. Breaks the bot in every way we know and prints a table of what
 * held. A seed that fails is kept in `failing-seeds.json` and tried first in every later run; `--seed <n>` tries that one only.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../support/postgres.ts";
import { type Conditions, type Part, spread } from "./battery/case.ts";
import { clocks } from "./battery/clocks.ts";
import { disk } from "./battery/disk.ts";
import { embedded } from "./battery/embedded.ts";
import { killEverywhere } from "./battery/kills.ts";
import { outages } from "./battery/outages.ts";
import { poison } from "./battery/poison.ts";
import { signals } from "./battery/signals.ts";
import { storms } from "./battery/storm.ts";
import { zombies } from "./battery/zombies.ts";
import { failingSeedsFile, openFailingSeeds } from "./failing-seeds.ts";

const parts: Readonly<Record<string, (conditions: Conditions) => Promise<Part>>> = {
  kills: killEverywhere,
  embedded,
  zombies,
  outages,
  poison,
  signals,
  storms,
  clocks,
  disk,
};

const failingSeeds = openFailingSeeds();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: "string", default: "1" }, seed: { type: "string" }, quiet: { type: "boolean" } },
});
const wanted =
  values.seed === undefined ? Array.from({ length: Number(values.seeds) }, (_, at) => at + 1) : [Number(values.seed)];
const pattern = new RegExp(positionals[0] ?? "");

const results: { key: string; part: Part; seconds: number; failed: readonly number[] }[] = [];
const postgres = await startPostgres();
try {
  for (const [key, run] of Object.entries(parts).filter(([name]) => pattern.test(name))) {
    const started = performance.now();
    const seeds = values.seed === undefined ? failingSeeds.first(key, wanted) : wanted;
    process.stdout.write(`\n${key}, seeds ${seeds.join(", ")}\n`);
    const say = (line: string): void => void (values.quiet ? 0 : process.stdout.write(`  ${line}\n`));
    const part = await run({ postgresUrl: postgres.url, seeds, say }).catch((error: unknown): Part => {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { name: key, cases: [{ name: "came to an early end", seed: 0, wrong: [why] }] };
    });
    const failed = failingSeeds.keep(key, part.cases, seeds);
    results.push({ key, part, seconds: (performance.now() - started) / 1000, failed });
  }
} finally {
  await postgres.close();
}

process.stdout.write("\n");
console.table(
  results.map(({ part, seconds }) => {
    const { median, max } = spread(
      part.cases.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs])),
    );
    const broken = part.cases.filter(({ wrong }) => wrong.length > 0).length;
    return {
      part: part.name,
      held: part.skipped === undefined ? `${part.cases.length - broken} of ${part.cases.length}` : "skipped",
      "back after (median, max)": max === 0 ? "" : `${(median / 1000).toFixed(1)} s, ${(max / 1000).toFixed(1)} s`,
      more:
        part.skipped ??
        Object.entries(part.figures ?? {})
          .map(([name, value]) => `${name} ${value}`)
          .join(", "),
      took: `${Math.round(seconds)} s`,
    };
  }),
);

for (const { key, part } of results) {
  for (const { name, seed, wrong } of part.cases.filter((one) => one.wrong.length > 0)) {
    const which = seed > 0 ? `, seed ${seed}` : "";
    process.stdout.write(`FAILED ${key}${which}: ${name}\n${wrong.map((line) => `    ${line}\n`).join("")}`);
  }
}
for (const { key, failed } of results.filter((one) => one.failed.length > 0)) {
  process.stdout.write(`\nTry again: npm run chaos -- ${key} --seed ${failed[0]}`);
  process.stdout.write(
    `\nThe seeds ${failed.join(", ")} of ${key} are kept in ${path.relative(process.cwd(), failingSeedsFile)}.\n`,
  );
  process.exitCode = 1;
}

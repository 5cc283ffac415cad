/**
 * `npm run bench [-- name…] [--json FILE] [--verbose]`: runs the benchmarks one after the other and prints one table.
 * A missed aim is told, not punished (a busy machine may be the reason); a benchmark that breaks ends with exit code 1.
 */
import { writeFile } from "node:fs/promises";
import os from "node:os";
import { parseArgs } from "node:util";
import { crowdOfRuns } from "./coding/crowd.ts";
import { turnsOfTheDeveloper } from "./coding/turns.ts";
import { warmWorkspace } from "./coding/workspace.ts";
import { intakeOnPglite, intakeOnPostgres } from "./intake/intake.ts";
import { type Outcome, tableOf } from "./outcome.ts";
import { overhead } from "./overhead/overhead.ts";
import { start } from "./start/start.ts";

const benches: Readonly<Record<string, readonly (() => Promise<Outcome | readonly Outcome[]>)[]>> = {
  intake: [intakeOnPostgres, intakeOnPglite],
  "intake-postgres": [intakeOnPostgres],
  overhead: [overhead],
  start: [start],
  turns: [turnsOfTheDeveloper],
  workspace: [warmWorkspace],
  crowd: [crowdOfRuns],
};

/** What runs when nothing is named. */
const all = ["intake", "overhead", "start", "turns", "workspace", "crowd"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, verbose: { type: "boolean" } },
});

const chosen = positionals.length > 0 ? positionals : all;
const unknown = chosen.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}. There are: ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}

const outcomes: Outcome[] = [];
for (const name of chosen) {
  for (const bench of benches[name] ?? []) {
    try {
      outcomes.push(...[await bench()].flat());
    } catch (error) {
      console.error(`${name} broke:`, error);
      process.exitCode = 1;
    }
  }
}
console.log(`${os.availableParallelism()} cores, Node ${process.version}\n\n${tableOf(outcomes)}`);
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ cores: os.availableParallelism(), outcomes }, null, 2)}\n`);
}

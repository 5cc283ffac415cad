/**
 * `npm run eval [-- --suite DIR] [--model NAME] [--concurrency N] [--only PATTERN] [--json FILE] [--verbose]`: runs a suite of tasks through
 * the whole workflow and prints what came of it; `--suite review` has planted defects reviewed instead. Ends with 0 when the evaluation went through, however well the model did.
 */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { loadEnvFile } from "node:process";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { messageOf, UserError } from "../src/domain/errors.ts";
import { createLog } from "../src/platform/log.ts";
import { evaluateReviews } from "./review-suite.ts";
import { reviewTable } from "./review-table.ts";
import { evaluateSuite } from "./suite.ts";
import { tableOf } from "./table.ts";

const builtIn = path.join(import.meta.dirname, "tasks");
/** `--suite review`: the cases of the reviewer instead of tasks. */
const reviewCases = path.join(import.meta.dirname, "review");

/** Sections of the operator's policy; none when there is no policy file. */
function operatorPolicy(): Record<string, unknown> {
  const file = path.resolve(process.env.TICKETSMITH_CONFIG ?? "config/ticketsmith.yaml");
  return existsSync(file) ? (parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      suite: { type: "string", default: builtIn },
      model: { type: "string" },
      concurrency: { type: "string", default: "4" },
      only: { type: "string" },
      json: { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  if (existsSync(".env")) loadEnvFile(".env");
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new UserError("--concurrency must be a number from 1");
  const common = {
    model: values.model ?? process.env.OPENAI_MODEL ?? "scripted:gold",
    concurrency,
    only: values.only,
    variables: process.env,
    policy: operatorPolicy(),
    directory: mkdtempSync(path.join(os.tmpdir(), "ticketsmith-eval-")),
    log: createLog({ level: values.verbose ? "info" : "error", pretty: true }),
    say: (text: string) => void process.stdout.write(`${text}\n`),
  };
  const suite = path.resolve(values.suite);
  const isReview = values.suite === "review" || suite === reviewCases;
  const report = isReview
    ? await evaluateReviews({ ...common, suite: reviewCases })
    : await evaluateSuite({ ...common, suite, isOurs: suite === builtIn });
  process.stdout.write(`\n${"tasks" in report ? tableOf(report.tasks) : reviewTable(report.cases)}\n`);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
    process.stdout.write(`\nWritten to ${values.json}\n`);
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});

/** Whether a verified change is green, and what a person must do where it is not. Decided from facts alone. */
import type { z } from "zod";
import { findingText } from "./change/diff-policy.ts";
import type { verified } from "./outputs.ts";

type Verified = z.infer<typeof verified.output>;

const mostNamed = 5;

function some(texts: readonly string[]): string {
  const more = texts.length > mostNamed ? ` and ${texts.length - mostNamed} more` : "";
  return `${texts.slice(0, mostNamed).join("; ")}${more}`;
}

function aboutTests({ tests, checks }: Verified): string | null {
  if (tests.status === "not_run") return `Somebody who runs the tests: ${tests.detail}`;
  if (tests.flaky) return `Somebody who looks at the flaky tests (${tests.command})`;
  if (checks.originals?.status === "failed" && tests.status === "failed") {
    const names = checks.originals.failures.length > 0 ? `: ${some(checks.originals.failures)}` : "";
    return `Somebody who decides about the original tests, which fail on the changed code (${tests.command})${names}`;
  }
  if (tests.status === "failed") {
    const before = checks.redBefore ? ", which are red without the change, too" : "";
    return `Somebody who looks at the red tests (${tests.command})${before}`;
  }
  return null;
}

/** What is needed before the change can be called good; null when nothing is, so that it is green. The gravest thing first. */
export function needsOf(output: Verified): string | null {
  const { checks, proof } = output;
  const tests = aboutTests(output);
  if (tests !== null) return tests;
  if (checks.weakened.length > 0) {
    return `Somebody who looks at the tests, which were weakened: ${some(checks.weakened.map(({ path, problem }) => `${path}: ${problem}`))}`;
  }
  const failing = checks.qaTests.filter(({ status }) => status === "failed");
  if (failing.length > 0)
    return `Somebody who looks at what QA's tests found: ${some(failing.map(({ path }) => path))} fails`;
  const unmet = proof.filter((row) => row.verdict === "not_met").length;
  if (unmet > 0) return `Somebody who looks at the ${unmet} criteria that are not met`;
  if (checks.showsChange === "no") {
    return "Somebody who checks the change by hand: nothing that was run fails without it, so nothing shows that it does what it should";
  }
  if (checks.findings.length > 0)
    return `Somebody who looks at what the policy asks about: ${some(checks.findings.map(findingText))}`;
  return null;
}

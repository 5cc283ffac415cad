/** Whether a change may go on a branch that people work on. Decided from facts alone; pure. */
import type { z } from "zod";
import { findingText } from "../change/diff-policy.ts";
import type { verified } from "../outputs.ts";
import type { Hindrance } from "./outputs.ts";

type Verified = Pick<z.infer<typeof verified.output>, "tests" | "checks" | "proof">;

/** Red tests are no reason where they were red before, and those that fail now are among those that failed then. */
function turnedRed({ tests, checks }: Verified): boolean {
  if (tests.status !== "failed") return false;
  return !checks.redBefore || checks.newlyRed === null || checks.newlyRed.length > 0;
}

/**
 * Why the change does not get to the branch; null when nothing speaks against it. The gravest reason first.
 * @param isEmpty there is nothing to commit
 */
export function hindranceTo(isEmpty: boolean, output: Verified): Hindrance | null {
  const { tests, checks, proof } = output;
  if (isEmpty) return { kind: "nothing", details: [] };
  const refused = checks.findings.filter(({ action }) => action === "refuse");
  if (refused.length > 0) return { kind: "refused", details: refused.map(findingText) };
  if (tests.flaky) return { kind: "flaky", details: tests.failures };
  if (turnedRed(output)) return { kind: "red", details: checks.newlyRed ?? tests.failures };
  if (checks.weakened.length > 0) {
    return { kind: "weakened", details: checks.weakened.map(({ path, problem }) => `${path}: ${problem}`) };
  }
  const failing = checks.qaTests.filter(({ status }) => status === "failed").map(({ path }) => path);
  const unmet = proof.filter(({ verdict }) => verdict === "not_met");
  // One of several threads that is not done is told in that thread.
  if (failing.length > 0 || (unmet.length > 0 && unmet.length === proof.length)) {
    return { kind: "unmet", details: [...unmet.map(({ evidence }) => evidence), ...failing] };
  }
  return null;
}

import { UserError } from "../domain/errors.ts";
import { findingText, type RuleFinding } from "./change/diff-policy.ts";

const mostNamed = 10;

/** Why a change is not pushed, for the ticket: every finding that forbids it. */
export function refusal(findings: readonly Pick<RuleFinding, "action" | "path" | "problem">[]): UserError {
  const texts = findings.filter(({ action }) => action === "refuse").map(findingText);
  const more = texts.length > mostNamed ? ` and ${texts.length - mostNamed} more` : "";
  return new UserError(
    `The change was not pushed, because the policy forbids what is in it: ${texts.slice(0, mostNamed).join("; ")}${more}. ` +
      "If that is wanted, change it by hand, or allow it in policy.changes.",
  );
}

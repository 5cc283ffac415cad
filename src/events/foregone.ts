/** Verdicts that need no facts: most of what a busy Jira tells is nothing to us, and can be committed together with its verdict. */
import type { Event } from "../domain/event.ts";
import type { Policy } from "../platform/policy.ts";
import { type Facts, route } from "./route.ts";

/**
 * Why an event is ignored whatever the facts are; null when they matter. Asks `route` itself, with facts that tell whether
 * they were looked at: so the two can never disagree. Pure.
 */
export function foregone(event: Event, self: Facts["self"], policy: Policy): string | null {
  let looked = false;
  const facts: Facts = {
    self,
    get activeRun() {
      looked = true;
      return null;
    },
    get startedRun() {
      looked = true;
      return null;
    },
    get membership() {
      looked = true;
      return undefined;
    },
  };
  const decision = route(event, facts, policy);
  return decision.kind === "ignore" && !looked ? decision.reason : null;
}

/** Verdicts that need no facts: most of what a busy Jira tells is nothing to us, and can be committed together with its verdict. */
import type { Event } from "../domain/event.ts";
import type { Policy } from "../platform/policy.ts";
import { isOnMergeRequest, type MergeRequestFacts } from "./merge-request-facts.ts";
import { type Facts, route } from "./route.ts";
import { routeMergeRequest } from "./route-merge-request.ts";

/** Facts that know nothing, and tell when one of them but `known` is looked at. */
function blank<T extends object>(known: Partial<T>, empty: T, onLook: () => void): T {
  const facts = { ...empty, ...known };
  return new Proxy(facts, {
    get(target, name, receiver) {
      if (!(name in known)) onLook();
      return Reflect.get(target, name, receiver);
    },
  });
}

const noFacts: Omit<Facts, "self"> = { activeRun: null, startedRun: null, membership: undefined };

const noMergeRequestFacts: Omit<MergeRequestFacts, "self"> = {
  startedRun: null,
  person: null,
  groups: [],
  busy: null,
  runs: [],
  answers: { thread: 0, hour: 0 },
  reviewed: false,
  openRequest: null,
  repairs: 0,
};

/**
 * Why an event is ignored whatever the facts are; null when they matter. Asks the routing itself, with facts that tell whether
 * they were looked at: so the two can never disagree. Pure.
 */
export function foregone(event: Event, self: Facts["self"], policy: Policy): string | null {
  let looked = false;
  const onLook = (): void => {
    looked = true;
  };
  const decision = isOnMergeRequest(event)
    ? routeMergeRequest(
        event,
        blank<MergeRequestFacts>({ self: self.gitlab }, { self: self.gitlab, ...noMergeRequestFacts }, onLook),
        policy,
      )
    : route(event, blank<Facts>({ self }, { self, ...noFacts }, onLook), policy);
  return decision.kind === "ignore" && !looked ? decision.reason : null;
}

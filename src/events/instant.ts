/** What is answered at once to a command on a merge request, and what happens besides. Pure. */
import type { InstantAnswer, Run } from "../domain/run.ts";
import type { Policy } from "../platform/policy.ts";
import { type CommandName, parseRaise } from "./command.ts";
import { type Alongside, type Comment, isOwnBranch, type MergeRequestFacts } from "./merge-request-facts.ts";
import { requesters } from "./who-may.ts";

const active = ({ state }: Run): boolean => state === "queued" || state === "running" || state === "waiting";

function summary(runs: readonly Run[]): InstantAnswer["runs"] {
  return runs
    .filter(({ workflow }) => workflow !== "answer")
    .slice(0, 5)
    .map(({ id, workflow, state, step, reason, costUsd }) => ({ id, workflow, state, step, reason, costUsd }));
}

/** Answers a command that starts no workflow of its own. The right to give it was checked before. */
export function instant(
  command: CommandName,
  argument: string,
  event: Comment,
  facts: MergeRequestFacts,
  policy: Policy,
): { answer: InstantAnswer; alongside?: Alongside } {
  const say = (about: InstantAnswer["about"], detail = ""): InstantAnswer => ({ about, detail, runs: [] });
  const by = event.actor?.id ?? "";
  const work = facts.runs.filter(({ workflow }) => workflow !== "answer");
  switch (command) {
    case "help":
      return { answer: say("help") };
    case "status":
      return { answer: { about: "status", detail: "", runs: summary(facts.runs) } };
    case "stop": {
      const going = work.filter(active);
      if (going.length === 0) return { answer: say("nothing_to_stop") };
      const reason = `${event.actor?.name} asked to stop`;
      return {
        answer: { about: "stopped", detail: "", runs: summary(going) },
        alongside: { kind: "cancel", runIds: going.map(({ id }) => id), reason },
      };
    }
    case "budget": {
      const usd = parseRaise(argument);
      const most = policy.budgets.raiseUsd;
      const run = work.find(active);
      if (usd === null) return { answer: say("not_raised", "how_much") };
      if (usd > most) return { answer: say("not_raised", `most ${most}`) };
      if (run === undefined) return { answer: say("not_raised", "no_run") };
      return {
        answer: say("raised", String(usd)),
        alongside: { kind: "raise", runId: run.id, usd, by, cause: `gitlab:note:${event.noteId}` },
      };
    }
    case "retry": {
      const last = work[0];
      const stopped = ["failed", "needs_human", "timed_out", "over_budget"];
      if (last === undefined || !stopped.includes(last.state)) return { answer: say("nothing_to_retry") };
      return {
        answer: { about: "retried", detail: "", runs: summary([last]) },
        alongside: { kind: "retry", run: last, by },
      };
    }
    default:
      return settleChange(command, event, policy, work);
  }
}

/** `approve`, `reject`, `merge`: what a person decides about a change of the bot. */
function settleChange(
  command: CommandName,
  event: Comment,
  policy: Policy,
  work: readonly Run[],
): { answer: InstantAnswer; alongside?: Alongside } {
  const say = (about: InstantAnswer["about"], detail = ""): InstantAnswer => ({ about, detail, runs: [] });
  if (!isOwnBranch(event.sourceBranch)) return { answer: say("not_ours", command) };
  if (command === "reject") {
    const going = work.filter(active).map(({ id }) => id);
    const reason = `${event.actor?.name} rejected the change`;
    return {
      answer: say("rejected"),
      ...(going.length === 0 ? {} : { alongside: { kind: "cancel" as const, runIds: going, reason } }),
    };
  }
  if (command === "merge" && !policy.mergeRequests.merge) return { answer: say("not_allowed", "merge") };
  if (!policy.mergeRequests.requesterMayApprove) {
    const asked = requesters(work, policy);
    if (asked.includes(event.actor?.id ?? "")) return { answer: say("not_allowed", "requester") };
    // Who cannot be told apart from the requester may be the requester.
    if (asked.includes(null)) return { answer: say("not_allowed", "unknown_requester") };
  }
  if (event.sha === null) return { answer: say("not_allowed", "no_commit") };
  return { answer: say(command === "merge" ? "merged" : "approved", event.sha) };
}

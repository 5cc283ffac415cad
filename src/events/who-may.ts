/** Who may give which command on a merge request. Pure; whatever is not known is refused. */
import type { Run } from "../domain/run.ts";
import { accessLevels, usualLevels } from "../platform/merge-request-policy.ts";
import type { Policy } from "../platform/policy.ts";
import type { CommandName } from "./command.ts";
import type { MergeRequestFacts } from "./merge-request-facts.ts";

/** The GitLab groups whose members may give a command besides those with the access level. */
export function groupsFor(command: string, policy: Policy): readonly string[] {
  return policy.mergeRequests.commands[command as keyof typeof usualLevels]?.groups ?? [];
}

/** Whether the person of the facts may give it. */
export function mayCommand(command: CommandName, { person, groups }: MergeRequestFacts, policy: Policy): boolean {
  if (person === null || person.bot) return false;
  const who = policy.mergeRequests.commands[command] ?? { level: usualLevels[command], groups: [] };
  if (who.level !== undefined && person.level >= accessLevels[who.level]) return true;
  return who.groups.some((group) => groups.includes(group));
}

/** GitLab ids of those who asked for the work on a merge request; null among them: somebody whose id is not known. */
export function requesters(runs: readonly Run[], policy: Policy): (string | null)[] {
  return runs
    .filter(
      ({ target, workflow }) =>
        workflow !== "answer" && (target.request !== undefined || target.mergeRequest === undefined),
    )
    .map(({ requestedBy, target }) =>
      target.request === undefined ? (policy.people.identities[requestedBy] ?? null) : target.request.by.id,
    );
}

/** Effects on a GitLab project: branches over git, merge requests over the API. */
import type { Effect, Ensured } from "../domain/effect.ts";
import type { Door } from "./door.ts";
import { passGate, passLine } from "./gate.ts";

/** GitLab takes descriptions of a million characters; nobody reads more than this. */
const descriptionLength = 60_000;

/** Words in a commit message by which GitLab starts no pipeline: whether the tests run is not for the model to decide. */
const skipsPipeline = /\[(skip ci|ci skip)\]/gi;

/** A commit message passes the gate line by line: its trailers must stay lines of their own. */
function passMessage(message: string): string {
  const lines = message.replace(skipsPipeline, "($1)").split("\n");
  return lines.map((line) => passLine(line, 500)).join("\n");
}

export function ensureInGitLab(
  door: Door,
  effect: Extract<Effect, { kind: "gitlab.branch" | "gitlab.mergeRequest" }>,
): Promise<Ensured> {
  if (effect.kind === "gitlab.branch") {
    const { kind: _, ...payload } = effect;
    return door.writers.branches.ensureBranch({ ...payload, message: passMessage(effect.message) });
  }
  const rules = {
    allowedHosts: door.allowedHosts,
    mentions: [],
    maxLength: descriptionLength,
    target: "gitlab" as const,
  };
  return door.writers.code.ensureMergeRequest({
    repository: effect.repository,
    sourceBranch: effect.sourceBranch,
    targetBranch: effect.targetBranch,
    title: passLine(effect.title, 255),
    body: passGate(effect.body, rules).body,
    draft: effect.draft,
    labels: effect.labels,
    marker: `mr:${effect.sourceBranch}`,
  });
}

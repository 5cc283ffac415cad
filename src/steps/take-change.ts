/** A change on its way out of a workspace: a patch, compared with what the developer says about it. */

import { checkClaim, claimedTests } from "../agents/judge.ts";
import { UserError } from "../domain/errors.ts";
import type { ChangeClaim } from "../domain/handoff.ts";
import type { Workspace } from "../domain/ports.ts";
import { Refusal } from "../workspace/paths.ts";
import { readInside } from "../workspace/tree.ts";
import { type PatchSecret, secretsInPatch } from "./change/secrets.ts";
import { formatChange } from "./checks/own-tools.ts";
import { groundOf } from "./ground.ts";
import { type Change, implemented, verified } from "./outputs.ts";
import type { StepContext } from "./step.ts";

function placeOf({ path, line }: PatchSecret): string {
  return line === 0 ? `in the file name ${path}` : `in ${path}, line ${line}`;
}

/** Which of the claimed tests are files in the tree. */
async function existing(root: string, claim: ChangeClaim): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of claimedTests(claim)) {
    if (path === null) continue;
    try {
      await readInside(root, path, Number.MAX_SAFE_INTEGER);
      found.add(path);
    } catch (error) {
      // Not there, or no path at all: that is what is to be found out.
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return found;
}

/**
 * Takes what changed out of a workspace. Throws UserError when that is nothing, more than may be pushed, or holds a secret: such a patch
 * is not even kept.
 */
export async function takeChange(context: StepContext, workspace: Workspace, claim: ChangeClaim): Promise<Change> {
  await formatChange(context, workspace);
  const patch = await workspace.diff();
  if (patch === "")
    throw new UserError("The developer agent finished without changing a file, so there is nothing to review.");
  const limit = context.services.policy.policy.maxPatchBytes;
  if (Buffer.byteLength(patch) > limit) {
    throw new UserError(`The change is larger than ${limit} bytes (policy.maxPatchBytes), so it was not pushed.`);
  }
  const secrets = secretsInPatch(patch);
  const found = secrets.find(({ certain }) => certain);
  if (found !== undefined && context.services.policy.policy.changes.secrets === "refuse") {
    throw new UserError(
      `The change would bring a secret into the repository, so it was not pushed: ${found.kind} ${placeOf(found)}. ` +
        "If it comes from the ticket, take it out there and revoke it.",
    );
  }
  const changed = await workspace.changedFiles();
  const tests = await existing(workspace.root, claim);
  const count = groundOf(context).understanding.acceptanceCriteria.length;
  return {
    claim,
    patch,
    changed,
    disagreements: [...checkClaim(claim, changed, { count, exists: (path) => tests.has(path) })],
    suspicions: secrets.map((secret) => `${placeOf(secret)}: ${secret.kind}`),
  };
}

/** The newest state of the run's change: mended by later steps, or as the developer handed it over. */
export function changeOf(context: StepContext): Change {
  const mended = context.has(verified) ? context.output(verified).change : null;
  return mended ?? context.output(implemented);
}

/** A change on its way out of a workspace: a patch, compared with what the developer says about it. */

import { checkClaim, claimedTests } from "../agents/judge.ts";
import { UserError } from "../domain/errors.ts";
import type { ChangeClaim } from "../domain/handoff.ts";
import type { Workspace } from "../domain/ports.ts";
import { isFileInside } from "../workspace/tree.ts";
import { withinMerge } from "./amend/merging.ts";
import { type PatchSecret, secretsInPatch } from "./change/secrets.ts";
import { formatChange } from "./checks/own-tools.ts";
import { developedOf } from "./developed.ts";
import { groundOf } from "./ground.ts";
import { type Change, type Merging, verified } from "./outputs.ts";
import type { StepContext } from "./step.ts";

function placeOf({ path, line }: PatchSecret): string {
  return line === 0 ? `in the file name ${path}` : `in ${path}, line ${line}`;
}

/** Which of the claimed tests are files in the tree. */
async function existing(root: string, claim: ChangeClaim): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of claimedTests(claim)) {
    if (path !== null && (await isFileInside(root, path))) found.add(path);
  }
  return found;
}

interface Taken {
  readonly patch: string;
  readonly changed: Change["changed"];
  /** Paths in which something was changed that does not count. */
  readonly strays: readonly string[];
  /** Secrets that are nobody's fault but the developer's. */
  readonly secrets: readonly PatchSecret[];
}

async function ownChange(context: StepContext, workspace: Workspace): Promise<Taken> {
  await formatChange(context, workspace);
  const patch = await workspace.diff();
  return { patch, changed: await workspace.changedFiles(), strays: [], secrets: secretsInPatch(patch) };
}

/** Of a merge only what was in conflict is the developer's. */
async function solvedMerge(workspace: Workspace, merge: Merging): Promise<Taken> {
  const { patch, strays } = withinMerge(merge, await workspace.diff());
  const inConflict = new Set(merge.conflicts.map(({ path }) => path));
  const key = ({ path, kind }: PatchSecret): string => `${path} ${kind}`;
  const known = new Set(secretsInPatch(merge.patch).map(key));
  return {
    patch,
    changed: (await workspace.changedFiles()).filter(({ path }) => inConflict.has(path)),
    strays,
    secrets: secretsInPatch(patch).filter((secret) => !known.has(key(secret))),
  };
}

/**
 * Takes what changed out of a workspace; of a merge, only what was in conflict. Throws UserError when that is nothing, more than may be pushed, or holds a secret: such a patch
 * is not even kept.
 */
export async function takeChange(
  context: StepContext,
  workspace: Workspace,
  claim: ChangeClaim,
  merge: Merging | null = null,
): Promise<Change> {
  const { patch, changed, strays, secrets } =
    merge === null ? await ownChange(context, workspace) : await solvedMerge(workspace, merge);
  // A merge may leave every file as it was.
  if (patch === "" && merge === null)
    throw new UserError("The developer agent finished without changing a file, so there is nothing to review.");
  const limit = context.services.policy.policy.maxPatchBytes;
  if (Buffer.byteLength(patch) > limit) {
    throw new UserError(`The change is larger than ${limit} bytes (policy.maxPatchBytes), so it was not pushed.`);
  }
  const found = secrets.find(({ certain }) => certain);
  if (found !== undefined && context.services.policy.policy.changes.secrets === "refuse") {
    throw new UserError(
      `The change would bring a secret into the repository, so it was not pushed: ${found.kind} ${placeOf(found)}. ` +
        "If it comes from the ticket, take it out there and revoke it.",
    );
  }
  const tests = await existing(workspace.root, claim);
  const count = groundOf(context).understanding.acceptanceCriteria.length;
  return {
    claim,
    patch,
    changed,
    disagreements: [
      ...checkClaim(claim, changed, { count, exists: (path) => tests.has(path) }),
      ...strays.map((path) => ({ path, problem: "was not in conflict: what was changed there was taken back" })),
    ],
    suspicions: secrets.map((secret) => `${placeOf(secret)}: ${secret.kind}`),
  };
}

/** The newest state of the run's change: mended by later steps, or as the developer handed it over. */
export function changeOf(context: StepContext): Change {
  const mended = context.has(verified) ? context.output(verified).change : null;
  return mended ?? developedOf(context);
}

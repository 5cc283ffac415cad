/** What can be said about a change by looking at it: rules that it breaks, and tests that say less than before. */
import type { Workspace } from "../../domain/ports.ts";
import { copyConflicts, leftMarkers, lostTests, notByOther, onBothSides } from "../amend/merging.ts";
import { scopeFindings } from "../amend/scope.ts";
import { judgeDiff, type RuleFinding } from "../change/diff-policy.ts";
import type { FileChange, Weakening } from "../change/file-change.ts";
import { withoutFiles } from "../change/patch.ts";
import { findSabotage } from "../change/sabotage.ts";
import { commandOf } from "../conversation/command.ts";
import { mergeOf } from "../developed.ts";
import { groundOf } from "../ground.ts";
import type { Change, Merging } from "../outputs.ts";
import type { StepContext } from "../step.ts";
import { readChange } from "./trees.ts";

export interface Judged {
  /** The files that somebody has worked on. */
  readonly files: readonly FileChange[];
  readonly weakened: readonly Weakening[];
  readonly findings: readonly RuleFinding[];
}

/** The files of a merge from the other side, and what each side did to them since they parted. */
async function otherSides(context: StepContext, merge: Merging, root: string) {
  const { run, services } = context;
  const { repository: project, base: ours } = groundOf(context);
  const inConflict = new Set(merge.conflicts.map(({ path }) => path));
  const part = async (from: string, to: string): Promise<string> =>
    withoutFiles(await services.workspaces.compare({ project, from, to }), (path) => !inConflict.has(path));
  const name = `${run.id}.other-side`;
  const at = (base: string): Promise<Workspace> => services.workspaces.open({ runId: name, project, base });
  try {
    const mine = await at(ours);
    const byUs = await readChange(await part(merge.base, ours), mine.root);
    const theirs = await at(merge.of);
    const byThem = await readChange(await part(merge.base, merge.of), theirs.root);
    await copyConflicts(merge, root, theirs);
    const files = await readChange(
      withoutFiles(await theirs.diff(), (path) => !inConflict.has(path)),
      theirs.root,
    );
    return { files, byUs, byThem };
  } finally {
    await services.workspaces.remove(name);
  }
}

async function judgeMerge(context: StepContext, merge: Merging, change: Change, root: string): Promise<Judged> {
  const rules = context.services.policy.policy.changes;
  const inConflict = new Set(merge.conflicts.map(({ path }) => path));
  const all = await readChange(change.patch, root);
  const files = all.filter(({ path }) => inConflict.has(path));
  const other = await otherSides(context, merge, root);
  return {
    files,
    weakened: [
      ...lostTests(files, other.byThem),
      ...lostTests(other.files, other.byUs),
      ...notByOther(findSabotage(files), findSabotage(other.byThem)),
      ...notByOther(findSabotage(other.files), findSabotage(other.byUs)),
    ],
    findings: [
      ...leftMarkers(files, other.files),
      ...onBothSides(judgeDiff(files, rules), judgeDiff(other.files, rules)),
    ],
  };
}

/** Judges a change. `root` is a tree that holds it. */
export async function judge(context: StepContext, change: Change, root: string): Promise<Judged> {
  const merge = mergeOf(context);
  if (merge !== null) return judgeMerge(context, merge, change, root);
  const files = await readChange(change.patch, root);
  const findings = judgeDiff(files, context.services.policy.policy.changes);
  return { files, weakened: findSabotage(files), findings: [...scopeFindings(commandOf(context), files), ...findings] };
}

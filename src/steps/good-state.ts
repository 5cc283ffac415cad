/** Remembers the last state of a developer's tree in which the tests passed, so that later edits can be taken back. */
import { Permanent } from "../domain/errors.ts";
import type { ChangeClaim } from "../domain/handoff.ts";
import type { Sandbox, Workspace } from "../domain/ports.ts";

export interface GoodState {
  /** The sandbox for the developer: it notes how the tests end. */
  readonly sandbox: Sandbox;
  /** Puts the tree back to that state. False, and nothing happens, when there is none in which something is changed. */
  restore(): Promise<boolean>;
  /** The patch of that state; null when there is none, or the tree is in it. */
  patch(): Promise<string | null>;
}

/** `tests`: the command whose success makes a state good; null when none is known. */
export function watchForGood(workspace: Workspace, sandbox: Sandbox, tests: readonly string[] | null): GoodState {
  let good: string | null = null;
  const wanted = JSON.stringify(tests);
  return {
    sandbox: {
      status: () => sandbox.status(),
      async run(input) {
        const result = await sandbox.run(input);
        const isTest = tests !== null && JSON.stringify(input.argv) === wanted && input.directory === workspace.root;
        if (isTest && result.exitCode === 0) good = await workspace.snapshot();
        return result;
      },
    },
    async restore() {
      if (good === null) return false;
      const now = await workspace.snapshot();
      await workspace.restore(good);
      if ((await workspace.changedFiles()).length > 0) return true;
      await workspace.restore(now);
      return false;
    },
    async patch() {
      const now = await workspace.snapshot();
      if (good === null || good === now) return null;
      await workspace.restore(good);
      try {
        const patch = await workspace.diff();
        return patch === "" ? null : patch;
      } finally {
        await workspace.restore(now);
      }
    },
  };
}

/**
 * What code says about a change whose developer stopped without a word: the state in which the tests passed last. Rethrows `error` when
 * that is not what happened, or there is no such state.
 */
export async function salvage(
  error: unknown,
  good: GoodState,
  workspace: Workspace,
  title: string,
): Promise<ChangeClaim> {
  // With a status it was the model's server that said no: nobody could judge the change either.
  const gaveUp = error instanceof Permanent && error.status === undefined;
  if (!gaveUp || !(await good.restore())) throw error;
  const files = (await workspace.changedFiles()).map(({ path }) => path).slice(0, 200);
  const summary = `The developer agent stopped before it handed its work over (${error.message}). This is the last state in which the tests passed.`;
  return {
    title: title.slice(0, 120),
    summary: summary.slice(0, 2000),
    files,
    tests: [],
    shownBy: [],
    contradicted: [],
  };
}

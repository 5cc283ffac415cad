/** A developer's work on a checkout, whoever asked for what. */
import type { Agent } from "../../agents/agent.ts";
import type { ChangeClaim, Understanding } from "../../domain/handoff.ts";
import type { Workspace } from "../../domain/ports.ts";
import { looked } from "../conversation/outputs.ts";
import { type GoodState, salvage, watchForGood } from "../good-state.ts";
import { groundOf } from "../ground.ts";
import { type Developed, type Merging, noteCommand } from "../outputs.ts";
import { installPackages, missingPackages } from "../packages.ts";
import { runAgent } from "../run-agent.ts";
import type { StepContext } from "../step.ts";
import { takeChange } from "../take-change.ts";
import { testCommand } from "../test-command.ts";

/** How the tests are run here, in words for the task. */
export interface Conditions {
  /** The test command as JSON; null when none is known. */
  readonly tests: string | null;
  /** Packages that are not there; empty when none is missing. */
  readonly packages: string;
}

/** A fresh checkout of the commit that the run works on, with `patch` laid over it. */
export function openHead(context: StepContext, patch = ""): Promise<Workspace> {
  const { repository, base } = groundOf(context);
  return context.services.workspaces.open({ runId: context.run.id, project: repository, base, patch });
}

/** A claim about nothing. */
export const noClaim: ChangeClaim = {
  title: "No change",
  summary: "Nothing was changed.",
  files: [],
  tests: [],
  shownBy: [],
  contradicted: [],
};

/** What is kept where no developer was asked, or changed nothing. */
export function unchanged(claim: ChangeClaim = noClaim): Developed {
  return {
    claim,
    patch: "",
    changed: [],
    disagreements: [],
    suspicions: [],
    commands: [],
    lastGood: null,
    wanted: null,
    merge: null,
  };
}

async function handOver(
  context: StepContext,
  workspace: Workspace,
  good: GoodState,
  given: { claim: ChangeClaim; merge: Merging | null },
): Promise<Pick<Developed, "claim" | "patch" | "changed" | "disagreements" | "suspicions" | "lastGood">> {
  const { claim, merge } = given;
  // That there is no reason to change anything is an answer to a person, but none to a ticket.
  const mayBeNothing = context.has(looked) && merge === null;
  if (mayBeNothing && (await workspace.changedFiles()).length === 0) return unchanged(claim);
  const change = await takeChange(context, workspace, claim, merge);
  return { ...change, lastGood: await good.patch() };
}

/**
 * Has an agent work in `workspace`. On a merge request an empty patch is no error.
 * @returns what the agent handed over (null when it stopped before that, and the last good state was taken), and the change
 */
export async function develop<Claim extends ChangeClaim>(
  context: StepContext,
  input: {
    agent: Agent<Claim>;
    workspace: Workspace;
    task: (conditions: Conditions) => string;
    /** See `Developed`. */
    wanted?: Understanding;
    merge?: Merging | null;
  },
): Promise<{ report: Claim | null; developed: Developed }> {
  const { workspace, agent } = input;
  const merge = input.merge ?? null;
  const tests = await testCommand(context.project, workspace.root);
  const packages = missingPackages(await installPackages(context, workspace.root));
  const good = watchForGood(workspace, context.services.sandbox, tests);
  const task = input.task({ tests: tests === null ? null : JSON.stringify(tests), packages });
  let report: Claim | null = null;
  let claim: ChangeClaim;
  let commands: Developed["commands"] = [];
  try {
    const done = await runAgent(context, agent, { workspace, sandbox: good.sandbox, task });
    report = done.output;
    claim = done.output;
    commands = done.commands.map(noteCommand);
  } catch (error) {
    claim = await salvage(error, good, workspace, groundOf(context).ticket.summary);
  }
  const { title, summary, files, tests: testFiles, shownBy, contradicted } = claim;
  const plain = { title, summary, files, tests: testFiles, shownBy, contradicted };
  const change = await handOver(context, workspace, good, { claim: plain, merge });
  return { report, developed: { ...change, commands, wanted: input.wanted ?? null, merge } };
}

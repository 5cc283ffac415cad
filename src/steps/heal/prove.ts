/** Fourth step of healing: code judges the repair, and what stands is added to the branch as one commit. */
import type { z } from "zod";
import type { EffectDraft } from "../../domain/effect.ts";
import { render } from "../../platform/template.ts";
import { findingText } from "../change/diff-policy.ts";
import { type Assessment, isRefused } from "../checks/assess.ts";
import { settle } from "../checks/mend.ts";
import { runSuite } from "../checks/suite.ts";
import { closeTrees, openTree } from "../checks/trees.ts";
import { looked } from "../conversation/outputs.ts";
import type { TestResult } from "../outputs.ts";
import type { Step, StepContext } from "../step.ts";
import { testCommand } from "../test-command.ts";
import { diagnosed, proved, repaired } from "./outputs.ts";

type Proved = z.infer<typeof proved.output>;
type Hindrance = Proved["hindrance"];

/** Whether red tests are no fault of the repair and none that it was to mend: they were red before, and no failed job of ours names them. */
async function mayBeRed(context: StepContext, tests: TestResult): Promise<boolean> {
  if (tests.flaky) return true;
  if (tests.failures.length === 0) return false;
  const ours = context.output(diagnosed).failed.filter((job) => job.class === "ours");
  if (tests.failures.some((name) => ours.some((job) => job.tests.includes(name)))) return false;
  const head = await openTree(context, "old-code", "");
  const { result } = await runSuite(context, head.root, await testCommand(context.project, head.root));
  return result.status === "failed" && tests.failures.every((name) => result.failures.includes(name));
}

async function hindranceOf(context: StepContext, assessment: Assessment): Promise<Hindrance> {
  const { weakened, findings, tests } = assessment;
  if (isRefused(assessment)) {
    return { kind: "refused", details: findings.filter(({ action }) => action === "refuse").map(findingText) };
  }
  if (weakened.length > 0) {
    return { kind: "weakened", details: weakened.map(({ path, problem }) => `${path}: ${problem}`) };
  }
  if (tests.status === "failed" && !(await mayBeRed(context, tests))) {
    return { kind: "red", details: [`${tests.command}: ${tests.detail}`, ...tests.failures] };
  }
  return null;
}

async function judge(context: StepContext): Promise<Proved> {
  const first = context.output(repaired);
  const { title, summary } = first.claim;
  const none = { title, summary, patch: "", tests: null, remarks: [] };
  if (first.patch === "") return { ...none, hindrance: { kind: "nothing", details: [summary] } };
  if (first.kind === "rollback") return { ...none, patch: first.patch, hindrance: null };
  const { assessment } = await settle(context, first);
  const { change, tests, findings } = assessment;
  const hindrance = await hindranceOf(context, assessment);
  return {
    hindrance,
    title: change.claim.title,
    summary: change.claim.summary,
    patch: hindrance === null ? change.patch : "",
    tests,
    remarks: [...findings.map(findingText), ...change.suspicions],
  };
}

/** Whether the branch is where it was when the run began. Whoever pushes after this look is found by the push itself. */
async function isThere(context: StepContext): Promise<boolean> {
  const { repository } = context.run.target;
  const { iid, sha } = context.output(looked).mergeRequest;
  const now = await context.services.reviews.readMergeRequest({ repository, iid });
  return now.state === "opened" && now.sha === sha;
}

/** One commit on top of the head that the run is about, and on nothing else. */
function push(context: StepContext, { title, summary, patch }: Proved): EffectDraft {
  const { run, services } = context;
  const { repository, mergeRequest, ticket } = context.output(looked);
  const { key, url } = ticket;
  return {
    name: "branch",
    effect: {
      kind: "gitlab.branch",
      repository: repository.path,
      branch: mergeRequest.sourceBranch,
      base: mergeRequest.sha,
      patch,
      message: render("gitlab/commit-message.txt", { ticket: { key, url }, title, summary, runId: run.id }),
      author: services.policy.author,
      date: run.createdAt.toISOString(),
      appendOnly: true,
    },
  };
}

export const prove: Step<Proved> = {
  ...proved,

  async execute(context) {
    try {
      const judged = await judge(context);
      const isLate = judged.patch !== "" && !(await isThere(context));
      const output: Proved = isLate ? { ...judged, patch: "", hindrance: { kind: "moved", details: [] } } : judged;
      const effects = output.patch === "" ? [] : [push(context, output)];
      return { output, effects, next: { kind: "continue" } };
    } finally {
      await closeTrees(context);
    }
  },
};

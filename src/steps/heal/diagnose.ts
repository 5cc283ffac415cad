/** Second step of healing: what became of the pipeline, why, and what is to be done about it. */
import type { EffectDraft } from "../../domain/effect.ts";
import type { PipelineState } from "../../domain/merge-request.ts";
import { render } from "../../platform/template.ts";
import { answer } from "../conversation/answer.ts";
import { looked } from "../conversation/outputs.ts";
import { reported } from "../outputs.ts";
import type { Next, Step, StepContext, StepResult } from "../step.ts";
import { madeWorse } from "./classify.ts";
import { askDevops, compareWithTarget, failedIn, readSuspects, runTests, toFailedJob } from "./investigate.ts";
import { type Diagnosed, diagnosed, type FailedJob, type Verdict } from "./outputs.ts";
import { type Past, readPast } from "./past.ts";
import { healNote, ticketNote } from "./words.ts";

type Result = StepResult<Diagnosed>;

/** More failed jobs are counted, and not read. */
const mostJobs = 10;

const nothing: Diagnosed = { verdict: "left", pipeline: null, jobs: [], failed: [], tries: 0, worse: [] };

/** Ends the run because there is nothing to do. Only who asked hears why. */
function leave(
  context: StepContext,
  why: "theirs" | "none" | "older" | "unfinished",
  pipeline: Diagnosed["pipeline"] = null,
): Result {
  const words = render("gitlab/heal-left.md", { why, pipeline }).trim();
  const asked = context.run.target.request !== undefined;
  return {
    output: { ...nothing, pipeline },
    effects: asked ? [answer(context, words)] : [],
    next: { kind: "end", state: asked ? "done" : "cancelled", reason: words },
  };
}

/** The pipeline that the run is about; null when there is none for the head, "older" when it is not the newest one. */
async function findPipeline(context: StepContext): Promise<PipelineState | "older" | null> {
  const { repository, pipelineId } = context.run.target;
  const { iid, sha } = context.output(looked).mergeRequest;
  const { reviews } = context.services;
  const { pipeline: newest } = await reviews.readMergeRequest({ repository, iid });
  const id = pipelineId ?? newest?.id;
  if (id === undefined) return null;
  const pipeline = await reviews.readPipeline({ repository, pipelineId: id });
  if (pipeline.sha !== sha) return pipelineId === undefined ? null : "older";
  return newest !== null && newest.sha === sha && newest.id > id ? "older" : pipeline;
}

/** Whether the run that made the merge request found nothing that a person has to do. */
async function isGood(context: StepContext): Promise<boolean> {
  const [delivered] = await context.earlier("deliver");
  return delivered?.has(reported) === true && delivered.output(reported).green;
}

async function green(context: StepContext, pipeline: PipelineState, past: Past): Promise<Result> {
  const { mergeRequest } = context.output(looked);
  const output: Diagnosed = { ...nothing, ...about(pipeline), verdict: "green", tries: past.used };
  const pushed = past.tries.some(({ commit }) => commit !== null);
  const asked = context.run.target.request !== undefined;
  const effects: EffectDraft[] = [];
  const wasSaid = past.said !== null && past.said !== "green";
  if (asked || wasSaid) effects.push(healNote(context, output, past));
  if (wasSaid && (pushed || past.said === "handover" || past.said === "repair"))
    effects.push(...ticketNote(context, output, past));
  const undraft = context.services.policy.mergeRequests.undraft && mergeRequest.own && mergeRequest.draft;
  if (undraft && (await isGood(context))) {
    const { repository } = context.run.target;
    effects.push({
      name: "ready",
      effect: { kind: "gitlab.ready", repository, iid: mergeRequest.iid, sha: mergeRequest.sha },
    });
  }
  return { output, effects, next: end("done", output) };
}

function about(pipeline: PipelineState): Pick<Diagnosed, "pipeline" | "jobs"> {
  const { id, url, status } = pipeline;
  const jobs = pipeline.jobs.filter(({ allowFailure }) => !allowFailure);
  return { pipeline: { id, url, status }, jobs: jobs.map((job) => ({ name: job.name, status: job.status })) };
}

function end(state: "done" | "needs_human", { verdict, pipeline }: Diagnosed): Next {
  return { kind: "end", state, reason: render("gitlab/heal-reason.md", { verdict, id: pipeline?.id ?? 0 }).trim() };
}

/** What is to be done about jobs whose faults are known. */
export function decide(failed: readonly FailedJob[], tries: { readonly used: number; readonly most: number }): Verdict {
  if (failed.some((job) => job.class === "ours")) return tries.used >= tries.most ? "handover" : "repair";
  return failed.some(({ retry }) => retry) ? "retry" : "explain";
}

async function red(context: StepContext, pipeline: PipelineState, past: Past): Promise<Diagnosed> {
  const most = context.services.policy.mergeRequests.heal.tries;
  const read = await readSuspects(context, failedIn(pipeline).slice(0, mostJobs), past);
  const compared = await compareWithTarget(context, read);
  const output = { ...nothing, ...about(pipeline), tries: past.used };
  const suspected = compared.filter(({ judgement }) => judgement === null).map(({ job }) => job.name);
  const repair = past.last?.made?.kind === "repair" ? past.last : null;
  const worse = repair === null ? [] : madeWorse(repair.diagnosed.jobs, suspected);
  if (worse.length > 0) return { ...output, verdict: "rollback", failed: compared.map(toFailedJob), worse };
  // No tokens for what a person has to mend in any case.
  const known = past.used >= most ? compared : await askDevops(context, await runTests(context, compared));
  const failed = known.map(toFailedJob);
  return { ...output, verdict: decide(failed, { used: past.used, most }), failed };
}

function retries(context: StepContext, { pipeline, failed }: Diagnosed): EffectDraft[] {
  if (pipeline === null) return [];
  const { repository } = context.run.target;
  return failed
    .filter(({ retry }) => retry)
    .map(({ id }) => ({
      name: `retry-${id}`,
      effect: { kind: "gitlab.retryJob", repository, pipelineId: pipeline.id, jobId: id },
    }));
}

export const diagnose: Step<Diagnosed> = {
  ...diagnosed,

  async execute(context) {
    const { own, sourceBranch, sha } = context.output(looked).mergeRequest;
    const asked = context.run.target.request !== undefined;
    if (!asked && !(own && (await context.isOurs({ branch: sourceBranch, sha })))) return leave(context, "theirs");
    const pipeline = await findPipeline(context);
    if (pipeline === null) return leave(context, "none");
    if (pipeline === "older") return leave(context, "older");
    const past = await readPast(context, sha);
    if (pipeline.status === "success") return green(context, pipeline, past);
    if (pipeline.status !== "failed") return leave(context, "unfinished", about(pipeline).pipeline);
    const output = await red(context, pipeline, past);
    switch (output.verdict) {
      case "repair":
      case "rollback":
        return { output, effects: [], next: { kind: "continue" } };
      case "retry":
        return {
          output,
          effects: [...retries(context, output), healNote(context, output, past)],
          next: end("done", output),
        };
      case "handover": {
        const effects = [healNote(context, output, past), ...ticketNote(context, output, past)];
        return { output, effects, next: end("needs_human", output) };
      }
      default:
        return { output, effects: [healNote(context, output, past)], next: end("done", output) };
    }
  },
};

/** Pipelines, jobs, their logs, and statuses from outside. */
import type { Route } from "../server.ts";
import { fullPipelineShape, jobShape, pipelineShape, statusShape } from "./pipeline-shapes.ts";
import { createPipeline, move, replay, startPipeline } from "./pipelines.ts";
import {
  bool,
  commaList,
  forbidden,
  inProject,
  notFound,
  oneOf,
  type ProjectCall,
  paginate,
  Refusal,
  requireParams,
  text,
} from "./request.ts";
import type { CommitStatus, Job, Pipeline, World } from "./world.ts";

const project = "/api/v4/projects/:id";
const one = `${project}/pipelines/:pipeline`;

function pipelineAt(call: ProjectCall): Pipeline {
  const found = call.project.pipelines.find((pipeline) => String(pipeline.id) === call.route.pipeline);
  if (found === undefined) throw notFound();
  return found;
}

function jobAt(call: ProjectCall): { pipeline: Pipeline; job: Job } {
  for (const pipeline of call.project.pipelines) {
    const job = [...pipeline.jobs, ...pipeline.retried].find((candidate) => String(candidate.id) === call.route.job);
    if (job !== undefined) return { pipeline, job };
  }
  throw notFound();
}

const full = ({ world, project }: ProjectCall, pipeline: Pipeline, status = 200) => ({
  status,
  body: fullPipelineShape(world, project, pipeline),
});

const jobsOf = (call: ProjectCall, pipelines: readonly Pipeline[]) => {
  const scope = commaList(call.params, "scope");
  const retried = bool(call.params, "include_retried") === true;
  return pipelines.flatMap((pipeline) =>
    [...pipeline.jobs, ...(retried ? pipeline.retried : [])]
      .filter((job) => scope === undefined || scope.includes(job.status))
      .map((job) => jobShape(call.world, call.project, pipeline, job)),
  );
};

/** Routes of pipelines. */
export function pipelineRoutes(world: World): Route[] {
  const same = (call: ProjectCall, name: string, value: string): boolean =>
    call.params[name] === undefined || text(call.params, name) === value;
  return [
    [
      "GET",
      `${project}/pipelines`,
      inProject(world, 20, (call) => {
        const found = call.project.pipelines.filter(
          (pipeline) =>
            same(call, "sha", pipeline.sha) &&
            same(call, "ref", pipeline.ref) &&
            same(call, "status", pipeline.status) &&
            same(call, "source", pipeline.source),
        );
        const sorted = oneOf(call.params, "sort", ["asc", "desc"]) === "asc" ? found : found.reverse();
        return paginate(
          call,
          sorted.map((pipeline) => pipelineShape(world, call.project, pipeline)),
        );
      }),
    ],
    [
      "POST",
      `${project}/pipeline`,
      inProject(world, 30, async (call) => {
        requireParams(call.params, "ref");
        const ref = text(call.params, "ref") ?? "";
        const sha = await call.project.repository.resolve(ref);
        if (sha === null) throw new Refusal(400, { message: { base: ["Reference not found"] } });
        const pipeline = await startPipeline(world, call.project, { ref, sha, source: "api", userId: call.user.id });
        if (pipeline === undefined) throw new Refusal(400, { message: { base: ["Missing CI config file"] } });
        return full(call, pipeline, 201);
      }),
    ],
    [
      "GET",
      `${project}/pipelines/latest`,
      inProject(world, 20, (call) => {
        const ref = text(call.params, "ref") ?? call.project.defaultBranch;
        const pipeline = call.project.pipelines.findLast((candidate) => candidate.ref === ref);
        if (pipeline === undefined) throw notFound();
        return full(call, pipeline);
      }),
    ],
    ["GET", one, inProject(world, 20, (call) => full(call, pipelineAt(call)))],
    // Nothing here starts other pipelines.
    ["GET", `${one}/bridges`, inProject(world, 20, (call) => paginate(call, pipelineAt(call).jobs.slice(0, 0)))],
    ["GET", `${one}/jobs`, inProject(world, 20, (call) => paginate(call, jobsOf(call, [pipelineAt(call)])))],
    [
      "POST",
      `${one}/retry`,
      inProject(world, 30, (call) => {
        const pipeline = pipelineAt(call);
        if (["failed", "canceled"].includes(pipeline.status)) replay(world, call.project, pipeline);
        return full(call, pipeline, 201);
      }),
    ],
    [
      "POST",
      `${one}/cancel`,
      inProject(world, 30, async (call) => {
        const pipeline = pipelineAt(call);
        if (["created", "pending", "running"].includes(pipeline.status))
          await move(world, call.project, pipeline, "canceled");
        return full(call, pipeline);
      }),
    ],
  ];
}

/** Routes of jobs and of commit statuses. */
export function jobRoutes(world: World): Route[] {
  return [
    [
      "GET",
      `${project}/jobs`,
      inProject(world, 20, (call) => paginate(call, jobsOf(call, [...call.project.pipelines].reverse()))),
    ],
    [
      "GET",
      `${project}/jobs/:job`,
      inProject(world, 20, (call) => {
        const { pipeline, job } = jobAt(call);
        return { status: 200, body: jobShape(world, call.project, pipeline, job) };
      }),
    ],
    [
      "GET",
      `${project}/jobs/:job/trace`,
      inProject(world, 20, (call) => {
        const { trace } = jobAt(call).job;
        // All of it whatever range is asked for, and nothing once it was erased (lib/api/ci/jobs.rb).
        const headers = { "content-type": "text/plain" };
        return { status: 200, headers, body: trace ?? "" };
      }),
    ],
    [
      "POST",
      `${project}/jobs/:job/erase`,
      inProject(world, 30, (call) => {
        const { pipeline, job } = jobAt(call);
        if (job.finishedAt === null) throw forbidden("Job is not erasable!");
        job.trace = null;
        return { status: 201, body: jobShape(world, call.project, pipeline, job) };
      }),
    ],
    [
      "POST",
      `${project}/jobs/:job/retry`,
      inProject(world, 30, (call) => {
        const { pipeline, job } = jobAt(call);
        if (!["failed", "canceled", "success"].includes(job.status) || !pipeline.jobs.includes(job))
          throw forbidden("Job is not retryable");
        // A retried job is a new one with a new number.
        const fresh = { status: "pending", failureReason: null, trace: "", startedAt: null, finishedAt: null };
        const again: Job = { ...job, ...fresh, id: world.nextId(), createdAt: new Date() };
        pipeline.jobs.splice(pipeline.jobs.indexOf(job), 1, again);
        pipeline.retried.push(job);
        replay(world, call.project, pipeline);
        return { status: 201, body: jobShape(world, call.project, pipeline, again) };
      }),
    ],
    [
      "GET",
      `${project}/repository/commits/:sha/statuses`,
      inProject(world, 20, (call) =>
        paginate(
          call,
          call.project.statuses
            .filter((status) => status.sha === call.route.sha)
            .map((status) => statusShape(world, status)),
        ),
      ),
    ],
    ["POST", `${project}/statuses/:sha`, inProject(world, 30, setStatus)],
  ];
}

async function setStatus(call: ProjectCall) {
  const { world, project, user, params } = call;
  requireParams(params, "state");
  const state = oneOf(params, "state", ["pending", "running", "success", "failed", "canceled", "skipped"]) ?? "";
  const sha = await project.repository.resolve(call.route.sha ?? "");
  if (sha === null) throw notFound("Commit");
  const name = text(params, "name") ?? text(params, "context") ?? "default";
  const old = project.statuses.find((status) => status.sha === sha && status.name === name);
  if (old?.status === state) {
    throw new Refusal(400, { message: { status: [`Cannot transition status via :${state} from :${state}`] } });
  }
  const ref = text(params, "ref") ?? project.defaultBranch;
  const pipeline =
    project.pipelines.findLast((candidate) => candidate.sha === sha) ??
    createPipeline(world, project, { ref, sha, source: "external", userId: user.id, status: state });
  const status: CommitStatus = old ?? {
    id: world.nextId(),
    sha,
    ref,
    status: state,
    name,
    targetUrl: null,
    description: null,
    authorId: user.id,
    createdAt: new Date(),
    pipelineId: pipeline.id,
  };
  if (old === undefined) project.statuses.push(status);
  status.status = state;
  status.targetUrl = text(params, "target_url") ?? status.targetUrl;
  status.description = text(params, "description") ?? status.description;
  if (pipeline.source === "external") await move(world, project, pipeline, state);
  return { status: 201, body: statusShape(world, status) };
}

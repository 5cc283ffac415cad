/** Pipelines, their jobs, and what these wrote. */
import { Jobs, Pipelines } from "@gitbeaker/rest";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { PipelineJob, PipelineState } from "../../domain/merge-request.ts";
import type { ReviewReader, ReviewWriter } from "../../domain/ports.ts";
import { readTail } from "./requester.ts";
import { allPages, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";
import { cleanTrace, tailOf } from "./trace.ts";

const PipelineAnswer = z.object({
  id: z.number().int(),
  status: z.string(),
  sha: z.string(),
  ref: z.string(),
  web_url: z.string(),
  project_id: z.number().int().nullish(),
});
type PipelineAnswer = z.infer<typeof PipelineAnswer>;

const JobAnswer = z.object({
  id: z.number().int(),
  /** The one it is in: a child of the one that was asked for, maybe. */
  pipeline: z.object({ id: z.number().int() }).nullish(),
  name: z.string(),
  stage: z.string().nullish(),
  status: z.string(),
  failure_reason: z.string().nullish(),
  allow_failure: z.boolean().nullish(),
  web_url: z.string(),
});
type JobAnswer = z.infer<typeof JobAnswer>;

/** A job that starts another pipeline; null until it has. */
const BridgeAnswer = z.object({
  status: z.string(),
  downstream_pipeline: z.object({ id: z.number().int(), project_id: z.number().int() }).nullish(),
});

/** Child pipelines may have children, two deep (docs.gitlab.com/ci/pipelines/downstream_pipelines, "Nested child pipelines"). */
const DEPTH = 2;

/** Marks and colours are as much of a log as words: so much more is read than is wanted. */
const RAW_FACTOR = 3;

function toJob(answer: JobAnswer): PipelineJob {
  return {
    id: answer.id,
    name: answer.name,
    stage: answer.stage ?? "",
    status: answer.status,
    failureReason: answer.failure_reason ?? "",
    allowFailure: answer.allow_failure ?? false,
    url: answer.web_url,
  };
}

type PipelineAccess = Pick<ReviewReader, "readPipeline" | "newestPipeline" | "readTrace"> &
  Pick<ReviewWriter, "ensureRetried">;

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createPipelineAccess(resource: Resource): PipelineAccess {
  const pipelines = new Pipelines(resource);
  const jobs = new Jobs(resource);

  /** The newest of each name, in the order in which they were made. */
  async function newestJobs(repository: string, pipelineId: number): Promise<JobAnswer[]> {
    const answers: unknown = await jobs.all(repository, { pipelineId, ...allPages });
    const found = checked(JobAnswer.array(), answers, "list of jobs").sort((a, b) => a.id - b.id);
    return [...new Map(found.map((job) => [job.name, job])).values()];
  }

  /** Jobs of the failed pipelines that this one started in the same project, when none of its own tells why it failed. */
  async function jobsBelow(
    repository: string,
    { id, project_id: projectId }: Pick<PipelineAnswer, "id" | "project_id">,
    own: readonly JobAnswer[],
    depth = DEPTH,
  ): Promise<JobAnswer[]> {
    if (depth === 0 || own.some((job) => job.status === "failed" && job.allow_failure !== true)) return [];
    const answers: unknown = await jobs.allPipelineBridges(repository, id);
    const failed = checked(BridgeAnswer.array(), answers, "list of bridges").flatMap((bridge) =>
      bridge.status === "failed" && bridge.downstream_pipeline != null ? [bridge.downstream_pipeline] : [],
    );
    const below: JobAnswer[] = [];
    // Into other projects our token need not reach.
    for (const child of failed.filter((found) => found.project_id === projectId)) {
      const theirs = await newestJobs(repository, child.id);
      below.push(...theirs, ...(await jobsBelow(repository, child, theirs, depth - 1)));
    }
    return below;
  }

  async function withJobs(repository: string, answer: PipelineAnswer): Promise<PipelineState> {
    const { web_url: url, id, status, sha, ref } = answer;
    const own = await newestJobs(repository, id);
    const below = status === "failed" ? await jobsBelow(repository, answer, own) : [];
    return { id, status, sha, ref, url, jobs: [...own, ...below].map(toJob) };
  }

  return {
    async readPipeline({ repository, pipelineId }) {
      const answer: unknown = await pipelines.show(repository, pipelineId);
      return withJobs(repository, checked(PipelineAnswer, answer, "pipeline"));
    },

    async newestPipeline({ repository, ref }) {
      const newest = async (status: "success" | "failed") => {
        const query = { ref, status, orderBy: "id", sort: "desc", page: 1, perPage: 1 } as const;
        const answers: unknown = await pipelines.all(repository, query);
        return checked(PipelineAnswer.array(), answers, "list of pipelines");
      };
      const ended = [...(await newest("success")), ...(await newest("failed"))].sort((a, b) => b.id - a.id);
      return ended[0] === undefined ? null : withJobs(repository, ended[0]);
    },

    async readTrace({ repository, jobId, maxBytes }) {
      const rawBytes = RAW_FACTOR * maxBytes;
      const reader = new Jobs(resource);
      // GitLab itself sends all of it whatever is asked for; object storage and proxies may send the end only.
      reader.headers.range = `bytes=-${rawBytes}`;
      try {
        const path = `projects/${encodeURIComponent(repository)}/jobs/${jobId}/trace`;
        const { body } = await reader.requester.get<ReadableStream>(path, { asStream: true });
        return tailOf(cleanTrace((await readTail(body, rawBytes)).text), maxBytes);
      } catch (error) {
        // No such job any more (404), or an empty log behind something that serves ranges: it has no last byte (416).
        if (error instanceof Permanent && (error.status === 404 || error.status === 416)) return "";
        throw error;
      }
    },

    async ensureRetried({ repository, pipelineId, jobId }) {
      const job = checked(JobAnswer, await jobs.show(repository, jobId), "job");
      const newest =
        (await newestJobs(repository, job.pipeline?.id ?? pipelineId)).find(({ name }) => name === job.name) ?? job;
      const isNewer = newest.id > job.id;
      if (isNewer || !["failed", "canceled"].includes(newest.status)) {
        if (!isNewer && job.status === "success") {
          throw new Permanent(`job ${job.name} (${jobId}) did not fail: it is not run again`, { status: 403 });
        }
        return { outcome: "unchanged", ref: { id: String(newest.id), url: newest.web_url } };
      }
      const again = checked(JobAnswer, await jobs.retry(repository, jobId), "job");
      return { outcome: "created", ref: { id: String(again.id), url: again.web_url } };
    },
  };
}

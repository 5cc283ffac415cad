/** Pipelines of Acme's shop for stories: jobs that look at the files of the commit, and one that runs its tests. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { PipelineScript } from "../../src/stand-ins/gitlab/world.ts";

export type Files = Readonly<Record<string, string>>;

/** What a job prints when it fails; null: it succeeds. */
export type JobScript = (
  files: Files,
  run: { readonly ref: string; readonly attempt: number },
) => Promise<JobEnd> | JobEnd;
export type JobEnd =
  | null
  | string
  | { readonly trace: string; readonly failureReason?: string; readonly status?: string };

/** A pipeline that runs these jobs, each in a stage of its own, all of them always. */
export function pipelineOf(jobs: Readonly<Record<string, JobScript>>): PipelineScript {
  return async (_project, _sha, files, run) => {
    const ended = [];
    for (const [name, script] of Object.entries(jobs)) {
      const end = await script(files, run);
      const failed = typeof end === "string" ? { trace: end } : end;
      ended.push({ name, stage: name, status: failed === null ? "success" : "failed", ...failed });
    }
    return { status: ended.some(({ status }) => status === "failed") ? "failed" : "success", jobs: ended };
  };
}

/** Runs the repository's own tests on the files of a commit. */
export const ownTests: JobScript = async (files) => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-pipeline-"));
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
      await writeFile(path.join(directory, file), text);
    }
    return await new Promise((resolve) => {
      const env = { PATH: process.env.PATH ?? "" };
      execFile(process.execPath, ["--test"], { cwd: directory, env, timeout: 30_000 }, (error, stdout, stderr) =>
        resolve(error === null ? null : `$ node --test\n${stdout}${stderr}`),
      );
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** Pipelines that do what a repository's own tests say: a command, run on the files of the commit. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { printTrace } from "./traces.ts";
import type { PipelineScript } from "./world.ts";

interface CommandJob {
  /** Default `test`. */
  readonly name?: string;
  /** Default `test`. */
  readonly stage?: string;
  readonly argv: readonly [string, ...string[]];
  readonly allowFailure?: boolean;
}

/** Longest run of one command, milliseconds. */
const PATIENCE = 60_000;

function run(argv: readonly string[], cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const [file = "", ...args] = argv;
    const child = spawn(file, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      // `node` is the one that runs us, and no test runner around us tells the inner one how to report.
      env: {
        PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        HOME: cwd,
        CI: "true",
        FORCE_COLOR: "1",
      },
      timeout: PATIENCE,
      killSignal: "SIGKILL",
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => output.push(part));
    child.stderr.on("data", (part: Buffer) => output.push(part));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 137, output: Buffer.concat(output).toString("utf8") }));
  });
}

/**
 * A pipeline script with one job per command. The files of the commit are laid out in a directory of their own, which is deleted
 * afterwards. Only for code that is ours: there is no sandbox.
 */
export function runCommands(...jobs: readonly CommandJob[]): PipelineScript {
  return async (_project, _sha, files) => {
    const directory = await mkdtemp(join(tmpdir(), "ticketsmith-pipeline-"));
    try {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(directory, path)), { recursive: true });
        await writeFile(join(directory, path), content);
      }
      const done = [];
      for (const { name = "test", stage = "test", argv, allowFailure = false } of jobs) {
        const { code, output } = await run(argv, directory);
        const trace = printTrace(argv.join(" "), output, code);
        done.push({ name, stage, status: code === 0 ? "success" : "failed", trace, allowFailure });
      }
      const failed = done.some(({ status, allowFailure }) => status === "failed" && !allowFailure);
      return { status: failed ? "failed" : "success", jobs: done };
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    }
  };
}

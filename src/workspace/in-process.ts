import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CommandResult } from "../domain/ports.ts";
import { commandEnvironment } from "./bubblewrap.ts";
import { collectFrom, collectPaths } from "./collected.ts";
import { type Command, type CommandSetup, seeThrough } from "./command.ts";
import { startProcess } from "./process.ts";

/** Where a plain process finds programs, besides our node. */
export const hostPath = "/usr/local/bin:/usr/bin:/bin";

/** Runs a command as a plain child process on a temporary copy, with a clean environment. No sandbox: for code that is ours. */
export async function runInProcess(command: Command, setup: CommandSetup): Promise<CommandResult> {
  command.signal.throwIfAborted();
  const wanted = collectPaths(command.collect ?? []);
  const parent = await mkdtemp(path.join(tmpdir(), "ticketsmith-command-"));
  try {
    const copy = path.join(parent, "workspace");
    await cp(command.directory, copy, { recursive: true, verbatimSymlinks: true });
    const [file = "", ...argv] = command.argv;
    const env = { PATH: `${setup.nodeDirectory}:${hostPath}`, HOME: parent, TMPDIR: parent, ...commandEnvironment };
    const started = startProcess({ file, argv, cwd: copy, env }, { input: false, status: false, files: false });
    const result = await seeThrough(command, setup.limits, started).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // As in the sandbox: a missing program is the command's failure, not ours.
      const stderr = `failed to execute ${file}: no such program`;
      return { argv: [...command.argv], exitCode: 127, timedOut: false, stdout: "", stderr, durationMs: 0 };
    });
    return wanted.length === 0 ? result : { ...result, files: await collectFrom(copy, wanted) };
  } finally {
    await rm(parent, { recursive: true, force: true, maxRetries: 3 });
  }
}

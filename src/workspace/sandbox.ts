/**
 * Where code of a repository or a model is run: in bubblewrap, or not at all. The demo may fall back to a plain process, for code
 * that ships with Ticketsmith.
 */
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../domain/errors.ts";
import type { CommandResult, Sandbox, SandboxStatus } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { bubblewrapArguments, commandEnvironment, defaultLimits, hostPaths, type SandboxLimits } from "./bubblewrap.ts";
import { footprintOf } from "./footprint.ts";
import { createEnds, createWhole } from "./output.ts";
import { findLeak } from "./probes.ts";
import { type ProcessEnd, runProcess } from "./process.ts";
import { stagedPaths, withoutRoot } from "./root.ts";

const hostPath = "/usr/local/bin:/usr/bin:/bin";

export interface SandboxOptions {
  /** `auto`: bubblewrap or nothing. `process-for-demo`: a plain child process where bubblewrap does not work; never for foreign code. */
  readonly mode: "auto" | "process-for-demo";
  /** Directory of the `node` that commands get. Default: the one that runs us. */
  readonly nodeDirectory?: string;
  readonly log: Log;
  readonly limits?: Partial<SandboxLimits>;
  /** Where `bwrap` is looked for; default the usual system directories. */
  readonly path?: string;
}

interface Command {
  readonly directory: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `run` throws UserError when the status is `none` or the tree is larger than the sandbox, and the signal's reason when aborted. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const limits = { ...defaultLimits, ...options.limits };
  const nodeDirectory = options.nodeDirectory ?? path.dirname(process.execPath);
  const env = { PATH: options.path ?? hostPath };

  const result = (command: Command, end: ProcessEnd, stdout: string, stderr: string): CommandResult => ({
    argv: [...command.argv],
    exitCode: end.exitCode,
    timedOut: end.timedOut,
    durationMs: end.durationMs,
    stdout,
    stderr: end.stopped === null ? stderr : `${stderr}\n[stopped: ${end.stopped}]`,
  });

  function excess(pid: number): string | null {
    const used = footprintOf(pid, limits.processes);
    if (used.processes > limits.processes) return `more than ${limits.processes} processes`;
    if (used.bytes > limits.memoryBytes) return `more than ${Math.round(limits.memoryBytes / 1048576)} MB of memory`;
    return null;
  }

  async function runInBubblewrap(command: Command): Promise<CommandResult> {
    const stdout = createEnds(limits.outputBytes);
    const stderr = createEnds(limits.outputBytes);
    const status = createWhole(16_384);
    const copyFailed = randomUUID();
    const host = hostPaths(command.directory, nodeDirectory);
    const asRoot = process.getuid?.() === 0;
    const bwrap = bubblewrapArguments({
      host: asRoot ? stagedPaths(host) : host,
      argv: command.argv,
      limits,
      copyFailed,
    });
    const end = await runProcess({
      ...(asRoot
        ? withoutRoot({ host, workspaceBytes: limits.workspaceBytes, copyFailed, command: ["bwrap", ...bwrap] })
        : { file: "bwrap", argv: bwrap }),
      // bwrap is process 1 inside, where its environment can be read: it must not be ours.
      env,
      stdout,
      stderr,
      status,
      watch: excess,
      timeoutMs: command.timeoutMs,
      signal: command.signal,
    });
    const complaint = stderr.text();
    if (end.exitCode === 125 && complaint.includes(copyFailed)) {
      const why = complaint.replace(copyFailed, "").trim().split("\n").at(-1) ?? "";
      throw new UserError(
        `the repository could not be copied into the sandbox (${Math.round(limits.workspaceBytes / 1048576)} MB): ${why}`,
      );
    }
    // bwrap writes the exit code there only when the command was really started.
    if (end.exitCode !== null && !status.bytes().includes('"exit-code"')) {
      throw new Error(`bubblewrap did not start the command: ${complaint.trim()}`);
    }
    return result(command, end, stdout.text(), complaint);
  }

  async function runAsProcess(command: Command): Promise<CommandResult> {
    const parent = await mkdtemp(path.join(tmpdir(), "ticketsmith-command-"));
    const stdout = createEnds(limits.outputBytes);
    const stderr = createEnds(limits.outputBytes);
    try {
      const copy = path.join(parent, "workspace");
      await cp(command.directory, copy, { recursive: true, verbatimSymlinks: true });
      const [file = "", ...argv] = command.argv;
      const end = await runProcess({
        file,
        argv,
        cwd: copy,
        env: { PATH: `${nodeDirectory}:${hostPath}`, HOME: parent, TMPDIR: parent, ...commandEnvironment },
        stdout,
        stderr,
        timeoutMs: command.timeoutMs,
        signal: command.signal,
        watch: excess,
      }).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        // As in the sandbox: a missing program is the command's failure, not ours.
        stderr.add(Buffer.from(`failed to execute ${file}: no such program`));
        return { exitCode: 127, timedOut: false, stopped: null, durationMs: 0 };
      });
      return result(command, end, stdout.text(), stderr.text());
    } finally {
      await rm(parent, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async function findOut(): Promise<SandboxStatus> {
    const leak = await findLeak((directory, argv) =>
      runInBubblewrap({ directory, argv, timeoutMs: 20_000, signal: new AbortController().signal }),
    );
    if (leak === null) {
      return { kind: "bubblewrap", reason: "bubblewrap passed its self test" };
    }
    const reason = /spawn (?:bwrap|unshare) ENOENT|failed to execute bwrap|bwrap: (?:command )?not found/.test(leak)
      ? "bubblewrap is not installed (`apt-get install bubblewrap`, 0.8 or newer)"
      : `bubblewrap cannot be used here: ${leak}`;
    return options.mode === "process-for-demo"
      ? { kind: "process", reason: `${reason}; commands of the demo run as plain processes` }
      : { kind: "none", reason };
  }

  let known: Promise<SandboxStatus> | undefined;
  const status = (): Promise<SandboxStatus> => {
    known ??= findOut().then((found) => {
      options.log.info("Sandbox checked", { kind: found.kind, reason: found.reason });
      return found;
    });
    return known;
  };

  return {
    status,
    async run(command) {
      if (command.argv.length === 0) throw new Error("a command needs at least the name of a program");
      const { kind, reason } = await status();
      if (kind === "none") throw new UserError(`commands cannot be run: there is no sandbox. ${reason}`);
      return kind === "bubblewrap" ? runInBubblewrap(command) : runAsProcess(command);
    },
  };
}

/** One command of an agent, run with bounded output and sampled use of memory and processes. Common to every kind of sandbox. */
import type { CommandResult } from "../domain/ports.ts";
import type { SandboxLimits } from "./bubblewrap.ts";
import { footprintOf } from "./footprint.ts";
import { createEnds, type Sink } from "./output.ts";
import { runProcess } from "./process.ts";

export interface Command {
  /** The tree to run on a copy of. */
  readonly directory: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Files of the copy to bring back, relative to it. */
  readonly collect?: readonly string[];
}

/** What every kind of sandbox is set up with. */
export interface CommandSetup {
  readonly limits: SandboxLimits;
  /** Directory of the `node` that commands get. */
  readonly nodeDirectory: string;
  /** Where the programs that make the sandbox are looked for. */
  readonly path: string;
}

function excess(pid: number, limits: SandboxLimits): string | null {
  const used = footprintOf(pid, limits.processes);
  if (used.processes > limits.processes) return `more than ${limits.processes} processes`;
  if (used.bytes > limits.memoryBytes) return `more than ${Math.round(limits.memoryBytes / 1048576)} MB of memory`;
  return null;
}

/** Runs `file argv` on behalf of a command. Throws as runProcess does; every other end is a result. */
export async function carryOut(
  command: Command,
  limits: SandboxLimits,
  child: {
    file: string;
    argv: readonly string[];
    env: Readonly<Record<string, string>>;
    cwd?: string;
    status?: Sink;
    files?: Sink;
  },
): Promise<CommandResult> {
  const stdout = createEnds(limits.outputBytes);
  const stderr = createEnds(limits.outputBytes);
  const end = await runProcess({
    ...child,
    stdout,
    stderr,
    timeoutMs: command.timeoutMs,
    signal: command.signal,
    watch: (pid) => excess(pid, limits),
  });
  return {
    argv: [...command.argv],
    exitCode: end.exitCode,
    timedOut: end.timedOut,
    stdout: stdout.text(),
    stderr: end.stopped === null ? stderr.text() : `${stderr.text()}\n[stopped: ${end.stopped}]`,
    durationMs: end.durationMs,
  };
}

/** One command of an agent, run with bounded output and sampled use of memory and processes. Common to every kind of sandbox. */
import type { CommandResult } from "../domain/ports.ts";
import type { SandboxLimits } from "./bubblewrap.ts";
import { footprintOf } from "./footprint.ts";
import { createEnds, type Sink } from "./output.ts";
import type { Started } from "./process.ts";

export interface Command {
  /** The tree to run on a copy of. */
  readonly directory: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Files of the copy to bring back, relative to it. */
  readonly collect?: readonly string[];
}

/** Packages for a command, or an installation of them; see `HostPaths`. */
export interface Packages {
  readonly dependencies?: string | null;
  readonly install?: { readonly into: string; readonly door: string };
}

/** What every kind of sandbox is set up with. */
export interface CommandSetup {
  readonly limits: SandboxLimits;
  /** Directory of the `node` that commands get. */
  readonly nodeDirectory: string;
  /** Where the programs that make the sandbox are looked for. */
  readonly path: string;
}

/** Watches a command: `excess` is asked again and again, `peak` is the most memory that was seen, null when it was never looked at. */
function createWatch(limits: SandboxLimits): { excess(pid: number): string | null; peak(): number | null } {
  let peak: number | null = null;
  return {
    excess(pid) {
      const used = footprintOf(pid, limits.processes);
      peak = Math.max(peak ?? 0, used.bytes);
      if (used.processes > limits.processes) return `more than ${limits.processes} processes`;
      if (used.bytes > limits.memoryBytes) return `more than ${Math.round(limits.memoryBytes / 1048576)} MB of memory`;
      return null;
    },
    peak: () => peak,
  };
}

/** Sees a started command through. Throws as `Started.finish` does; every other end is a result. */
export async function seeThrough(
  command: Command,
  limits: SandboxLimits,
  started: Started,
  pipes: { readonly input?: string; readonly stdout?: Sink; readonly status?: Sink; readonly files?: Sink } = {},
): Promise<CommandResult> {
  const stdout = createEnds(limits.outputBytes);
  const stderr = createEnds(limits.outputBytes);
  const watch = createWatch(limits);
  const end = await started.finish({
    stdout,
    stderr,
    ...pipes,
    timeoutMs: command.timeoutMs,
    signal: command.signal,
    watch: (pid) => watch.excess(pid),
  });
  return {
    argv: [...command.argv],
    exitCode: end.exitCode,
    timedOut: end.timedOut,
    stdout: stdout.text(),
    stderr: end.stopped === null ? stderr.text() : `${stderr.text()}\n[stopped: ${end.stopped}]`,
    durationMs: end.durationMs,
    usage: { cpuMs: null, peakBytes: watch.peak() },
  };
}

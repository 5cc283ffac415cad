/**
 * Where code of a repository or a model is run: in bubblewrap, or not at all. The demo may fall back to a plain process, for code
 * that ships with Ticketsmith.
 */
import path from "node:path";
import { UserError } from "../domain/errors.ts";
import type { CommandResult, Sandbox, SandboxStatus } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { defaultLimits, type SandboxLimits } from "./bubblewrap.ts";
import type { Command, CommandSetup } from "./command.ts";
import { createBubblewrap } from "./in-bubblewrap.ts";
import { hostPath, runInProcess } from "./in-process.ts";
import { findLeak } from "./probes.ts";

export interface SandboxOptions {
  /** `auto`: bubblewrap or nothing. `process-for-demo`: a plain child process where bubblewrap does not work; never for foreign code. */
  readonly mode: "auto" | "process-for-demo" | "off";
  /** Directory of the `node` that commands get. Default: the one that runs us. */
  readonly nodeDirectory?: string;
  readonly log: Log;
  readonly limits?: Partial<SandboxLimits>;
  /** Where `bwrap` is looked for; default the usual system directories. */
  readonly path?: string;
}

const selfTestMs = 20_000;

/** Why bubblewrap cannot be used, for people; null when it passed its self test. */
async function whyNot(runInBubblewrap: (command: Command) => Promise<CommandResult>): Promise<string | null> {
  const run = (directory: string, argv: readonly string[]): Promise<CommandResult> =>
    runInBubblewrap({ directory, argv, timeoutMs: selfTestMs, signal: AbortSignal.timeout(2 * selfTestMs) });
  // A tree that only root may read takes another way into the sandbox (root.ts): it has to hold as well.
  const modes = process.getuid?.() === 0 ? [0o755, 0o700] : [0o755];
  let leak: string | null = null;
  for (const mode of modes) leak ??= await findLeak(run, mode);
  if (leak === null) return null;
  if (/spawn (?:bwrap|unshare) ENOENT|failed to execute bwrap/.test(leak)) {
    return "bubblewrap is not installed (`apt-get install bubblewrap`, 0.8 or newer)";
  }
  const hint = process.getuid?.() === 0 ? ". Starting the bot as an ordinary user may help" : "";
  return `bubblewrap cannot be used here: ${leak}${hint}`;
}

/** `run` throws UserError when the status is `none` or the tree cannot be copied, and the signal's reason when aborted. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const setup: CommandSetup = {
    limits: { ...defaultLimits, ...options.limits },
    nodeDirectory: options.nodeDirectory ?? path.dirname(process.execPath),
    path: options.path ?? hostPath,
  };

  const runInBubblewrap = createBubblewrap(setup);

  async function findOut(): Promise<SandboxStatus> {
    if (options.mode === "off") return { kind: "none", reason: "it is switched off in the configuration" };
    const reason = await whyNot(runInBubblewrap);
    if (reason === null) return { kind: "bubblewrap", reason: "bubblewrap passed its self test" };
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
      return kind === "bubblewrap" ? runInBubblewrap(command) : runInProcess(command, setup);
    },
  };
}

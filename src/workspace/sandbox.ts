/**
 * Where code of a repository or a model is run: in bubblewrap, or not at all. The demo may fall back to a plain process, for code
 * that ships with Ticketsmith.
 */
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Dependencies } from "../domain/dependencies.ts";
import { UserError } from "../domain/errors.ts";
import type { CommandResult, Sandbox, SandboxStatus } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { defaultLimits, type SandboxLimits } from "./bubblewrap.ts";
import type { Command, CommandSetup } from "./command.ts";
import type { ContainerChoice } from "./container.ts";
import { createBubblewrap } from "./in-bubblewrap.ts";
import { createContainers } from "./in-container.ts";
import { hostPath, runInProcess } from "./in-process.ts";
import { createDependencies, type InstallOptions } from "./install/dependencies.ts";
import { createLine } from "./line.ts";
import { findLeak } from "./probes.ts";

export interface SandboxOptions {
  /**
   * `auto`: bubblewrap or nothing. `process-for-demo`: a plain child process where bubblewrap does not work; never for foreign code.
   * Or a container engine instead, or nothing.
   */
  readonly mode: "auto" | "process-for-demo" | "off" | ContainerChoice;
  /** Directory of the `node` that commands get. Default: the one that runs us. */
  readonly nodeDirectory?: string;
  readonly log: Log;
  readonly limits?: Partial<SandboxLimits>;
  /** Where `bwrap` is looked for; default the usual system directories. */
  readonly path?: string;
  /** How the packages that a repository needs are installed. Absent: they are not. */
  readonly install?: InstallOptions & {
    /** Most that one installation may hold, bytes. */
    readonly bytes: number;
  };
  /** Commands that run at the same time; more wait for their turn, before their time begins to count. Default: two per core. */
  readonly concurrency?: number;
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

/** Why the engine cannot be used, for people; null when its containers passed the self test. */
async function whyNoContainers(
  choice: ContainerChoice,
  runInContainer: (command: Command) => Promise<CommandResult>,
): Promise<string | null> {
  const run = (directory: string, argv: readonly string[]): Promise<CommandResult> =>
    // The image's environment is process 1's, and public: what counts is that the command gets a clean one.
    runInContainer({
      directory,
      argv: [...argv, "container"],
      timeoutMs: selfTestMs,
      signal: AbortSignal.timeout(2 * selfTestMs),
    });
  const leak = await findLeak(run);
  if (leak === null) return null;
  if (leak.includes(`spawn ${choice.engine} ENOENT`)) return `${choice.engine} is not installed`;
  return `${choice.engine} with the image ${choice.image} cannot be used here: ${leak}`;
}

/**
 * Installs in a sandbox with room for packages, and the socket to the registries. One installation at a time: they take memory.
 */
function createInstaller(options: SandboxOptions, setup: CommandSetup, status: () => Promise<SandboxStatus>) {
  const { install } = options;
  if (install === undefined) return null;
  const room = { workspaceBytes: install.bytes, temporaryBytes: install.bytes };
  const inBubblewrap = createBubblewrap({ ...setup, limits: { ...setup.limits, ...room } });
  const inLine = createLine(1);
  return createDependencies({
    ...install,
    log: options.log,
    async whyNot() {
      const { kind } = await status();
      return kind === "bubblewrap" ? null : "packages are installed in bubblewrap only, and it is not used here";
    },
    run: ({ into, door, ...command }) =>
      inLine(command.signal, () => inBubblewrap(command, { install: { into, door } })),
  });
}

/** `run` throws UserError when the status is `none` or the tree cannot be copied, and the signal's reason when aborted. */
export function createSandbox(options: SandboxOptions): Sandbox & Dependencies {
  const { mode } = options;
  const setup: CommandSetup = {
    limits: { ...defaultLimits, ...options.limits },
    nodeDirectory: options.nodeDirectory ?? path.dirname(process.execPath),
    path: options.path ?? hostPath,
  };
  const inBubblewrap = createBubblewrap(setup);
  const inContainer = typeof mode === "string" ? null : createContainers(mode, setup);
  const inLine = createLine(options.concurrency ?? 2 * availableParallelism());

  async function findOut(): Promise<SandboxStatus> {
    if (mode === "off") return { kind: "none", reason: "it is switched off in the configuration" };
    if (typeof mode !== "string" && inContainer !== null) {
      const reason = await whyNoContainers(mode, inContainer);
      if (reason !== null) return { kind: "none", reason };
      return { kind: "container", reason: `containers of ${mode.engine} passed the self test` };
    }
    const reason = await whyNot(inBubblewrap);
    if (reason === null) return { kind: "bubblewrap", reason: "bubblewrap passed its self test" };
    return mode === "process-for-demo"
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

  const store = createInstaller(options, setup, status);

  return {
    status,
    async install(input) {
      return store === null ? { kind: "none" } : store.install(input);
    },
    async run(command) {
      if (command.argv.length === 0) throw new Error("a command needs at least the name of a program");
      const { kind, reason } = await status();
      if (kind === "none") throw new UserError(`commands cannot be run: there is no sandbox. ${reason}`);
      const dependencies = kind === "bubblewrap" && store !== null ? await store.find(command.directory) : null;
      const result = await inLine(command.signal, () => {
        if (kind === "container" && inContainer !== null) return inContainer(command);
        return kind === "bubblewrap" ? inBubblewrap(command, { dependencies }) : runInProcess(command, setup);
      });
      const { exitCode, timedOut, durationMs, usage } = result;
      options.log.debug("a command was run", { program: command.argv[0], exitCode, timedOut, durationMs, ...usage });
      return result;
    },
  };
}

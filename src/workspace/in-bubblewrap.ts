import { randomUUID } from "node:crypto";
import { UserError } from "../domain/errors.ts";
import type { CommandResult } from "../domain/ports.ts";
import { bubblewrapArguments, hostPaths } from "./bubblewrap.ts";
import { collectPaths, collectScript, mostCollected, readCollected } from "./collected.ts";
import { type Command, type CommandSetup, type Packages, seeThrough } from "./command.ts";
import { identityOf } from "./identity.ts";
import { layLinks } from "./install/links.ts";
import { createWhole } from "./output.ts";
import { type Started, startProcess } from "./process.ts";
import { stagedPaths, withoutRoot } from "./root.ts";
import { commandScript, readTimes } from "./script.ts";
import { createStage } from "./stage.ts";
import { createWaiting } from "./waiting.ts";

const wants = { input: true, status: true, files: true };

const refused = /: Permission denied$/m;

/**
 * Runs commands in bubblewrap, a fresh one each. The function throws UserError when the tree cannot be copied, and Error when bubblewrap
 * did not get as far as the command: neither must be taken for the command's own failure.
 */
export function createBubblewrap(
  setup: CommandSetup,
): (command: Command, packages?: Packages) => Promise<CommandResult> {
  const { limits } = setup;
  const asRoot = process.getuid?.() === 0;
  const stage = createStage(setup.path);
  const waiting = createWaiting();
  // bwrap is process 1 inside, where its environment can be read: it must not be ours.
  const env = { PATH: setup.path };

  /** Starts a sandbox for a directory; null when it takes root to read it. */
  async function start(directory: string, packages: Packages): Promise<Started | null> {
    const host = hostPaths(directory, setup.nodeDirectory, packages);
    const laid = asRoot ? await stage.lay(host) : { prefix: [], host };
    if (laid === null) return null;
    const [file = "bwrap", ...argv] = [...laid.prefix, "bwrap", ...bubblewrapArguments({ host: laid.host, limits })];
    return startProcess({ file, argv, env }, wants);
  }

  /** The same for a directory that only root may read: it is copied by root, at once. */
  function startWithCopy(directory: string, packages: Packages, copyFailed: string): Started {
    const host = hostPaths(directory, setup.nodeDirectory, packages);
    const bwrap = bubblewrapArguments({ host: stagedPaths(host), limits });
    const { workspaceBytes } = limits;
    return startProcess(
      { ...withoutRoot({ host, workspaceBytes, copyFailed, command: ["bwrap", ...bwrap] }), env },
      wants,
    );
  }

  async function getReady(directory: string, packages: Packages): Promise<Started | null> {
    // An installation happens once: there is no next one to get ready for.
    if (packages.install !== undefined) return start(directory, packages);
    const identity = `${await identityOf(directory)} ${packages.dependencies ?? ""}`;
    const found = waiting.take(directory, identity) ?? (await start(directory, packages));
    if (found !== null) {
      waiting.prepare(directory, async () => {
        const started = await start(directory, packages);
        if (started === null) throw new Error("this directory has to be copied by root");
        return { started, identity };
      });
    }
    return found;
  }

  async function runIn(
    command: Command,
    started: Started,
    options: { copy: boolean; copyFailed: string; before?: string },
  ): Promise<CommandResult> {
    const wanted = collectPaths(command.collect ?? []);
    const status = createWhole(16_384);
    const files = createWhole(200 + wanted.length * (mostCollected + 40));
    const afterwards = collectScript(wanted);
    const input = commandScript({ argv: command.argv, limits, afterwards, ...options });
    const result = await seeThrough(command, limits, started, { input, status, files });
    // bwrap writes the exit code there only when the command was really started.
    const copied = !(result.exitCode === 125 && result.stderr.includes(options.copyFailed));
    if (copied && result.exitCode !== null && !status.bytes().includes('"exit-code"')) {
      throw new Error(`bubblewrap did not start the command: ${result.stderr.trim()}`);
    }
    const { cpuMs, rest } = readTimes(files.bytes());
    return {
      ...result,
      ...(result.usage === undefined ? {} : { usage: { ...result.usage, cpuMs } }),
      ...(wanted.length === 0 ? {} : { files: readCollected(wanted, rest) }),
    };
  }

  return async (command, packages = {}) => {
    command.signal.throwIfAborted();
    const copyFailed = randomUUID();
    const before = packages.dependencies == null ? {} : { before: layLinks };
    const notCopied = (result: CommandResult): boolean => result.exitCode === 125 && result.stderr.includes(copyFailed);
    const ready = await getReady(command.directory, packages);
    let result = ready && (await runIn(command, ready, { copy: true, copyFailed, ...before }));
    if (result === null || (asRoot && notCopied(result) && refused.test(result.stderr))) {
      const started = startWithCopy(command.directory, packages, copyFailed);
      result = await runIn(command, started, { copy: false, copyFailed, ...before });
    }
    if (notCopied(result)) {
      const why = result.stderr.replace(copyFailed, "").trim().split("\n").at(-1) ?? "";
      const size = `${Math.round(limits.workspaceBytes / 1048576)} MB`;
      throw new UserError(`the repository could not be copied into the sandbox (${size}): ${why}`);
    }
    return result;
  };
}

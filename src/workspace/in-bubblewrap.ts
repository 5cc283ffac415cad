import { randomUUID } from "node:crypto";
import { UserError } from "../domain/errors.ts";
import type { CommandResult } from "../domain/ports.ts";
import { bubblewrapArguments, hostPaths } from "./bubblewrap.ts";
import { collectPaths, collectScript, mostCollected, readCollected } from "./collected.ts";
import { type Command, type CommandSetup, carryOut } from "./command.ts";
import { createWhole } from "./output.ts";
import { stagedPaths, withoutRoot } from "./root.ts";

/**
 * Runs a command in bubblewrap. Throws UserError when the tree cannot be copied, and Error when bubblewrap did not get as far as the
 * command: neither must be taken for the command's own failure.
 */
export async function runInBubblewrap(command: Command, setup: CommandSetup): Promise<CommandResult> {
  const { limits } = setup;
  const status = createWhole(16_384);
  const copyFailed = randomUUID();
  const host = hostPaths(command.directory, setup.nodeDirectory);
  const asRoot = process.getuid?.() === 0;
  const wanted = collectPaths(command.collect ?? []);
  const files = createWhole(wanted.length * (mostCollected + 40));
  const bwrap = bubblewrapArguments({
    host: asRoot ? stagedPaths(host) : host,
    argv: command.argv,
    limits,
    copyFailed,
    ...(wanted.length === 0 ? {} : { afterwards: collectScript(wanted) }),
  });
  const result = await carryOut(command, limits, {
    ...(asRoot
      ? withoutRoot({ host, workspaceBytes: limits.workspaceBytes, copyFailed, command: ["bwrap", ...bwrap] })
      : { file: "bwrap", argv: bwrap }),
    // bwrap is process 1 inside, where its environment can be read: it must not be ours.
    env: { PATH: setup.path },
    status,
    ...(wanted.length === 0 ? {} : { files }),
  });
  if (result.exitCode === 125 && result.stderr.includes(copyFailed)) {
    const why = result.stderr.replace(copyFailed, "").trim().split("\n").at(-1) ?? "";
    const size = `${Math.round(limits.workspaceBytes / 1048576)} MB`;
    throw new UserError(`the repository could not be copied into the sandbox (${size}): ${why}`);
  }
  // bwrap writes the exit code there only when the command was really started.
  if (result.exitCode !== null && !status.bytes().includes('"exit-code"')) {
    throw new Error(`bubblewrap did not start the command: ${result.stderr.trim()}`);
  }
  return wanted.length === 0 ? result : { ...result, files: readCollected(wanted, files.bytes()) };
}

import { randomUUID } from "node:crypto";
import { UserError } from "../domain/errors.ts";
import type { CommandResult } from "../domain/ports.ts";
import { collectPaths, collectScript, mostCollected, readCollected } from "./collected.ts";
import { type Command, type CommandSetup, seeThrough } from "./command.ts";
import { type ContainerChoice, containerArguments, inCleanEnvironment, marker, removeArguments } from "./container.ts";
import { createEnds, createWhole, type Sink } from "./output.ts";
import { runProcess, startProcess } from "./process.ts";
import { commandScript, readTimes } from "./script.ts";

const removeMs = 20_000;

/** Hands on what comes before a line to one sink and what follows it to another. */
function splitAt(word: string, before: Sink, after: Sink): Sink & { end(): void } {
  const mark = Buffer.from(`\n${word}\n`);
  let held: Buffer = Buffer.alloc(0);
  let found = false;
  let size = 0;
  return {
    add(chunk) {
      size += chunk.length;
      if (found) return after.add(chunk);
      held = Buffer.concat([held, chunk]);
      const at = held.indexOf(mark);
      found = at >= 0;
      // The mark may be cut in two: its length is kept back.
      const ready = found ? at : Math.max(0, held.length - mark.length);
      before.add(held.subarray(0, ready));
      if (found) after.add(held.subarray(ready + mark.length));
      held = found ? Buffer.alloc(0) : held.subarray(ready);
    },
    get size() {
      return size;
    },
    end() {
      if (!found) before.add(held);
    },
  };
}

/**
 * Runs commands in containers, a fresh one each. The function throws UserError when the tree cannot be copied, and Error when the engine
 * did not get as far as the command.
 */
export function createContainers(
  choice: ContainerChoice,
  setup: CommandSetup,
): (command: Command) => Promise<CommandResult> {
  const { limits } = setup;
  const env = { PATH: setup.path, HOME: "/nonexistent", ...choice.env };

  return async (command) => {
    command.signal.throwIfAborted();
    const [name, copyFailed, word] = [`ticketsmith-${randomUUID()}`, randomUUID(), randomUUID()];
    const wanted = collectPaths(command.collect ?? []);
    const stdout = createEnds(limits.outputBytes);
    const files = createWhole(200 + wanted.length * (mostCollected + 40));
    const split = splitAt(word, stdout, files);
    const argv = containerArguments({ choice, name, source: command.directory, limits });
    const input = commandScript({
      argv: inCleanEnvironment(command.argv),
      limits: null,
      copy: true,
      copyFailed,
      mark: marker(word),
      afterwards: collectScript(wanted),
    });
    const started = startProcess({ file: choice.engine, argv, env }, { input: true, status: false, files: false });
    let ended = false;
    try {
      const result = await seeThrough(command, limits, started, { input, stdout: split });
      ended = result.exitCode !== null;
      split.end();
      if (result.exitCode === 125 && result.stderr.includes(copyFailed)) {
        const why = result.stderr.replace(copyFailed, "").trim().split("\n").at(-1) ?? "";
        throw new UserError(`the repository could not be copied into the container: ${why}`);
      }
      // The engine's own failures end with 125 as well (docker-run(1), exit status), and then the script never came to its end.
      if (result.exitCode === 125 && files.size === 0) {
        throw new Error(`${choice.engine} did not start the command: ${result.stderr.trim()}`);
      }
      const { cpuMs, rest } = readTimes(files.bytes());
      return {
        ...result,
        argv: [...command.argv],
        stdout: stdout.text(),
        // Sampling saw the engine's client, not the container.
        usage: { cpuMs, peakBytes: null },
        ...(wanted.length === 0 ? {} : { files: readCollected(wanted, rest) }),
      };
    } finally {
      // Ending the client does not end the container.
      if (!ended) await remove(choice, name, env);
    }
  };
}

async function remove(choice: ContainerChoice, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const output = createEnds(1000);
  const argv = removeArguments(name);
  await runProcess({ file: choice.engine, argv, env, stdout: output, stderr: output, timeoutMs: removeMs });
}

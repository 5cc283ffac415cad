/** The hidden check: the branch as the bot pushed it, with the task's check/ laid over. */
import { copyFile, lstat, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../src/domain/errors.ts";
import type { Sandbox } from "../src/domain/ports.ts";
import type { Outcome } from "./outcome.ts";
import type { Task } from "./task.ts";

/** Longest part of a failed check's output that is kept. */
const tailLength = 1500;

/**
 * Copies the files of `from` into `tree`. The tree may come from a model: whatever stands in the way (a link, a file where a folder must
 * be) is taken away, so that nothing is written anywhere else. Nobody else may write to the tree meanwhile.
 */
export async function layOver(from: string, tree: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const source = path.join(entry.parentPath, entry.name);
    const parts = path.relative(from, source).split(path.sep);
    let place = tree;
    for (const [index, part] of parts.entries()) {
      place = path.join(place, part);
      const found = await lstat(place).catch(() => undefined);
      const isLast = index === parts.length - 1;
      if (found !== undefined && (isLast || !found.isDirectory())) await rm(place, { recursive: true });
      if (!isLast) await mkdir(place, { recursive: true });
    }
    await copyFile(source, place);
  }
}

/** Lays check/ over a tree and runs the check of the task there. Never throws for a check that fails or cannot be run. */
export async function runCheck(task: Task, tree: string, sandbox: Sandbox): Promise<Outcome["check"]> {
  const status = await sandbox.status();
  if (status.kind === "none") return { status: "not_run", detail: `no sandbox: ${status.reason}` };
  try {
    await layOver(path.join(task.folder, "check"), tree);
    const timeoutMs = task.limits.commandSeconds * 1000;
    const signal = AbortSignal.timeout(timeoutMs + 30_000);
    const result = await sandbox.run({ directory: tree, argv: task.check, timeoutMs, signal });
    const printed = `${result.stdout}\n${result.stderr}`;
    if (result.exitCode !== 0) {
      const how = result.timedOut ? "timed out" : `exit ${result.exitCode ?? "by signal"}`;
      return { status: "failed", detail: `${how}: ${printed.trim().slice(-tailLength)}` };
    }
    if (task.expect !== undefined && !new RegExp(task.expect, "m").test(printed)) {
      return {
        status: "failed",
        detail: `exit 0, but /${task.expect}/ is not in: ${printed.trim().slice(-tailLength)}`,
      };
    }
    return { status: "passed", detail: "exit 0" };
  } catch (error) {
    return { status: "failed", detail: messageOf(error) };
  }
}

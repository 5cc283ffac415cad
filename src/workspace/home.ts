/**
 * A folder of one process's own. Several workers may share a disk, and a run that changed hands is at home with both for a moment:
 * neither must clean up under the other. What a process that was killed left behind goes when the next one starts.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { messageOf } from "../domain/errors.ts";
import type { Log } from "../platform/log.ts";

/** Folders of other machines are judged by their age: no step of a run takes that long. */
const abandonedMs = 48 * 3_600_000;

function procText(read: () => string): string {
  try {
    return read();
  } catch {
    // No /proc on this system: then the process id alone must do.
    return "";
  }
}

/** When a process started, in kernel ticks (field 22 of proc(5)'s stat): ids are used again, this pair is not. */
function startOf(pid: number): string {
  const stat = procText(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** Where process ids mean the same: the machine, and the container's own numbering of processes. */
function numbering(): string {
  const namespace = procText(() => readlinkSync("/proc/self/ns/pid")).replace(/\D/g, "");
  return `${hostname().replace(/[^A-Za-z0-9]+/g, "_")}.${namespace}`;
}

function nameOf(pid: number): string {
  return `${numbering()}.${pid}.${startOf(pid)}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const name = path.basename(folder);
  const ours = new RegExp(`^${numbering().replace(".", "\\.")}\\.(\\d+)\\.\\d*$`).exec(name);
  if (ours !== null) {
    const pid = Number(ours[1]);
    return !isRunning(pid) || name !== nameOf(pid);
  }
  const times = await Promise.all(
    [folder, ...(await readdir(folder)).map((entry) => path.join(folder, entry))].map(async (entry) => {
      return (await stat(entry)).mtimeMs;
    }),
  );
  return Date.now() - Math.max(...times) > abandonedMs;
}

/** Path of this process's folder below `root`. Nothing is created. */
export function homeIn(root: string): string {
  return path.join(root, nameOf(process.pid));
}

/** Deletes the folders of processes that are gone. Throws nothing: what cannot be deleted is logged and left for the next time. */
export async function removeAbandonedHomes(root: string, log: Log): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const folder of names.map((name) => path.join(root, name))) {
    try {
      if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      // Another process that starts may be deleting the same folder.
      log.info("an abandoned workspace is still there", { folder, reason: messageOf(error) });
    }
  }
}

/** What a process and all its descendants use, read from Linux's /proc: for limits that the kernel sets per process only. */
import { readdirSync, readFileSync } from "node:fs";

export interface Footprint {
  readonly processes: number;
  /** Resident memory, bytes; shared pages count once per process. */
  readonly bytes: number;
}

const pageBytes = 4096;

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // The process ended while we looked, or this is no Linux: it uses nothing then.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return "";
    throw error;
  }
}

function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const lists = threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`));
  return lists.flatMap((list) => list.split(" ").filter((id) => id.trim() !== "")).map(Number);
}

/** Measures the tree below `pid`, giving up the count beyond `mostProcesses`, so that a fork bomb cannot keep us busy. */
export function footprintOf(pid: number, mostProcesses: number): Footprint {
  const open = childrenOf(pid);
  let processes = 0;
  let bytes = 0;
  while (open.length > 0 && processes <= mostProcesses) {
    const next = open.pop() ?? 0;
    processes += 1;
    bytes += Number(read(`/proc/${next}/statm`).split(" ")[1] ?? 0) * pageBytes;
    open.push(...childrenOf(next));
  }
  return { processes, bytes };
}

/** One process per data folder: PGlite itself opens a folder twice without a word, and ruins it. */
import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../domain/errors.ts";

export interface DirectoryLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  /** Start time of the process in kernel ticks, so that a recycled process id is not taken for the owner. */
  readonly startedAt: string;
  readonly token: string;
}

/** Field 22 of /proc/PID/stat (see proc(5)); empty where there is no /proc: then the process id alone must do. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return (await startOf(owner.pid)) === owner.startedAt;
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    // A torn lock file names nobody: nobody can hold it.
    return { pid: 0x7fffffff, startedAt: "", token: "" };
  }
}

/**
 * Takes the folder for this process; a lock left by a dead process is taken over.
 * @throws UserError when a living process holds it
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const file = path.join(directory, "lock");
  const mine: Owner = { pid: process.pid, startedAt: await startOf(process.pid), token: randomUUID() };
  const draft = `${file}.${mine.token}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      try {
        await link(draft, file);
        return {
          async release() {
            if ((await readOwner(file))?.token === mine.token) await rm(file, { force: true });
          },
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = await readOwner(file);
      if (owner !== null && (await isAlive(owner))) {
        throw new UserError(
          `${directory} is in use by process ${owner.pid}. Stop that one, set TICKETSMITH_DATA_DIR to another folder, ` +
            "or set DATABASE_URL so that several processes can share a Postgres server.",
        );
      }
      await discard(file, owner);
      await sleep(5 + Math.random() * 20);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new UserError(`${file} keeps changing hands. Start only one Ticketsmith on ${directory}.`);
}

/** Moves a dead owner's lock aside; if somebody was quicker and the file is theirs by now, it is put back. */
async function discard(file: string, dead: Owner | null): Promise<void> {
  if (dead === null) return;
  const aside = `${file}.dead-${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readOwner(aside))?.token !== dead.token) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

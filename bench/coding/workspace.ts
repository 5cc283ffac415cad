/**
 * Workspace: a checkout for a run out of the mirror, against `git clone --depth 1` of the same repository over the same server, turn
 * and turn about. The repository has 5,000 files and 2,000 commits.
 */
import { execFile, execFileSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/platform/log.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";
import { type GitServer, plainGit, startGitServer, token } from "../../tests/workspace/git-server.ts";
import { inFolder } from "../folder.ts";
import { median, type Outcome } from "../outcome.ts";

const files = 5000;
const commits = 2000;
const rounds = 7;
const aim = 0.3;
/** Of a commit with one small file in a tree of this size, three trees among its objects. */
const mostFetched = 100_000;

/** A stream for git-fast-import(1): all files at first, then one of them in every commit. */
function* history(): Generator<string> {
  const name = (index: number): string => `src/part${index % 50}/area${index % 7}/file${index}.ts`;
  const body = (index: number, version: number): string =>
    Array.from(
      { length: 40 },
      (_, line) => `export const value${index}_${line} = ${(index * 31 + line * 7 + version) % 9973};\n`,
    ).join("");
  const blob = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  for (let commit = 0; commit < commits; commit += 1) {
    const who = `Robin Vale <robin@vale.example> ${1_700_000_000 + commit * 600} +0000`;
    yield `commit refs/heads/main\ncommitter ${who}\n${blob(`Change ${commit}`)}`;
    const changed = commit === 0 ? Array.from({ length: files }, (_, index) => index) : [(commit * 37) % files];
    for (const index of changed) yield `M 100644 inline ${name(index)}\n${blob(body(index, commit))}`;
    yield "\n";
  }
}

function fill(server: GitServer, name: string): void {
  const input = [...history()].join("");
  execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd: server.path(name), input, maxBuffer: 1 << 28 });
  server.inside(name, "repack", "-adq");
}

async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Bytes of a repository's objects, packed and loose. */
function sizeOf(directory: string): number {
  const counts = plainGit(directory, "count-objects", "-v");
  const kib = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(counts)?.[1] ?? Number.NaN);
  return (kib("size") + kib("size-pack")) * 1024;
}

const runFile = promisify(execFile);

async function measure(server: GitServer, directory: string) {
  const project = server.project("acme/large", {});
  fill(server, "acme/large");
  const workspaces = createWorkspaces({ directory: path.join(directory, "data"), token, log: silentLog });
  const basic = Buffer.from(`oauth2:${token}`).toString("base64");
  const clone = async (): Promise<void> => {
    const target = path.join(directory, "clone");
    const header = `http.extraHeader=Authorization: Basic ${basic}`;
    await runFile("git", ["-c", header, "clone", "--quiet", "--depth", "1", project.cloneUrl, target]);
  };
  const cold = await timed(() => workspaces.open({ runId: "cold", project }));
  const [mirror = ""] = await readdir(path.join(directory, "data/mirrors"));
  const objects = path.join(directory, "data/mirrors", mirror);
  const fetched: number[] = [];
  const opened: number[] = [];
  const cloned: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    server.commit("acme/large", "main", { [`new/file${round}.ts`]: `export const round = ${round};\n` });
    cloned.push(await timed(clone));
    await rm(path.join(directory, "clone"), { recursive: true });
    const before = sizeOf(objects);
    const runId = `run${round}`;
    opened.push(await timed(() => workspaces.open({ runId, project })));
    fetched.push(sizeOf(objects) - before);
    await workspaces.remove(runId);
  }
  return { cold, fetched, opened, cloned };
}

/** Clone and checkout in turns; before each round one commit with one file arrives on the server. */
export async function warmWorkspace(): Promise<Outcome> {
  const server = await startGitServer();
  try {
    const { cold, fetched, opened, cloned } = await inFolder((directory) => measure(server, directory));
    const ratio = median(opened) / median(cloned);
    const most = Math.max(...fetched);
    return {
      name: "workspace",
      measured: `${median(opened).toFixed(0)} ms`,
      floor: `${median(cloned).toFixed(0)} ms`,
      ratio,
      aim: `<= ${aim}`,
      ok: ratio <= aim && most < mostFetched,
      notes: [
        `${files} files, ${commits} commits; each round: ${opened.map((ms, index) => `${ms.toFixed(0)}:${cloned[index]?.toFixed(0)}`).join(" ")} ms`,
        `the mirror was made in ${cold.toFixed(0)} ms; each later run fetched at most ${(most / 1024).toFixed(0)} KiB (one commit with one new file)`,
      ],
      details: { cold, fetched, opened, cloned },
    };
  } finally {
    await server.close();
  }
}

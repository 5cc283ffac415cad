/** Running git for the stand-in: bare repositories only, in an environment that knows nothing of the machine's own git settings. */
import { spawn } from "node:child_process";

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A fixed path: nothing of the surrounding environment reaches git or the hooks it runs. */
const environment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  // Works whoever owns the directory, root included.
  GIT_CONFIG_COUNT: "3",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_CONFIG_KEY_1: "gc.auto",
  GIT_CONFIG_VALUE_1: "0",
  GIT_CONFIG_KEY_2: "uploadpack.allowAnySHA1InWant",
  GIT_CONFIG_VALUE_2: "true",
};

/** Runs git and answers whatever happened. Rejects only when git cannot be started. */
export function tryGit(
  args: readonly string[],
  options: { input?: string | Buffer; env?: Readonly<Record<string, string>> } = {},
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", [...args], { env: { ...environment, ...options.env }, stdio: "pipe" });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    // git may be done before it has read everything (a refused push): a broken pipe is no failure of ours.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.once("close", (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") }),
    );
  });
}

/** Runs git and gives what it printed. Throws with its own words when it fails. */
export async function git(
  args: readonly string[],
  options: { input?: string | Buffer; env?: Readonly<Record<string, string>> } = {},
): Promise<Buffer> {
  const result = await tryGit(args, options);
  if (result.code !== 0) throw new Error(`git ${args.join(" ")} ended ${result.code}: ${result.stderr.trim()}`);
  return result.stdout;
}

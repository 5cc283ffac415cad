/** What a sandbox is told to do: the shell text around one command. Plain sh: dash, bash and busybox read it alike. */
import type { SandboxLimits } from "./bubblewrap.ts";

/** A word that stands for itself in a shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Limits are set in the sandbox, because a limit on processes set outside would count all processes of the bot's user, and with a
 * desktop or a database running under it nothing would start (getrlimit(2); counted per user namespace since Linux 5.14).
 * Units as POSIX has them: -f in 512 bytes, -d in kB. The limit on processes is -u in bash and -p elsewhere.
 */
function limitsText(limits: SandboxLimits): string {
  return [
    "ulimit -n 1024",
    "ulimit -c 0",
    `ulimit -f ${Math.floor(limits.fileBytes / 512)}`,
    `ulimit -d ${Math.floor(limits.dataBytes / 1024)}`,
    `ulimit -t ${limits.cpuSeconds}`,
    `{ ulimit -u ${limits.processes} 2>/dev/null || ulimit -p ${limits.processes}; }`,
  ].join(" && ");
}

/**
 * Runs the command under its limits and ends as it did. On file descriptor 4: the shell's `times`, then what `afterwards` prints.
 * `copyFailed` is a word that only we know: on stderr it means that the tree did not fit.
 */
export function commandScript(input: {
  argv: readonly string[];
  /** Null: whoever made the sandbox has set them. */
  limits: SandboxLimits | null;
  /** The tree lies in /src and has to be copied first. */
  copy: boolean;
  copyFailed: string;
  afterwards: string;
  /** Shell text that gets things ready between the copy and the command. */
  before?: string;
  /** Shell text that comes before what is written to file descriptor 4. */
  mark?: string;
}): string {
  const limits = input.limits === null ? "" : `${limitsText(input.limits)} || exit 126; `;
  const report = [input.mark, "times", input.afterwards].filter((text) => text !== undefined && text !== "").join("; ");
  return [
    `set -- ${input.argv.map(quoted).join(" ")}`,
    ...(input.copy ? [`cp -a /src/. /workspace/ || { echo ${quoted(input.copyFailed)} >&2; exit 125; }`] : []),
    ...(input.before === undefined ? [] : [input.before]),
    `( exec 4>&-; ${limits}exec "$@" ) </dev/null`,
    "code=$?",
    `{ ${report}; } >&4 2>/dev/null`,
    'exit "$code"',
    "",
  ].join("\n");
}

/** Processor time in the first lines of what the script wrote to file descriptor 4, milliseconds, and what follows them. */
export function readTimes(bytes: Buffer): { readonly cpuMs: number | null; readonly rest: Buffer } {
  // Two lines, `0m0.00s 0m0.00s`: the shell itself, then all that it waited for (POSIX, `times`).
  const match = /^[^\n]*\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s[^\n]*\n/.exec(bytes.subarray(0, 200).toString("latin1"));
  if (match === null) return { cpuMs: null, rest: bytes };
  const [text, userMinutes, user, systemMinutes, system] = match;
  const seconds = (Number(userMinutes) + Number(systemMinutes)) * 60 + Number(user) + Number(system);
  return { cpuMs: Math.round(seconds * 1000), rest: bytes.subarray(text.length) };
}

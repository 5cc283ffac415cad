/** The commands of one agent's work, in order. Code looks up here how a command really ended; the model only cites the number. */
import type { CommandResult } from "../domain/ports.ts";

export interface CommandLog {
  /** Adds a result and returns its number, starting at 1. */
  add(result: CommandResult): number;
  /** The result of that number, or undefined. */
  get(number: number): CommandResult | undefined;
  /** All results; the first is number 1. */
  list(): readonly CommandResult[];
}

/** Characters of output that one agent's log holds. Beyond that, only the end of older outputs is kept. */
const mostKept = 2_000_000;
const keptOfOld = 4_000;

function sizeOf(result: CommandResult): number {
  return result.stdout.length + result.stderr.length;
}

function shortened(text: string): string {
  return text.length <= keptOfOld
    ? text
    : `[… ${text.length - keptOfOld} older characters dropped …]\n${text.slice(-keptOfOld)}`;
}

/** An empty log, or one that goes on from earlier results. */
export function createCommandLog(earlier: readonly CommandResult[] = []): CommandLog {
  const results = [...earlier];
  let size = results.reduce((sum, result) => sum + sizeOf(result), 0);
  return {
    add(result) {
      size += sizeOf(result);
      for (let i = 0; i < results.length && size > mostKept; i += 1) {
        const old = results[i];
        if (old === undefined) continue;
        const short = { ...old, stdout: shortened(old.stdout), stderr: shortened(old.stderr) };
        size -= sizeOf(old) - sizeOf(short);
        results[i] = short;
      }
      return results.push(result);
    },
    get: (number) => results[number - 1],
    list: () => results,
  };
}

/** One line on how a command ended, e.g. `command #3 exit 0 (120 ms)`. */
export function ending(number: number, result: CommandResult): string {
  const how = result.timedOut ? "timed out" : result.exitCode === null ? "was stopped" : `exit ${result.exitCode}`;
  return `command #${number} ${how} (${result.durationMs} ms)`;
}

const longestLine = 1000;

function linesIn(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .flatMap((line) => (line.length <= longestLine ? [line] : (line.match(/[\s\S]{1,1000}/g) ?? [])));
}

/** What a command printed, as lines for a model: stdout under its name, then stderr. Overlong lines are broken. */
export function outputLines(result: CommandResult): readonly string[] {
  const part = (name: string, text: string): string[] => (text.trim() === "" ? [] : [`${name}:`, ...linesIn(text)]);
  return [...part("stdout", result.stdout), ...part("stderr", result.stderr)];
}

const headCharacters = 2_500;
const tailCharacters = 5_500;

/** Lines from the front that fit into so many characters. */
function fitting(lines: readonly string[], characters: number): number {
  let size = 0;
  const over = lines.findIndex((line) => {
    size += line.length + 1;
    return size > characters;
  });
  return over === -1 ? lines.length : over;
}

/** The output at a glance: all of it, or its beginning and its end, where commands say what went wrong. */
export function outputGlance(number: number, result: CommandResult): string {
  const lines = outputLines(result);
  if (fitting(lines, headCharacters + tailCharacters) === lines.length) return lines.join("\n");
  const head = fitting(lines, headCharacters);
  const tail = lines.length - fitting(lines.toReversed(), tailCharacters);
  return [
    ...lines.slice(0, head),
    `[lines ${head + 1}-${tail} of ${lines.length} left out: read_output command=${number} from=${head + 1}]`,
    ...lines.slice(tail),
  ].join("\n");
}

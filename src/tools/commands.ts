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

/** An empty log, or one that goes on from earlier results. */
export function createCommandLog(earlier: readonly CommandResult[] = []): CommandLog {
  const results = [...earlier];
  return {
    add: (result) => results.push(result),
    get: (number) => results[number - 1],
    list: () => results,
  };
}

/** One line on how a command ended, e.g. `command #3 exit 0 (120 ms)`. */
export function ending(number: number, result: CommandResult): string {
  const how = result.timedOut ? "timed out" : result.exitCode === null ? "was stopped" : `exit ${result.exitCode}`;
  return `command #${number} ${how} (${result.durationMs} ms)`;
}

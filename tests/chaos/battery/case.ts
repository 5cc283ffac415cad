/** What a part of the battery found. */

/** One thing that was done to the bot, and what did not hold afterwards. */
export interface Case {
  readonly name: string;
  readonly seed: number;
  /** Sentences; empty when everything held. */
  readonly wrong: readonly string[];
  /** From the blow until somebody worked on the run again, milliseconds. */
  readonly recoveryMs?: number | undefined;
}

export interface Part {
  readonly name: string;
  readonly cases: readonly Case[];
  /** More figures for the table. */
  readonly figures?: Readonly<Record<string, string | number>>;
  /** Why it could not be done on this machine. */
  readonly skipped?: string;
}

export interface Conditions {
  /** A Postgres server to make databases on. */
  readonly postgresUrl: string;
  readonly seeds: readonly number[];
  /** Tells somebody who waits what is going on. */
  readonly say: (line: string) => void;
}

/** Numbers that look random and are the same for the same seed; from 0 up to 1. */
export function random(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The middle and the largest of some numbers. */
export function spread(numbers: readonly number[]): { median: number; max: number } {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** What a benchmark says, and the table of it. */

export interface Outcome {
  readonly name: string;
  /** The number with its unit. */
  readonly measured: string;
  /** What it is held against, in the same unit. */
  readonly floor: string;
  /** `measured` against `floor`. */
  readonly ratio: number;
  /** The aim in words, e.g. "ratio >= 0.4". */
  readonly aim: string;
  readonly ok: boolean;
  /** Lines that explain the number. */
  readonly notes: readonly string[];
  /** Everything that was measured, for `--json`. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Draws the table; the notes follow below it. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const head = ["bench", "measured", "floor", "ratio", "aim", ""];
  const body = outcomes.map((one) => [
    one.name,
    one.measured,
    one.floor,
    one.ratio.toFixed(2),
    one.aim,
    one.ok ? "ok" : "MISSED",
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const notes = outcomes.flatMap((one) => one.notes.map((note) => `${one.name}: ${note}`));
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line), "", ...notes].join("\n");
}

/** The middle one, or the mean of the two in the middle. NaN for none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return (low + high) / 2;
}

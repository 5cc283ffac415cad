/** What reviews were worth, as a table for a terminal. */
import { noiseOf, type ReviewOutcome, type ReviewTotal, reviewTotal } from "./review-score.ts";

const heads = [
  "case",
  "language",
  "pushes",
  "found",
  "right",
  "repeats",
  "traps",
  "closed",
  "noise",
  "calls",
  "tokens",
  "cost",
];

type Figures = Omit<ReviewTotal, "cases" | "recall" | "precision">;

function figures(of: Figures): string[] {
  return [
    `${of.found}/${of.defects}`,
    `${of.right}/${of.threads}`,
    String(of.repeats),
    String(of.traps),
    `${of.closed}/${of.mended}`,
    of.noise.toFixed(1),
    String(of.calls),
    String(of.tokens),
    `$${of.costUsd.toFixed(3)}`,
  ];
}

const percent = (part: number): string => `${Math.round(100 * part)} %`;

/** Text of the table, a line with the sums at its end, and below it what was missed and what went wrong. */
export function reviewTable(outcomes: readonly ReviewOutcome[]): string {
  const total = reviewTotal(outcomes);
  const rows = outcomes.map((one) => [
    one.case,
    one.language,
    String(one.pushes),
    ...figures({ ...one, noise: noiseOf(one) }),
  ]);
  const last = [`${total.cases} cases`, "", "", ...figures(total)];
  const all = [heads, ...rows, last];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  const remarks = outcomes.flatMap((one) => [
    ...one.trouble.map((text) => `  ${one.case}: ${text}`),
    ...one.missed.map((text) => `  ${one.case}: missed ${text}`),
  ]);
  return [
    line(heads),
    rule,
    ...rows.map(line),
    rule,
    line(last),
    "",
    `recall ${percent(total.recall)}, precision ${percent(total.precision)}, ${total.repeats} repeats, ` +
      `${total.noise.toFixed(1)} threads per 100 changed lines`,
    ...remarks,
  ].join("\n");
}

/** Outcomes as a table for a terminal. */
import { type Outcome, type Total, totalOf, verdictOf } from "./outcome.ts";

const heads = [
  "task",
  "language",
  "result",
  "run",
  "turns",
  "tool errors",
  "kB sent",
  "tokens",
  "cost",
  "minutes",
] as const;

type Row = readonly string[];

function figures(of: {
  turns: number;
  toolErrors: number;
  bytesSent: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  minutes: number;
}): string[] {
  return [
    String(of.turns),
    String(of.toolErrors),
    (of.bytesSent / 1000).toFixed(1),
    String(of.inputTokens + of.outputTokens),
    `$${of.costUsd.toFixed(3)}`,
    of.minutes.toFixed(2),
  ];
}

/** Text of the table, a line with the sums at its end, and below it a line on every task that was not solved. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const total = totalOf(outcomes);
  const rows: Row[] = outcomes.map((one) => [
    one.task,
    one.language,
    verdictOf(one),
    one.state ?? "",
    ...(one.skipped === null ? figures(one) : ["", "", "", "", "", ""]),
  ]);
  const last: Row = [`${total.tried} tasks`, "", `${total.solved} solved`, "", ...figures(total)];
  const all: Row[] = [heads, ...rows, last];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: Row): string =>
    row
      .map((cell, column) => (column < 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(heads), rule, ...rows.map(line), rule, line(last), "", summary(total), ...outcomes.flatMap(remark)].join(
    "\n",
  );
}

function summary(total: Total): string {
  const passes = total.falsePasses === 1 ? "1 false pass" : `${total.falsePasses} false passes`;
  const alarms = total.falseAlarms === 1 ? "1 false alarm" : `${total.falseAlarms} false alarms`;
  return `${total.solved} of ${total.tried} solved, ${passes}, ${alarms}, ${total.skipped} skipped`;
}

/** Why a task was not solved, in one line. */
function remark(one: Outcome): string[] {
  if (one.solved) return [];
  const why = one.skipped ?? one.reason ?? "no reason given";
  const check = one.skipped === null ? `; check: ${one.check.status}` : "";
  return [`  ${one.task}: ${verdictOf(one)}: ${why.replace(/\s+/g, " ").slice(0, 200)}${check}`];
}

/** What came of a task, and how it is added up. */
import type { Traffic } from "./meter.ts";

export interface Outcome {
  readonly task: string;
  readonly title: string;
  readonly language: string;
  readonly model: string;
  /** Why the task was not tried; null when it was. */
  readonly skipped: string | null;
  /** The bot said green and the hidden check agrees. */
  readonly solved: boolean;
  /** The bot said green and the hidden check does not agree. */
  readonly falsePass: boolean;
  /** The hidden check passes, but the bot did not say green. */
  readonly falseAlarm: boolean;
  /** How the run ended; null when none began. */
  readonly state: string | null;
  /** Why it ended so, in the bot's words. */
  readonly reason: string | null;
  readonly check: { readonly status: "passed" | "failed" | "not_run"; readonly detail: string };
  /** Answers of the model. */
  readonly turns: number;
  /** Calls that were refused or could not be understood, and replies that called nothing. */
  readonly toolErrors: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** By agent: how often it asked, bytes of all its requests and of the first. */
  readonly agents: Traffic["agents"];
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** From the start of the run to its end. */
  readonly minutes: number;
}

const sums = [
  "turns",
  "toolErrors",
  "bytesSent",
  "bytesReceived",
  "inputTokens",
  "cachedTokens",
  "outputTokens",
  "costUsd",
  "minutes",
] as const;

export type Total = Readonly<
  Record<(typeof sums)[number] | "tasks" | "tried" | "skipped" | "solved" | "falsePasses" | "falseAlarms", number>
>;

/** The sums over all outcomes; `tried` are those that were not skipped. */
export function totalOf(outcomes: readonly Outcome[]): Total {
  const count = (wanted: (outcome: Outcome) => boolean): number => outcomes.filter(wanted).length;
  const added = Object.fromEntries(
    sums.map((name) => [name, outcomes.reduce((sum, outcome) => sum + outcome[name], 0)]),
  ) as Record<(typeof sums)[number], number>;
  return {
    tasks: outcomes.length,
    tried: count((outcome) => outcome.skipped === null),
    skipped: count((outcome) => outcome.skipped !== null),
    solved: count((outcome) => outcome.solved),
    falsePasses: count((outcome) => outcome.falsePass),
    falseAlarms: count((outcome) => outcome.falseAlarm),
    ...added,
  };
}

/** The result of a task in two words. */
export function verdictOf(outcome: Outcome): string {
  if (outcome.skipped !== null) return "skipped";
  if (outcome.solved) return "solved";
  if (outcome.falsePass) return "FALSE PASS";
  return outcome.falseAlarm ? "false alarm" : "not solved";
}

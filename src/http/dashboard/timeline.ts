/** The steps of a run in time, and the newest of what agents did in them. */
import { isEnd, type Run, RunState } from "../../domain/run.ts";
import type { ProgressRow, StepRow } from "../../store/steps.ts";
import { duration, type Moment, moment, type Pill, runPills } from "./words.ts";

export interface TimelineStep {
  readonly name: string;
  readonly pill: Pill;
  readonly took: string;
  readonly started: Moment | null;
  /** Where its bar begins and how long it is, in thousandths of the run's time. */
  readonly offset: number;
  readonly width: number;
}

export interface Activity {
  readonly at: Moment;
  readonly text: string;
  readonly detail: string;
}

function pillOf(row: StepRow, run: Run): Pill {
  if (row.state === "done") return { text: "done", tone: "good" };
  if (isEnd(run.state)) return { text: "stopped here", tone: run.state === "cancelled" ? "idle" : "bad" };
  if (run.state === "waiting") return { text: "waiting", tone: "look" };
  if (run.state === "queued") return { text: "will go on", tone: "idle" };
  return { text: row.state === "produced" ? "writing" : "working", tone: "busy" };
}

/** Steps in the order in which they were started; a step that is next but not started yet comes last. */
export function readTimeline(run: Run, rows: readonly StepRow[], now: Date): TimelineStep[] {
  const from = run.createdAt.getTime();
  const until = Math.max(from + 1, (isEnd(run.state) ? (run.endedAt ?? run.updatedAt) : now).getTime());
  const share = (ms: number): number => Math.min(1000, Math.max(0, Math.round((ms / (until - from)) * 1000)));
  const steps = rows.map((row): TimelineStep => {
    const start = row.startedAt.getTime();
    const end = row.endedAt?.getTime() ?? until;
    return {
      // The steps that tell the ticket why a run stops or waits are named after the lease that they ended.
      name: row.step.replace(/^(close|park|away)-\d+$/, "$1"),
      pill: pillOf(row, run),
      took: duration(end - start),
      started: moment(row.startedAt, now),
      offset: Math.min(994, share(start - from)),
      width: Math.max(6, share(end - start)),
    };
  });
  if (!isEnd(run.state) && !rows.some((row) => row.step === run.step)) {
    const pill: Pill = run.state === "waiting" ? { text: "waiting", tone: "look" } : { text: "next", tone: "idle" };
    steps.push({ name: run.step, pill, took: "", started: null, offset: 0, width: 0 });
  }
  return steps;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function endWord(state: unknown): string {
  const known = RunState.safeParse(state);
  return known.success ? runPills[known.data].text : text(state);
}

function toolsOf(data: ProgressRow["data"]): string {
  if (!Array.isArray(data.tools)) return "";
  return data.tools
    .map((tool: unknown) =>
      typeof tool === "object" && tool !== null && "tool" in tool
        ? `${text(tool.tool)} ${"arguments" in tool ? text(tool.arguments) : ""}`.trim()
        : "",
    )
    .join(" · ");
}

function describe({ kind, data }: ProgressRow): { text: string; detail: string } {
  switch (kind) {
    case "turn":
      return { text: `${text(data.agent)}, turn ${String(data.turn)}`, detail: toolsOf(data) || text(data.said) };
    case "step.started":
      return { text: `${text(data.step)} began`, detail: "" };
    case "step.done":
      return { text: `${text(data.step)} is done`, detail: "" };
    case "run.retry":
      return { text: `${text(data.step)} will be tried again`, detail: text(data.reason) };
    case "run.waiting":
      return { text: `${text(data.step)} waits`, detail: text(data.reason) };
    case "budget.raised":
      return { text: "the budget was raised", detail: `${String(data.usd)} US dollars, by ${text(data.by)}` };
    case "run.ended":
      return { text: `the run ended: ${endWord(data.state)}`, detail: text(data.reason) };
    default: {
      const detail = Object.values(data).filter((value) => typeof value === "string" || typeof value === "number");
      return { text: kind, detail: detail.join(" · ") };
    }
  }
}

/** The newest `limit` rows, newest first. */
export function readActivity(rows: readonly ProgressRow[], limit: number, now: Date): Activity[] {
  return rows
    .slice(-limit)
    .reverse()
    .map((row) => ({ at: moment(row.createdAt, now), ...describe(row) }));
}

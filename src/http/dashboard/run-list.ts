/** The first page: the newest runs and the inbox. */

import { nearingShare } from "../../domain/budget.ts";
import { isEnd, type Run } from "../../domain/run.ts";
import { asCount, asUsd } from "../../platform/template-text.ts";
import type { DeliveryRow } from "../../store/deliveries.ts";
import type { BudgetRecord } from "../records.ts";
import {
  duration,
  type Moment,
  moment,
  type Pill,
  runPills,
  subjectName,
  ticketAddress,
  verdictPills,
} from "./words.ts";

export interface RunListPage {
  readonly counts: readonly { readonly label: string; readonly value: string; readonly tone: Pill["tone"] }[];
  readonly runs: readonly {
    readonly id: string;
    readonly ticket: string;
    readonly ticketUrl: string | null;
    readonly repository: string;
    readonly workflow: string;
    readonly pill: Pill;
    readonly step: string;
    readonly reason: string;
    readonly cost: string;
    readonly started: Moment;
    readonly took: string;
  }[];
  readonly budgets: readonly {
    readonly owner: string;
    /** Per cent of the limit. */
    readonly used: number;
    readonly pill: Pill;
    readonly spent: string;
    readonly held: string;
    readonly limit: string;
    readonly tokens: string;
  }[];
  readonly deliveries: readonly {
    readonly received: Moment;
    readonly sender: string;
    readonly kind: string;
    readonly pill: Pill;
    readonly reason: string;
    readonly runId: string | null;
  }[];
}

function countsOf(runs: readonly Run[]): RunListPage["counts"] {
  const count = (...states: readonly Run["state"][]): number => runs.filter((run) => states.includes(run.state)).length;
  const working = count("queued", "running");
  const needing = count("waiting", "needs_human", "over_budget");
  const broken = count("failed", "timed_out");
  const spent = runs.reduce((sum, run) => sum + run.costUsd, 0);
  return [
    { label: "under way", value: String(working), tone: working > 0 ? "busy" : "idle" },
    { label: "need a person", value: String(needing), tone: needing > 0 ? "look" : "idle" },
    { label: "done", value: String(count("done")), tone: "idle" },
    { label: "failed", value: String(broken), tone: broken > 0 ? "bad" : "idle" },
    { label: "spent on models", value: asUsd(spent), tone: "idle" },
  ];
}

const budgetPills = {
  open: { text: "open", tone: "idle" },
  nearing: { text: "nearly used", tone: "look" },
  empty: { text: "used up", tone: "bad" },
} as const satisfies Record<string, Pill>;

function ownerOf({ kind, subject, period }: BudgetRecord): string {
  if (kind === "total") return `everything, ${period}`;
  return `${kind} ${subject}${period === null ? "" : `, ${period}`}`;
}

function budgetRow(record: BudgetRecord): RunListPage["budgets"][number] {
  const { limits, spent, reserved } = record;
  const share = spent.usd / limits.usd;
  const tokens =
    limits.tokens === null ? asCount(spent.tokens) : `${asCount(spent.tokens)} of ${asCount(limits.tokens)}`;
  return {
    owner: ownerOf(record),
    used: Math.min(100, Math.floor(share * 100)),
    pill: budgetPills[share >= 0.995 ? "empty" : share >= nearingShare ? "nearing" : "open"],
    spent: asUsd(spent.usd),
    held: asUsd(reserved.usd),
    limit: asUsd(limits.usd),
    tokens,
  };
}

/** What the page shows, seen from `now`. */
export function runListPage(
  runs: readonly Run[],
  budgets: readonly BudgetRecord[],
  deliveries: readonly DeliveryRow[],
  options: { jiraUrl: string; now: Date },
): RunListPage {
  const { jiraUrl, now } = options;
  return {
    counts: countsOf(runs),
    runs: runs.map((run) => ({
      id: run.id,
      ticket: subjectName(run.target),
      ticketUrl: ticketAddress(jiraUrl, run.target),
      repository: run.target.repository,
      workflow: run.workflow,
      pill: runPills[run.state],
      step: run.state === "done" ? "" : run.step,
      reason: run.reason ?? "",
      cost: asUsd(run.costUsd),
      started: moment(run.createdAt, now),
      took: duration(((isEnd(run.state) ? run.endedAt : null) ?? now).getTime() - run.createdAt.getTime()),
    })),
    budgets: budgets.map(budgetRow),
    deliveries: deliveries.map((row) => ({
      received: moment(row.receivedAt, now),
      sender: row.sender,
      kind: row.kind,
      pill: verdictPills[row.verdict],
      reason: row.reason,
      runId: row.runId,
    })),
  };
}

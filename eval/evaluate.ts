/** Runs tasks through the whole workflow, from the label on the ticket to the merge request, and looks at what came out. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Sandbox } from "../src/domain/ports.ts";
import { isEnd, type Run } from "../src/domain/run.ts";
import { listRuns } from "../src/store/runs.ts";
import { listTurns, type TurnRow } from "../src/store/steps.ts";
import { createWorkspaces } from "../src/workspace/workspaces.ts";
import { runCheck } from "./check.ts";
import { type Company, type CompanyOptions, type Seat, startCompany } from "./company.ts";
import { type Meter, startMeter } from "./meter.ts";
import type { Outcome } from "./outcome.ts";
import type { Task } from "./task.ts";

export interface EvaluateOptions extends CompanyOptions {
  /** Where the hidden checks are run. */
  readonly checks: Sandbox;
  /** Told of every task when it is through. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

const pollMs = 50;
/** How long a run that was told to stop may take to end. */
const stopMs = 30_000;

/** What a task looks like on its ticket. */
export function ticketText(task: Task): string {
  const criteria = task.acceptanceCriteria.map((text) => `* ${text}`);
  return [task.description.trim(), ...(criteria.length > 0 ? ["Acceptance criteria:", criteria.join("\n")] : [])].join(
    "\n\n",
  );
}

/** Whether a run has used up what its task allows; the words for it, or null. */
function overLimit(run: Run | undefined, startedAt: number, { limits }: Task): string | null {
  if (Date.now() - startedAt > limits.minutes * 60_000) return `stopped after ${limits.minutes} minutes`;
  if (run !== undefined && limits.usd !== undefined && run.costUsd > limits.usd) return `stopped at $${limits.usd}`;
  if (run !== undefined && limits.tokens !== undefined && run.tokens > limits.tokens)
    return `stopped at ${limits.tokens} tokens`;
  return null;
}

/** Labels the ticket of a seat and waits until its run has ended or waits for somebody; takes the label off at a limit. */
async function playOut(company: Company, seat: Seat): Promise<{ run: Run | null; stopped: string | null }> {
  const { jira, person, bot } = company;
  const issue = jira.createIssue({
    project: seat.ticket.replace(/-1$/, ""),
    type: "Task",
    summary: seat.task.title,
    description: ticketText(seat.task),
    by: person,
  });
  if (issue.key !== seat.ticket) throw new Error(`the ticket became ${issue.key} instead of ${seat.ticket}`);
  jira.editLabels(issue.key, { add: ["ticketsmith"] }, person);
  const startedAt = Date.now();
  let stopped: string | null = null;
  let giveUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    const runs = await listRuns(bot.database, 1000);
    const run = runs.find((one) => one.target.ticket === seat.ticket);
    if (run !== undefined && (isEnd(run.state) || run.state === "waiting")) return { run, stopped };
    if (stopped === null) {
      stopped = overLimit(run, startedAt, seat.task);
      if (stopped !== null) {
        giveUpAt = Date.now() + stopMs;
        jira.editLabels(issue.key, { remove: ["ticketsmith"] }, person);
      }
    } else if (Date.now() > giveUpAt) return { run: run ?? null, stopped };
    await sleep(pollMs);
  }
}

const Added = z.object({ added: z.array(z.object({ role: z.string(), text: z.string() })) });

/** What a turn's calls came to that did nothing: tools begin what they found with "result of", everything else is a complaint. */
export function toolErrorsIn(turn: Pick<TurnRow, "record">): number {
  const { added } = Added.parse(turn.record);
  const answer = added.findIndex((message) => message.role === "assistant");
  if (answer < 0) return 0;
  return added.slice(answer + 1).filter((message) => !message.text.startsWith("result of ")).length;
}

/** Checks out what the bot has pushed for a seat and runs the hidden check on it. */
async function check(company: Company, seat: Seat, options: EvaluateOptions): Promise<Outcome["check"]> {
  const branch = `ticketsmith/${seat.ticket}`;
  const project = company.gitlab.project(seat.repository);
  if (!(await project.repository.branches()).has(branch)) return { status: "not_run", detail: "nothing was pushed" };
  const workspaces = createWorkspaces({
    directory: path.join(options.directory, "checks", seat.ticket),
    token: company.gitlabToken,
    log: options.log,
    env: { PATH: options.variables.PATH ?? "/usr/local/bin:/usr/bin:/bin" },
  });
  const url = `${company.gitlab.url}/${seat.repository}`;
  const { root } = await workspaces.open({
    runId: "check",
    project: {
      id: project.id,
      path: seat.repository,
      defaultBranch: project.defaultBranch,
      url,
      cloneUrl: `${url}.git`,
    },
    branch,
  });
  return runCheck(seat.task, root, options.checks);
}

async function evaluateSeat(company: Company, seat: Seat, meter: Meter, options: EvaluateOptions): Promise<Outcome> {
  const { run, stopped } = await playOut(company, seat);
  const turns = run === null ? [] : await listTurns(company.bot.database, run.id);
  const checked = await check(company, seat, options);
  const mergeRequests = company.gitlab.mergeRequests(seat.repository);
  const green = run?.state === "done" && mergeRequests.some((one) => one.sourceBranch === `ticketsmith/${seat.ticket}`);
  const right = checked.status === "passed";
  const traffic = meter.of(seat.ticket);
  const sum = (of: (turn: TurnRow) => number): number => turns.reduce((total, turn) => total + of(turn), 0);
  const ended = run?.endedAt ?? run?.updatedAt ?? new Date();
  return {
    ...identity(seat),
    skipped: null,
    solved: green && right,
    falsePass: green && checked.status !== "passed",
    falseAlarm: !green && right,
    state: run?.state ?? null,
    reason: stopped ?? run?.reason ?? null,
    check: checked,
    turns: turns.length,
    toolErrors: sum(toolErrorsIn),
    bytesSent: traffic.sent,
    bytesReceived: traffic.received,
    agents: traffic.agents,
    inputTokens: sum((turn) => turn.inputTokens),
    cachedTokens: sum((turn) => turn.cachedTokens),
    outputTokens: sum((turn) => turn.outputTokens),
    costUsd: sum((turn) => turn.costUsd),
    minutes: run === null ? 0 : (ended.getTime() - run.createdAt.getTime()) / 60_000,
  };
}

function identity({
  task,
  model,
}: {
  task: Task;
  model: string;
}): Pick<Outcome, "task" | "title" | "language" | "model"> {
  return { task: task.name, title: task.title, language: task.language, model };
}

/** The outcome of a task that was not tried. */
export function skippedOutcome(assignment: { task: Task; model: string }, why: string): Outcome {
  return {
    ...identity(assignment),
    skipped: why,
    solved: false,
    falsePass: false,
    falseAlarm: false,
    state: null,
    reason: null,
    check: { status: "not_run", detail: "skipped" },
    turns: 0,
    toolErrors: 0,
    bytesSent: 0,
    bytesReceived: 0,
    agents: {},
    inputTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    minutes: 0,
  };
}

/** Programs that the tasks need and the place where commands run does not have. */
export async function missingPrograms(
  tasks: readonly Task[],
  sandbox: Sandbox,
  directory: string,
): Promise<Set<string>> {
  const programs = new Set(tasks.flatMap((task) => programsOf(task)));
  const signal = AbortSignal.timeout(60_000);
  const missing = new Set<string>();
  if ((await sandbox.status()).kind === "none") return missing;
  for (const program of programs) {
    const argv = ["sh", "-c", 'command -v "$1"', "sh", program];
    const { exitCode } = await sandbox.run({ directory, argv, timeoutMs: 20_000, signal });
    if (exitCode !== 0) missing.add(program);
  }
  return missing;
}

/** Names of the programs that a task cannot do without. */
export function programsOf(task: Task): string[] {
  return [...new Set([task.test[0] ?? "", task.check[0] ?? "", ...task.requires])];
}

/**
 * Evaluates all assignments, `concurrency` at a time, with one bot. The outcomes are in the order of the assignments.
 * @throws UserError for a configuration that is not complete; whatever breaks in the stand-ins
 */
export async function evaluate(options: EvaluateOptions): Promise<Outcome[]> {
  const company = await startCompany(options);
  const meter = startMeter(
    company.modelUrl,
    company.seats.map((seat) => seat.ticket),
  );
  try {
    const outcomes: Outcome[] = [];
    const waiting = [...company.seats.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, seat] = next;
        const outcome = await evaluateSeat(company, seat, meter, options);
        outcomes[index] = outcome;
        options.onOutcome?.(outcome);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, work));
    return outcomes;
  } finally {
    meter.close();
    await company.close();
  }
}

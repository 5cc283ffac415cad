/** Has every case reviewed through the whole workflow: a merge request is opened, pushed to, and the bot's threads are read back. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../src/domain/errors.ts";
import { isEnd, type Run } from "../src/domain/run.ts";
import { listRuns } from "../src/store/runs.ts";
import { listTurns } from "../src/store/steps.ts";
import { type Assignment, type Company, type Seat, startCompany } from "./company.ts";
import { loadReviewCases, type ReviewCase } from "./review-case.ts";
import { type ReviewOutcome, type ReviewTotal, reviewTotal, type SaidThread, scoreOf } from "./review-score.ts";
import { scriptedReviewer, scriptedReviewers } from "./reviewers.ts";
import type { SuiteOptions } from "./suite.ts";

/** As for a suite of tasks; nothing of a case is executed, so whose it is does not matter. */
export type ReviewSuiteOptions = Omit<SuiteOptions, "isOurs">;

export interface ReviewReport {
  readonly suite: string;
  readonly model: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly cases: readonly ReviewOutcome[];
  readonly total: ReviewTotal;
}

const pollMs = 40;
/** How long one review may take. */
const patienceMs = 15 * 60_000;

/** The same as a task of the other suite, as far as the company is concerned. */
function asAssignment(given: ReviewCase, model: string): Assignment {
  const policy = model.startsWith("scripted:") ? scriptedReviewer(model.slice("scripted:".length), given) : null;
  if (policy === undefined) {
    const names = scriptedReviewers.map((name) => `scripted:${name}`);
    throw new UserError(`there is no reviewer ${model}; there are ${names.join(", ")}`);
  }
  return {
    model,
    policy,
    task: {
      name: given.name,
      folder: given.folder,
      title: given.title,
      description: given.description,
      acceptanceCriteria: given.acceptanceCriteria,
      language: given.language,
      test: ["true"],
      check: ["true"],
      requires: [],
      limits: { minutes: 30, commandSeconds: 60 },
    },
  };
}

/** One call to GitLab in the name of the person who develops. */
async function call<Answer>(company: Company, method: string, place: string, body?: object): Promise<Answer> {
  const response = await fetch(`${company.gitlab.baseUrl}/api/v4/projects/${place}`, {
    method,
    headers: { "PRIVATE-TOKEN": company.developerToken, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${place}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

async function push(company: Company, seat: Seat, given: ReviewCase, number: number): Promise<string> {
  const before =
    number === 0 ? Object.keys((await treeOf(company, seat)) ?? {}) : Object.keys(given.trees[number - 1] ?? {});
  const actions = Object.entries(given.pushes[number] ?? {}).map(([file, content]) => ({
    action: before.includes(file) ? "update" : "create",
    file_path: file,
    content,
  }));
  const commit = {
    branch: branchOf(seat),
    ...(number === 0 ? { start_branch: "main" } : {}),
    commit_message: `${given.title} (${number + 1})`,
    actions,
  };
  const place = `${encodeURIComponent(seat.repository)}/repository/commits`;
  return (await call<{ id: string }>(company, "POST", place, commit)).id;
}

async function treeOf(company: Company, { repository }: Seat): Promise<Readonly<Record<string, string>> | null> {
  const { repository: git } = company.gitlab.project(repository);
  const head = (await git.branches()).get("main");
  return head === undefined ? null : git.files(head);
}

const branchOf = ({ ticket }: Seat): string => `feature/${ticket}-review`;

/** The review of a commit, once it has ended. */
async function reviewOf(company: Company, seat: Seat, sha: string): Promise<Run> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const runs = await listRuns(company.bot.database, 1000);
    const run = runs.find(({ workflow, target }) => workflow === "review" && target.sha === sha);
    if (run !== undefined && (isEnd(run.state) || run.state === "waiting")) return run;
    if (Date.now() > giveUpAt)
      throw new Error(`${seat.task.name}: no review of ${sha} within ${patienceMs / 60_000} minutes`);
    await sleep(pollMs);
  }
}

/** The bot's findings on the merge request of a seat, those of one push after the other. */
function threadsOf(company: Company, seat: Seat): (Omit<SaidThread, "push"> & { id: string })[] {
  const [mergeRequest] = company.gitlab.mergeRequests(seat.repository);
  return (mergeRequest?.discussions ?? []).flatMap(({ id, notes }) => {
    const [first] = notes;
    if (first === undefined || first.authorId !== company.botUserId || !first.body.includes("finding:")) return [];
    const { position, body, resolvedAt } = first;
    return [
      { id, path: position?.new_path ?? "", line: position?.new_line ?? null, body, resolved: resolvedAt !== null },
    ];
  });
}

async function evaluateCase(company: Company, seat: Seat, given: ReviewCase): Promise<ReviewOutcome> {
  if (given.acceptanceCriteria.length > 0) {
    const criteria = given.acceptanceCriteria.map((text) => `* ${text}`).join("\n");
    company.jira.createIssue({
      project: seat.ticket.replace(/-1$/, ""),
      type: "Task",
      summary: given.title,
      description: `${given.description}\n\nAcceptance criteria:\n\n${criteria}`,
      by: company.person,
    });
  }
  const pushOf = new Map<string, number>();
  const runs: Run[] = [];
  for (const number of given.pushes.keys()) {
    const sha = await push(company, seat, given, number);
    if (number === 0) {
      await call(company, "POST", `${encodeURIComponent(seat.repository)}/merge_requests`, {
        source_branch: branchOf(seat),
        target_branch: "main",
        title: given.title,
        description: given.description,
      });
    }
    runs.push(await reviewOf(company, seat, sha));
    for (const { id } of threadsOf(company, seat)) if (!pushOf.has(id)) pushOf.set(id, number);
  }
  const turns = (await Promise.all(runs.map(({ id }) => listTurns(company.bot.database, id)))).flat();
  const said = threadsOf(company, seat).map(({ id, ...thread }) => ({ ...thread, push: pushOf.get(id) ?? 0 }));
  const { repository: git } = company.gitlab.project(seat.repository);
  const stat = await git.run(["diff", "--shortstat", "main", branchOf(seat)]);
  const changed = [...stat.toString().matchAll(/(\d+) (?:insertion|deletion)/g)];
  return {
    case: given.name,
    language: given.language,
    pushes: given.pushes.length,
    trouble: runs.filter(({ state }) => state !== "done").map(({ state, reason }) => `${state}: ${reason ?? ""}`),
    ...scoreOf(given, said),
    changedLines: changed.reduce((sum, [, count]) => sum + Number(count), 0),
    calls: turns.length,
    tokens: turns.reduce((sum, turn) => sum + turn.inputTokens + turn.outputTokens, 0),
    costUsd: turns.reduce((sum, turn) => sum + turn.costUsd, 0),
  };
}

/** Evaluates a reviewer. Throws UserError for mistakes in the cases or the settings. */
export async function evaluateReviews(options: ReviewSuiteOptions): Promise<ReviewReport> {
  const startedAt = new Date().toISOString();
  const cases = await reviewCases(await loadReviewCases(options.suite, options.only), options);
  return { suite: options.suite, model: options.model, startedAt, cases, total: reviewTotal(cases) };
}

/** Has these cases reviewed by one bot. The outcomes are in their order. */
export async function reviewCases(
  cases: readonly ReviewCase[],
  options: Omit<ReviewSuiteOptions, "suite" | "only">,
): Promise<ReviewOutcome[]> {
  const assignments = cases.map((given) => asAssignment(given, options.model));
  const kept = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API", "DATABASE_URL", "PATH"];
  const variables = Object.fromEntries(Object.entries(options.variables).filter(([name]) => kept.includes(name)));
  const { review, ...others } = (options.policy.mergeRequests ?? {}) as Record<string, object>;
  const company = await startCompany({
    assignments,
    directory: path.join(options.directory, "company"),
    variables: { ...variables, OPENAI_MODEL: options.model },
    policy: { ...options.policy, mergeRequests: { ...others, review: { ...review, on: "all" } } },
    // Nothing of a change is run in a review.
    sandbox: "auto",
    concurrency: options.concurrency,
    log: options.log,
  });
  try {
    const outcomes: ReviewOutcome[] = [];
    const waiting = [...company.seats.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, seat] = next;
        const given = cases[index];
        if (given === undefined) continue;
        const outcome = await evaluateCase(company, seat, given);
        outcomes[index] = outcome;
        options.say(`  ${outcome.found}/${outcome.defects} found, ${outcome.threads} threads  ${given.name}`);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, work));
    return outcomes;
  } finally {
    await company.close();
  }
}

/** One suite of tasks with one model. */
import { UserError } from "../src/domain/errors.ts";
import type { Log } from "../src/platform/log.ts";
import { scriptedModels, scriptedPolicy } from "../src/stand-ins/model/policies/scripted.ts";
import type { Work } from "../src/stand-ins/model/policies/work.ts";
import { createSandbox } from "../src/workspace/sandbox.ts";
import type { Assignment } from "./company.ts";
import { evaluate, missingPrograms, programsOf, skippedOutcome } from "./evaluate.ts";
import { type Outcome, type Total, totalOf, verdictOf } from "./outcome.ts";
import { loadSuite, readFiles, type Task } from "./task.ts";

export interface SuiteOptions {
  /** Folder with one folder per task. */
  readonly suite: string;
  /** The tasks are our own: without a sandbox their code may run as a plain process, when the model is scripted. */
  readonly isOurs: boolean;
  /** `scripted:…`, or the name of a model of the server that OPENAI_BASE_URL leads to. */
  readonly model: string;
  readonly concurrency: number;
  /** Part of a task's name, `*` for anything. */
  readonly only?: string | undefined;
  /** The environment: OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_API, DATABASE_URL, PATH. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly policy: Readonly<Record<string, unknown>>;
  /** Folder for everything that is written; deleted in the end. */
  readonly directory: string;
  readonly log: Log;
  readonly say: (text: string) => void;
}

export interface Report {
  readonly suite: string;
  readonly model: string;
  /** How commands were run: bubblewrap, process or none. */
  readonly sandbox: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tasks: readonly Outcome[];
  readonly total: Total;
}

/** Settings that lead to a model or say where things lie; nothing else of the environment reaches the bot. */
const passedOn = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API", "DATABASE_URL", "PATH"];

/** What a scripted model has to know of a task. */
export async function workOf(task: Task): Promise<Work> {
  const [start, check, solution, wrong, sabotage] = await Promise.all(
    ["repo", "check", "solution", "wrong", "sabotage"].map((part) => readFiles(`${task.folder}/${part}`)),
  );
  return {
    title: task.title,
    criteria: task.acceptanceCriteria,
    test: task.test,
    start: start ?? {},
    check: { files: check ?? {}, command: task.check },
    solution: solution ?? null,
    wrong: wrong ?? null,
    sabotage: sabotage ?? null,
  };
}

/** The task for the model of that name. Throws UserError when it is a scripted one that there is not. */
export async function assign(task: Task, model: string): Promise<Assignment> {
  if (!model.startsWith("scripted:")) return { task, model, policy: null };
  const policy = scriptedPolicy(model.slice("scripted:".length), await workOf(task));
  if (policy !== undefined) return { task, model, policy };
  const names = scriptedModels.map((name) => `scripted:${name}`);
  throw new UserError(`there is no model ${model}; there are ${names.join(", ")}`);
}

/** Why a task cannot be tried here; null when it can. */
function obstacle({ task, model }: Assignment, work: Work, missing: ReadonlySet<string>): string | null {
  const programs = programsOf(task).filter((program) => missing.has(program));
  if (programs.length > 0) return `no ${programs.join(", ")} where commands are run`;
  if (model === "scripted:gold" && work.solution === null) return "no solution/ for the scripted model to end at";
  return null;
}

/** Evaluates a suite. Throws UserError for mistakes in the tasks or the settings. */
export async function evaluateSuite(options: SuiteOptions): Promise<Report> {
  const startedAt = new Date().toISOString();
  const tasks = await loadSuite(options.suite, options.only);
  // What runs as a plain process must be ours on both sides: the code of the task and that of the model.
  const sandbox = options.isOurs && options.model.startsWith("scripted:") ? "process-for-demo" : "auto";
  const checks = createSandbox({ mode: sandbox, log: options.log });
  const status = await checks.status();
  if (status.kind === "process") {
    options.say(`No sandbox (${status.reason}). Tasks and model are our own, so their code runs as plain processes.`);
  } else if (status.kind === "none") {
    options.say(
      `No sandbox (${status.reason}). Nothing is executed: no test is run, no check is made, nothing can be solved.`,
    );
  }
  const missing = await missingPrograms(tasks, checks, tasks[0]?.folder ?? options.suite);
  const assignments = await Promise.all(tasks.map((task) => assign(task, options.model)));
  const tried: Assignment[] = [];
  const skipped = new Map<string, Outcome>();
  for (const assignment of assignments) {
    const why = obstacle(assignment, await workOf(assignment.task), missing);
    if (why === null) tried.push(assignment);
    else skipped.set(assignment.task.name, skippedOutcome(assignment, why));
  }
  options.say(`${tried.length} tasks with ${options.model}, ${options.concurrency} at a time`);
  const kept = Object.entries(options.variables).filter(([name]) => passedOn.includes(name));
  const outcomes =
    tried.length === 0
      ? []
      : await evaluate({
          assignments: tried,
          directory: options.directory,
          variables: { ...Object.fromEntries(kept), OPENAI_MODEL: options.model },
          policy: options.policy,
          sandbox,
          concurrency: options.concurrency,
          log: options.log,
          checks,
          onOutcome: (outcome) => options.say(`  ${verdictOf(outcome).padEnd(11)}  ${outcome.task}`),
        });
  const done = new Map(outcomes.map((outcome) => [outcome.task, outcome]));
  const all = tasks.flatMap(({ name }) => done.get(name) ?? skipped.get(name) ?? []);
  return {
    suite: options.suite,
    model: options.model,
    sandbox: status.kind,
    startedAt,
    tasks: all,
    total: totalOf(all),
  };
}

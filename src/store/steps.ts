/** SQL of `ticketsmith.steps`, `ticketsmith.turns` and `ticketsmith.progress`: what a run has done so far. */

import { redactDeep } from "../platform/redact.ts";
import { toJson } from "./json.ts";
import type { Queryable } from "./queryable.ts";

export interface StepRow {
  readonly step: string;
  readonly state: "started" | "produced" | "done";
  readonly output: unknown;
  readonly next: unknown;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

const columns = `step, state, output, next, started_at as "startedAt", ended_at as "endedAt"`;

/** The run's steps in the order in which they were started. */
export async function listSteps(db: Queryable, runId: string): Promise<StepRow[]> {
  const { rows } = await db.query<StepRow>(
    `select ${columns} from ticketsmith.steps where run_id = $1 order by started_at`,
    [runId],
  );
  return rows;
}

/** Notes that a step was started; a repeated start changes nothing. */
export async function startStep(tx: Queryable, runId: string, step: string): Promise<void> {
  await tx.query(
    `insert into ticketsmith.steps (run_id, step, state) values ($1, $2, 'started') on conflict (run_id, step) do nothing`,
    [runId, step],
  );
}

/** Keeps what a step returned, as it is: it may hold a patch. Whoever puts printed text into an output redacts it. */
export async function produceStep(
  tx: Queryable,
  runId: string,
  step: string,
  result: { output: unknown; next: unknown },
): Promise<void> {
  await tx.query(
    `update ticketsmith.steps set state = 'produced', output = $3, next = $4 where run_id = $1 and step = $2`,
    [runId, step, toJson(result.output), toJson(redactDeep(result.next))],
  );
}

/** All effects of the step are settled. */
export async function finishStep(tx: Queryable, runId: string, step: string): Promise<void> {
  await tx.query(`update ticketsmith.steps set state = 'done', ended_at = now() where run_id = $1 and step = $2`, [
    runId,
    step,
  ]);
}

export interface TurnRow {
  readonly step: string;
  readonly agent: string;
  readonly turn: number;
  readonly record: unknown;
  readonly model: string;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
}

/** Adds one model call to the transcript. Secrets are taken out: an agent may have read them somewhere. */
export async function insertTurn(db: Queryable, runId: string, turn: TurnRow): Promise<void> {
  await db.query(
    `insert into ticketsmith.turns
       (run_id, step, agent, turn, record, model, input_tokens, cached_tokens, output_tokens, cost_usd)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      runId,
      turn.step,
      turn.agent,
      turn.turn,
      toJson(redactDeep(turn.record)),
      turn.model,
      turn.inputTokens,
      turn.cachedTokens,
      turn.outputTokens,
      turn.costUsd,
    ],
  );
}

/** The transcript of a run, oldest first. */
export async function listTurns(db: Queryable, runId: string): Promise<TurnRow[]> {
  const { rows } = await db.query<TurnRow>(
    `select step, agent, turn, record, model, input_tokens::int as "inputTokens", cached_tokens::int as "cachedTokens",
            output_tokens::int as "outputTokens", cost_usd as "costUsd"
     from ticketsmith.turns where run_id = $1 order by id`,
    [runId],
  );
  return rows;
}

export interface ProgressRow {
  readonly id: string;
  readonly runId: string;
  /** step.started, step.done, turn, effect, run.ended, run.waiting, run.retry, budget.raised */
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** Tells whoever watches the run. Secrets are taken out. */
export async function addProgress(
  db: Queryable,
  runId: string,
  kind: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.query(`insert into ticketsmith.progress (run_id, kind, data) values ($1, $2, $3)`, [
    runId,
    kind,
    toJson(redactDeep(data)),
  ]);
}

/** Progress after a given id, oldest first. */
export async function listProgress(db: Queryable, runId: string, afterId: string): Promise<ProgressRow[]> {
  const { rows } = await db.query<ProgressRow>(
    `select id, run_id as "runId", kind, data, created_at as "createdAt" from ticketsmith.progress
     where run_id = $1 and id > $2 order by id limit 500`,
    [runId, afterId],
  );
  return rows;
}
